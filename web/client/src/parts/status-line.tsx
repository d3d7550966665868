/** A person's state in words, and their note: beside the shape, always. */
import { useWords } from "@shared/text";
import { useClient, useMinute, useView } from "../core/context";
import { kindOf, wordOf } from "../core/presence";
import { useStore } from "../core/store";

export function useStatus(address: string) {
  const { t, ago, time } = useWords();
  const client = useClient();
  const view = useView(address);
  const stale = useStore(client.presence.state, (s) => s.staleSince);
  const now = useMinute();
  const kind = kindOf(view);
  const parts = [view?.label && kind !== "offline" && kind !== "unknown" ? view.label : t(wordOf(view))];
  const seen = view?.last_active ? Date.parse(view.last_active) : NaN;
  if ((kind === "offline" || kind === "away") && !Number.isNaN(seen)) parts.push(t("presence.seen", { ago: ago(seen, now) }));
  if (stale !== undefined && kind !== "unknown") parts.push(t("presence.as-of", { time: time(stale) }));
  return { kind, words: parts.join(" · "), note: view?.out_of_office || view?.note || undefined, view };
}

export function StatusLine({ address }: { address: string }) {
  const { words, note } = useStatus(address);
  return (
    <span className="small soft ellipsis status-line">
      {words}
      {note && ` – ${note}`}
    </span>
  );
}
