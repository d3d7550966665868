/** A conversation on which files can be dropped. */
import { useState, type DragEvent, type ReactNode } from "react";
import { useWords } from "@shared/text";
import type { Chat } from "../core/chats";
import { useClient } from "../core/context";
import { useChatName } from "../pages/chats";

export function DropFrame({ chat, children }: { chat: Chat; children: ReactNode }) {
  const { t, bytes } = useWords();
  const client = useClient();
  const name = useChatName(chat);
  // Entering a child leaves its parent: counted, the frame is left when all are.
  const [inside, setInside] = useState(0);
  const brings = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  const takes = !chat.uri && client.files.allowed();
  return (
    <article
      className="conversation"
      onDragEnter={(event) => brings(event) && setInside((count) => count + 1)}
      onDragLeave={(event) => brings(event) && setInside((count) => Math.max(count - 1, 0))}
      onDragOver={(event) => {
        if (!brings(event)) return;
        // Else the browser would leave the page and show the file.
        event.preventDefault();
        event.dataTransfer.dropEffect = takes ? "copy" : "none";
      }}
      onDrop={(event) => {
        if (!brings(event)) return;
        event.preventDefault();
        setInside(0);
        if (takes) void client.sendFiles(chat.key, [...event.dataTransfer.files], bytes);
      }}
    >
      {children}
      {inside > 0 && <p className="drop-here">{takes ? t("file.drop", { name }) : t(chat.uri ? "file.drop.group" : "error.file-not-allowed.what")}</p>}
    </article>
  );
}
