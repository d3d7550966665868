/** What concerns the whole page: the connection, and the one question about notifications. */
import { useEffect, useState } from "react";
import { announce } from "@shared/announce";
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { useWords } from "@shared/text";
import { useClient, useFault } from "../core/context";
import * as notify from "../core/notify";
import { href } from "../core/route";
import { change, settings } from "../core/settings";
import { useStore } from "../core/store";

/** A break shorter than this is nobody's concern. */
const QUIET_MS = 1200;

export function Banners() {
  const { t } = useWords();
  return (
    <aside className="banners" aria-label={t("app.notices")}>
      <LinkBanner />
      <NotifyBanner />
    </aside>
  );
}

function LinkBanner() {
  const { t, time, duration } = useWords();
  const client = useClient();
  const fault = useFault();
  const link = useStore(client.link, (s) => s);
  const late = useLate(link.phase === "online" ? 0 : link.since);
  const lost = link.phase === "offline" && late;
  const restored = link.restoredAfter !== undefined && link.restoredAfter >= QUIET_MS ? t("link.restored", { duration: duration(link.restoredAfter) }) : "";
  useEffect(() => {
    if (lost) announce(t("link.offline", { time: time(link.since) }));
    // Said when it happens, not again with every word that changes.
    // eslint-disable-next-line
  }, [lost]);
  useEffect(() => {
    if (restored) announce(restored);
  }, [restored]);

  if (link.phase === "refused" && link.problem) {
    const { what, fix, code } = fault(link.problem);
    return (
      <div className="banner bad" role="alert">
        <Icon name="warning" />
        <span className="grow">
          <strong>{what}</strong> {fix} <a href={href("help", `error/${code}`)}>{code}</a>
        </span>
        <Button onClick={client.retry}>{t("link.retry")}</Button>
      </div>
    );
  }
  if (lost) {
    return (
      <div className="banner warn">
        <Icon name="offline" />
        <span className="grow">{t("link.offline", { time: time(link.since) })}</span>
        <Button onClick={client.retry}>{t("link.retry")}</Button>
      </div>
    );
  }
  if (link.phase === "connecting" && late) {
    return (
      <div className="banner">
        <Icon name="offline" />
        <span className="grow">{t("link.connecting")}</span>
      </div>
    );
  }
  if (restored) {
    return (
      <div className="banner good">
        <Icon name="check" />
        <span className="grow">{restored}</span>
        <Button kind="quiet" icon="close" label={t("shared.dismiss")} onClick={client.restoredSeen} />
      </div>
    );
  }
  return null;
}

function useLate(since: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (since === 0) return;
    const timer = setTimeout(() => setLate(true), Math.max(0, QUIET_MS - (Date.now() - since)));
    return () => clearTimeout(timer);
  }, [since]);
  return late;
}

const ASKED = "lyceum.asked-notify";

/** Asked once, after the first conversation is there; the settings have it for later. */
function NotifyBanner() {
  const { t } = useWords();
  const client = useClient();
  const some = useStore(client.chats.state, (s) => s.chats.size > 0);
  const wanted = useStore(settings, (s) => s.notify);
  const [open, setOpen] = useState(() => notify.permission() === "default" && !localStorage.getItem(ASKED));
  if (!open || !some || !wanted) return null;
  const done = (notifyOn: boolean) => {
    localStorage.setItem(ASKED, "1");
    setOpen(false);
    change({ notify: notifyOn });
  };
  return (
    <div className="banner">
      <Icon name="bell" />
      <span className="grow">{t("notify.ask")}</span>
      <Button onClick={() => void notify.ask().then(() => done(true))}>{t("notify.allow")}</Button>
      <Button kind="quiet" onClick={() => done(true)}>{t("notify.later")}</Button>
    </div>
  );
}
