/** One conversation: who with, what was said, who types, and the place to write. */
import { Fragment, useEffect, useLayoutEffect, useRef, useState } from "react";
import { announce } from "@shared/announce";
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { Loading, ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { useClient, useFault } from "../core/context";
import type { Chat, ChatMessage } from "../core/chats";
import { shownText } from "../core/files";
import { href } from "../core/route";
import { useStore } from "../core/store";
import { GroupFace, useChatName } from "../pages/chats";
import { CallButtons } from "./calls/call-buttons";
import { Composer } from "./composer";
import { DropFrame } from "./drop-frame";
import { Face } from "./face";
import { Uploads } from "./file-card";
import { Message } from "./message";
import { useStatus } from "./status-line";

export function Conversation({ chatKey, onInvite }: { chatKey: string; onInvite(members: string[]): void }) {
  const { t } = useWords();
  const client = useClient();
  const chat = useStore(client.chats.state, (s) => s.chats.get(chatKey));
  const ready = useStore(client.chats.state, (s) => s.phase !== "loading");
  useEffect(() => {
    void client.openChat(chatKey);
    return () => client.chats.open(undefined);
    // The list may come after the page: then the history of what was opened is read.
  }, [client, chatKey, ready, chat?.id]);
  if (!chat) return <Loading what={t("chat.history.loading")} />;
  return (
    <DropFrame chat={chat}>
      <Head chat={chat} onInvite={onInvite} />
      <Messages chat={chat} />
      <Foot chat={chat} />
    </DropFrame>
  );
}

function Head({ chat, onInvite }: { chat: Chat; onInvite(members: string[]): void }) {
  const { t } = useWords();
  const name = useChatName(chat);
  return (
    <header className="pane-head">
      <a className="button quiet icon-only back" href={href("chats")} aria-label={t("chats.back")}>
        <Icon name="back" />
      </a>
      {chat.uri ? (
        <>
          <GroupFace />
          <div className="grow">
            <h1 className="ellipsis">{name}</h1>
            <p className="small soft ellipsis">{t("chats.group", { count: chat.with.length + 1 })}</p>
          </div>
        </>
      ) : (
        <PersonHead address={chat.with[0] ?? chat.key} name={name} />
      )}
      {!chat.uri && <CallButtons target={chat.with[0] ?? chat.key} name={name} />}
      <Button kind="quiet" icon="plus" label={t("chats.invite")} onClick={() => onInvite([...chat.with])} />
    </header>
  );
}

function PersonHead({ address, name }: { address: string; name: string }) {
  const { t } = useWords();
  const client = useClient();
  const { kind, words, note, view } = useStatus(address);
  useEffect(() => {
    if (!view) client.ask(address);
  }, [client, address, view]);
  return (
    <a className="person-head grow" href={href("people", address)} title={t("chats.person", { name })}>
      <Face address={address} kind={kind} />
      <span className="grow">
        <h1 className="ellipsis">{name}</h1>
        <span className="small soft ellipsis block">
          {words}
          {note && ` – ${note}`}
        </span>
      </span>
    </a>
  );
}

/** How close to the end still counts as at the end. */
const NEAR_PX = 48;

function Messages({ chat }: { chat: Chat }) {
  const { t, day } = useWords();
  const name = useChatName(chat);
  const client = useClient();
  const fault = useFault();
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const [missed, setMissed] = useState(false);
  const newest = chat.messages[chat.messages.length - 1];
  const oldest = chat.messages[0];
  const height = useRef(0);
  useHeard(chat);

  // Stays at the end while one is there; keeps the place when older messages come in above.
  useLayoutEffect(() => {
    const list = box.current;
    if (!list) return;
    if (atEnd || newest?.from === client.address) list.scrollTop = list.scrollHeight;
    else setMissed(true);
  }, [newest?.id]);
  useLayoutEffect(() => {
    const list = box.current;
    if (!list) return;
    if (!atEnd) list.scrollTop += list.scrollHeight - height.current;
    else list.scrollTop = list.scrollHeight;
    height.current = list.scrollHeight;
  }, [oldest?.id]);

  const onScroll = () => {
    const list = box.current;
    if (!list) return;
    height.current = list.scrollHeight;
    const end = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_PX;
    setAtEnd(end);
    if (end) setMissed(false);
  };
  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };

  return (
    <div className="messages-frame">
      <div className="messages" ref={box} onScroll={onScroll} tabIndex={0} role="region" aria-label={t("chats.with", { name })}>
        {chat.history === "loading" && <Loading what={t("chat.history.loading")} rows={2} />}
        {chat.history === "failed" && chat.problem && <ProblemBox fault={fault(chat.problem)} again={() => void client.openChat(chat.key)} page={(code) => href("help", `error/${code}`)} />}
        {chat.history === "part" && (
          <p className="centre">
            <Button onClick={() => void client.older(chat.key)}>{t("chat.history.more")}</Button>
          </p>
        )}
        {chat.messages.length === 0 && chat.history !== "loading" && chat.history !== "failed" && <p className="state soft">{t("chat.empty")}</p>}
        <ol>
          {chat.messages.map((message, index) => (
            <Fragment key={message.id}>
              {newDay(chat.messages[index - 1], message) && (
                <li className="day" key={`day-${message.id}`}>
                  <span>{day(message.at)}</span>
                </li>
              )}
              <Message chat={chat} message={message} follows={follows(chat.messages[index - 1], message)} />
            </Fragment>
          ))}
        </ol>
      </div>
      {missed && (
        <Button className="to-newest" kind="primary" onClick={toEnd}>
          {t("chat.to-newest")}
        </Button>
      )}
    </div>
  );
}

/** Screen readers hear what comes in while one looks; what comes elsewhere is said by the workspace. */
function useHeard(chat: Chat): void {
  const { t } = useWords();
  const client = useClient();
  const newest = chat.messages[chat.messages.length - 1];
  const [opened] = useState(Date.now);
  useEffect(() => {
    if (newest?.mark === "received" && newest.at >= opened - 1000 && client.looking()) announce(t("chat.heard", { name: client.nameOf(newest.from), text: shownText(newest.text) }));
  }, [newest?.id]);
}

const GROUP_MS = 5 * 60_000;
const newDay = (before: ChatMessage | undefined, now: ChatMessage) => !before || new Date(before.at).toDateString() !== new Date(now.at).toDateString();
const follows = (before: ChatMessage | undefined, now: ChatMessage) => before !== undefined && before.from === now.from && now.at - before.at < GROUP_MS && !newDay(before, now);

function Foot({ chat }: { chat: Chat }) {
  const { t } = useWords();
  const client = useClient();
  const name = useChatName(chat);
  const typing = [...chat.typing.keys()];
  return (
    <footer className="conversation-foot">
      <p className="typing small soft" aria-live="polite">
        {typing.length === 1 ? t("chat.typing", { name: client.nameOf(typing[0] ?? "") }) : typing.length > 1 ? t("chat.typing.many", { count: typing.length }) : ""}
      </p>
      {!chat.uri && <Advice address={chat.with[0] ?? chat.key} name={name} />}
      {!chat.uri && <Uploads to={chat.with[0] ?? chat.key} chatKey={chat.key} />}
      <Composer chat={chat} name={name} />
    </footer>
  );
}

function Advice({ address, name }: { address: string; name: string }) {
  const { t } = useWords();
  const { kind } = useStatus(address);
  if (kind !== "dnd" && kind !== "offline") return null;
  return <p className="small soft advice">{t(kind === "dnd" ? "chat.dnd" : "chat.offline", { name })}</p>;
}
