/** The signed-in page: rail, area, and what is everywhere: own state, search, the connection's banner. */
import { useEffect, useState } from "react";
import { Announcer, announce } from "@shared/announce";
import { Icon, type IconName } from "@shared/icon";
import { useWords } from "@shared/text";
import { watchActivity } from "./core/activity";
import { PageStudio } from "./calls/studio";
import { unseen } from "./calls/log";
import { Client } from "./core/client";
import { ClientContext, useClient } from "./core/context";
import { kindOf } from "./core/presence";
import * as notify from "./core/notify";
import { shownText } from "./core/files";
import { forget as forgetPhotos } from "./core/photos";
import { go, href, useRoute, type Area } from "./core/route";
import type { Session } from "./core/session";
import { settings } from "./core/settings";
import { useStore } from "./core/store";
import { CallsPage } from "./pages/calls";
import { Chats } from "./pages/chats";
import { Help } from "./pages/help";
import { People } from "./pages/people";
import { SettingsPage } from "./pages/settings";
import { Banners } from "./parts/banners";
import { CallBars, useOpensForPictures } from "./parts/calls/call-bar";
import { IncomingCalls } from "./parts/calls/incoming";
import { forgetDrafts } from "./parts/composer";
import { OwnStateMenu } from "./parts/own-state";
import { Palette } from "./parts/palette";

const connect: ConstructorParameters<typeof Client>[1] = async (options) => (await import("./sip/jssip-link")).connect(options);

export default function Workspace({ session }: { session: Session }) {
  const [client, setClient] = useState<Client>();
  useEffect(() => {
    const made = new Client(session, connect, new PageStudio());
    made.looking = () => document.visibilityState === "visible" && document.hasFocus();
    setClient(made);
    void made.start();
    const stopActivity = watchActivity((idle) => void session.api.reportActivity(session.device, idle).catch(() => undefined));
    const looked = () => made.readOpen();
    addEventListener("focus", looked);
    document.addEventListener("visibilitychange", looked);
    const online = () => (made.retry(), made.calls.networkChanged());
    addEventListener("online", online);
    return () => {
      stopActivity();
      removeEventListener("focus", looked);
      document.removeEventListener("visibilitychange", looked);
      removeEventListener("online", online);
      made.stop();
      forgetDrafts();
      forgetPhotos();
    };
  }, [session]);
  if (!client) return null;
  return (
    <ClientContext value={client}>
      <Frame />
    </ClientContext>
  );
}

function Frame() {
  const { t } = useWords();
  const route = useRoute();
  const [finding, setFinding] = useState(false);
  useKnocks();
  useRings();
  useTitle();
  useOpensForPictures();

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setFinding(true);
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  return (
    <div className="frame" data-inside={route.of !== undefined}>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>
        {t("skip")}
      </a>
      <IncomingCalls />
      <div className="top">
        <Banners />
        <CallBars />
      </div>
      <nav className="rail" aria-label={t("rail.label")}>
        <RailButton area="chats" icon="chat" />
        <RailButton area="people" icon="people" />
        <RailButton area="calls" icon="phone" />
        <button type="button" className="rail-item" onClick={() => setFinding(true)} aria-keyshortcuts="Control+K Meta+K">
          <Icon name="search" />
          <span>{t("find.open")}</span>
        </button>
        <span className="rail-gap" />
        <RailButton area="help" icon="help" />
        <RailButton area="settings" icon="settings" />
        <OwnStateMenu />
      </nav>
      <main id="main" tabIndex={-1}>
        {route.area === "chats" && <Chats chosen={route.of} />}
        {route.area === "people" && <People chosen={route.of} />}
        {route.area === "calls" && <CallsPage chosen={route.of} />}
        {route.area === "settings" && <SettingsPage />}
        {route.area === "help" && <Help of={route.of} />}
      </main>
      {finding && <Palette onClose={() => setFinding(false)} />}
      <Announcer />
    </div>
  );
}

function RailButton({ area, icon }: { area: Area; icon: IconName }) {
  const { t } = useWords();
  const client = useClient();
  const chats = useStore(client.chats.state, (s) => s.chats);
  const watchers = useStore(client.contacts.state, (s) => s.list.pending_watchers);
  const missed = useStore(client.log.state, unseen);
  const current = useRoute().area === area;
  const count = area === "chats" ? [...chats.values()].filter((c) => c.unread > 0).length : area === "people" ? (watchers?.length ?? 0) : area === "calls" ? missed : 0;
  return (
    <a className={`rail-item ${area}`} href={href(area)} aria-current={current ? "page" : undefined}>
      <Icon name={icon} />
      <span>{t(`rail.${area}`)}</span>
      {count > 0 && (
        <>
          <span className="count" aria-hidden="true">{count}</span>
          <span className="unseen">{t(area === "calls" ? "rail.missed" : "rail.unread", { count })}</span>
        </>
      )}
    </a>
  );
}

/** What came while nobody looked: heard once, and shown on the desktop unless one does not want to be disturbed. */
function useKnocks(): void {
  const { t } = useWords();
  const client = useClient();
  useEffect(() => {
    client.onKnock = ({ chat, from, id, text: written }) => {
      const text = shownText(written);
      const name = client.nameOf(from);
      announce(t("chat.heard", { name, text }));
      const own = client.presence.state.get().of.get(client.address);
      const { notify: wanted, notifyText } = settings.get();
      if (wanted && kindOf(own) !== "dnd") notify.show(name, notifyText ? text.slice(0, 200) : "", id, () => go("chats", chat.key));
    };
  }, [client, t]);
}

/** Who calls, on the desktop too, where nobody looks at the page. */
function useRings(): void {
  const { t } = useWords();
  const client = useClient();
  useEffect(() => {
    client.onRing = (call) => {
      const own = client.presence.state.get().of.get(client.address);
      if (client.looking() || !settings.get().notify || kindOf(own) === "dnd") return;
      const shown = notify.show(t("call.incoming.from", { name: client.nameOf(call.with) }), "", `call-${call.id}`, () => undefined);
      const stop = client.calls.state.subscribe(() => {
        if (client.calls.get(call.id)?.phase === "incoming") return;
        shown?.close();
        stop();
      });
    };
  }, [client, t]);
}

function useTitle(): void {
  const { t } = useWords();
  const chats = useStore(useClient().chats.state, (s) => s.chats);
  const count = [...chats.values()].reduce((sum, chat) => sum + chat.unread, 0);
  useEffect(() => {
    document.title = count > 0 ? t("app.title-unread", { count }) : "Lyceum";
  }, [count, t]);
}
