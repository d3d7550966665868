/** A person's avatar with photo and state, wherever people are shown. */
import { useEffect, useState } from "react";
import { Avatar } from "@shared/avatar";
import type { PresenceKind } from "@shared/presence";
import { useClient, useName } from "../core/context";
import { changes, photoOf } from "../core/photos";
import { useStore } from "../core/store";

export function Face({ address, kind, size }: { address: string; kind?: PresenceKind | undefined; size?: "small" | "large" }) {
  const client = useClient();
  const name = useName(address);
  const [photo, setPhoto] = useState<string>();
  const change = useStore(changes, (count) => count);
  useEffect(() => {
    let here = true;
    void photoOf(client.session.api, address).then((url) => here && setPhoto(url));
    return () => {
      here = false;
    };
  }, [client, address, change]);
  return <Avatar name={name} photo={photo} presence={kind} size={size} />;
}
