/** One message with its time and mark. */
import type { ReactNode } from "react";
import { Button } from "@shared/button";
import { useWords } from "@shared/text";
import { useClient } from "../core/context";
import { fileOf, shownText } from "../core/files";
import type { Chat, ChatMessage } from "../core/chats";
import { FileCard } from "./file-card";

export function Message({ chat, message, follows }: { chat: Chat; message: ChatMessage; follows: boolean }) {
  const { t, time } = useWords();
  const client = useClient();
  const mine = message.from === client.address;
  const file = fileOf(message.text);
  return (
    <li className={`message ${mine ? "mine" : ""} ${follows ? "follows" : ""}`} data-id={message.id}>
      {!mine && !follows && chat.uri && <span className="small soft author">{client.nameOf(message.from)}</span>}
      <div className={`bubble ${message.mark}`}>
        <span className="unseen">{mine ? "" : `${client.nameOf(message.from)}: `}</span>
        {file ? <FileCard id={file} from={message.from} text={shownText(message.text)} /> : <span className="text">{linked(message.text)}</span>}
        <span className="meta small">
          <time className="figures" dateTime={new Date(message.at).toISOString()}>
            {time(message.at)}
          </time>
          {mine && <MarkView chat={chat} message={message} />}
        </span>
      </div>
      {message.mark === "failed" && (
        <p className="failed small">
          {t("chat.failed", { reason: message.reason ?? "" })} <Button onClick={() => client.again(chat.key, message.id)}>{t("chat.again")}</Button>
        </p>
      )}
    </li>
  );
}

const SHAPES: Record<string, string> = {
  waiting: "M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zM7 4.500V7l1.750 1",
  sending: "M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zM7 4.500V7l1.750 1",
  sent: "M3 7.500l2.750 2.750L11 4.500",
  delivered: "M1.500 7.500l2.750 2.750L9 4.500M6.750 9.500l.750.750L12.500 4.500",
  read: "M1.500 7.500l2.750 2.750L9 4.500M6.750 9.500l.750.750L12.500 4.500",
  failed: "M7 3v5M7 10.250v.250",
};

function MarkView({ chat, message }: { chat: Chat; message: ChatMessage }) {
  const { t } = useWords();
  const some = chat.with.length > 1 && message.read.length > 0 && message.mark !== "read";
  const word = some ? t("mark.read-by", { count: message.read.length, all: chat.with.length }) : t(`mark.${message.mark}`);
  return (
    <span className={`mark-${message.mark} mark`} title={word}>
      <svg viewBox="0 0 14 14" width="14" height="14" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.500" strokeLinecap="round" strokeLinejoin="round">
        <path d={SHAPES[message.mark] ?? SHAPES.sent} />
      </svg>
      <span className={message.mark === "read" || some ? "" : "unseen"}>{word}</span>
    </span>
  );
}

/** Web addresses become links; nothing else of a text is more than text. */
function linked(text: string): ReactNode[] {
  return text.split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/g).map((part, index) =>
    index % 2 === 1 ? (
      <a key={index} href={part} target="_blank" rel="noopener noreferrer">
        {part}
      </a>
    ) : (
      part
    ),
  );
}
