/** Calls somebody: with sound, or with a picture too. */
import { Button } from "@shared/button";
import { useWords } from "@shared/text";
import { useCalls, usePlace } from "../../calls/hooks";
import { isLive } from "../../calls/state";
import { useClient } from "../../core/context";
import { useStore } from "../../core/store";

export function CallButtons({ target, name, words = false, video = true }: { target: string; name: string; words?: boolean; video?: boolean }) {
  const { t } = useWords();
  const place = usePlace();
  const online = useStore(useClient().link, (link) => link.phase === "online");
  const there = useCalls().some((call) => isLive(call) && call.with === target);
  const common = { disabled: !online || there };
  if (words) {
    return (
      <>
        <Button icon="phone" {...common} onClick={() => place(target)}>
          {t("call.call")}
        </Button>
        {video && (
          <Button icon="camera" {...common} onClick={() => place(target, true)}>
            {t("call.video")}
          </Button>
        )}
      </>
    );
  }
  return (
    <>
      <Button kind="quiet" icon="phone" label={t("call.call-named", { name })} {...common} onClick={() => place(target)} />
      {video && <Button kind="quiet" icon="camera" label={t("call.video-named", { name })} {...common} onClick={() => place(target, true)} />}
    </>
  );
}
