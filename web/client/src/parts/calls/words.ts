/** How a call is told in words. */
import { useEffect } from "react";
import { useWords } from "@shared/text";
import { useClient, useName } from "../../core/context";
import { useStore } from "../../core/store";
import { useStatus } from "../status-line";
import { clock, useSeconds } from "../../calls/hooks";
import type { Call } from "../../calls/state";

/** Who is at the other end: a name one gave, their own, what the call says, or the number. */
export function usePartner(address: string, said?: string | undefined): string {
  const client = useClient();
  const name = useName(address);
  const people = useStore(client.people, (all) => all);
  if (name !== address) return name;
  const digits = digitsOf(address);
  const found = digits.length > 4 ? [...people.values()].find((person) => person.numbers?.some((number) => digitsOf(number) === digits)) : undefined;
  return found?.display_name || said || shown(address);
}

/** The state of somebody on the screen, asked for when nobody watches it; the answer brings their name. */
export function useKnown(address: string): ReturnType<typeof useStatus> {
  const client = useClient();
  const status = useStatus(address);
  const person = address.includes("@") && shown(address) === address;
  useEffect(() => {
    if (!status.view && person) client.ask(address);
  }, [client, address, person, status.view]);
  return status;
}

const digitsOf = (text: string): string => (/^(tel:)?\+?\d+(@|$)/.test(text) ? text.replace(/@.*/, "").replace(/\D/g, "") : "");

/** A number without the domain it was called in; an address whole. */
export const shown = (address: string): string => (/^\+?[\d*#]+@/.test(address) ? address.replace(/@.*/, "") : address.replace(/^tel:/, ""));

/** What goes on, in one line. */
export function useCallWords(call: Call): string {
  const { t } = useWords();
  const seconds = useSeconds(call);
  const consulting = useName(call.transfer?.to ?? "");
  if (call.phase === "ended") return call.ending ? `${t(`call.ended.${call.ending.how}`)}${call.answeredAt === undefined ? "" : ` · ${clock(seconds)}`}` : "";
  if (call.phase !== "talking") return t(`call.${call.phase}`);
  const time = clock(seconds);
  if (call.transfer && call.transfer.state !== "failed") return t("call.transferring", { name: shown(consulting) });
  if (call.media === "lost") return `${t("call.media.lost")} · ${time}`;
  if (call.media === "restoring") return `${t("call.media.restoring")} · ${time}`;
  if (call.heldHere && call.heldThere) return `${t("call.held.both")} · ${time}`;
  if (call.heldHere) return `${t("call.held.here")} · ${time}`;
  if (call.heldThere) return `${t("call.held.there")} · ${time}`;
  return time;
}
