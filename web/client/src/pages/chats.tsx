/** Chats: the list of conversations, and the one that is open. */
import { useState } from "react";
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { moveInList } from "@shared/list";
import { Empty, Loading, ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { useClient, useFault, useMinute } from "../core/context";
import type { Chat } from "../core/chats";
import { shownText } from "../core/files";
import { go, href } from "../core/route";
import { useStore } from "../core/store";
import { Conversation } from "../parts/conversation";
import { Face } from "../parts/face";
import { NewConversation } from "../parts/new-conversation";
import { useStatus } from "../parts/status-line";

export function Chats({ chosen }: { chosen: string | undefined }) {
  const { t } = useWords();
  const [starting, setStarting] = useState<string[]>();
  const opening = chosen === "new" ? (starting ?? []) : starting;
  const close = () => {
    setStarting(undefined);
    if (chosen === "new") go("chats");
  };
  return (
    <>
      <section className="pane list-pane">
        <header className="pane-head">
          <h1 className="grow">{t("chats.title")}</h1>
          <Button kind="quiet" icon="plus" label={t("chats.new")} onClick={() => setStarting([])} />
        </header>
        <div className="scroll" onKeyDown={(event) => moveInList(event)}>
          <ChatList chosen={chosen} onStart={() => setStarting([])} />
        </div>
      </section>
      <section className="pane main-pane">
        {chosen === undefined || chosen === "new" ? (
          <Empty icon="chat" title={t("chats.choose.title")}>
            {t("chats.choose.text")}
          </Empty>
        ) : (
          <Conversation key={chosen} chatKey={chosen} onInvite={(members) => setStarting(members)} />
        )}
      </section>
      {opening && <NewConversation first={opening} onClose={close} onDone={(key) => (setStarting(undefined), go("chats", key))} />}
    </>
  );
}

function ChatList({ chosen, onStart }: { chosen: string | undefined; onStart(): void }) {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const { phase, problem, chats } = useStore(client.chats.state, (s) => s);
  // A person who was only looked at is no conversation yet.
  const shown = [...chats.values()].filter((chat) => chat.last || chat.id || chat.key === chosen).sort((a, b) => (b.last?.at ?? Date.now()) - (a.last?.at ?? Date.now()));
  if (phase === "loading" && shown.length === 0) return <Loading what={t("chats.loading")} />;
  if (phase === "failed" && problem && shown.length === 0) {
    return (
      <div className="pad">
        <ProblemBox fault={fault(problem)} again={client.reloadConversations} page={(code) => href("help", `error/${code}`)} />
      </div>
    );
  }
  if (shown.length === 0) {
    return (
      <Empty icon="chat" title={t("chats.empty.title")} action={<Button onClick={onStart}>{t("chats.empty.go")}</Button>}>
        {t("chats.empty.text")}
      </Empty>
    );
  }
  return (
    <>
      {problem && (
        <div className="pad">
          <ProblemBox fault={fault(problem)} again={client.reloadConversations} page={(code) => href("help", `error/${code}`)} />
        </div>
      )}
      <ul>
        {shown.map((chat) => (
          <ChatRow key={chat.key} chat={chat} current={chat.key === chosen} />
        ))}
      </ul>
    </>
  );
}

export function useChatName(chat: Chat | undefined): string {
  const client = useClient();
  useStore(client.people, (people) => people);
  useStore(client.contacts.state, (s) => s.list);
  if (!chat) return "";
  return chat.title || chat.with.map(client.nameOf).join(", ");
}

function ChatRow({ chat, current }: { chat: Chat; current: boolean }) {
  const { t, when } = useWords();
  const client = useClient();
  const name = useChatName(chat);
  useMinute();
  const typing = chat.typing.size > 0;
  const last = chat.last;
  const said = last ? shownText(last.text) : "";
  const text = !last ? "" : last.from === client.address ? t("chats.you", { text: said }) : chat.uri ? t("chats.named", { name: client.nameOf(last.from), text: said }) : said;
  return (
    <li>
      <a data-row className={`list-row ${chat.unread > 0 ? "unread" : ""}`} href={href("chats", chat.key)} aria-current={current ? "true" : undefined}>
        {chat.uri ? <GroupFace /> : <PersonFace address={chat.with[0] ?? chat.key} />}
        <span className="grow">
          <span className="row">
            <span className="grow ellipsis">{name}</span>
            {last && <time className="small soft figures">{when(last.at)}</time>}
          </span>
          <span className="row">
            <span className="grow small soft ellipsis">{typing ? t("chat.typing", { name: client.nameOf([...chat.typing.keys()][0] ?? "") }) : text.slice(0, 200)}</span>
            {chat.unread > 0 && (
              <>
                <span className="count" aria-hidden="true">{chat.unread}</span>
                <span className="unseen">{t("rail.unread", { count: chat.unread })}</span>
              </>
            )}
          </span>
        </span>
      </a>
    </li>
  );
}

function PersonFace({ address }: { address: string }) {
  const { kind, words } = useStatus(address);
  return (
    <>
      <Face address={address} kind={kind} />
      <span className="unseen">{words}</span>
    </>
  );
}

export function GroupFace() {
  return (
    <span className="round-icon" aria-hidden="true">
      <Icon name="group" />
    </span>
  );
}
