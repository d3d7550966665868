/** Where one writes: Enter sends, Shift-Enter begins a line. What is not sent yet stays with its conversation. */
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { Button } from "@shared/button";
import { useWords } from "@shared/text";
import { useClient } from "../core/context";
import type { Chat } from "../core/chats";

/** Unsent texts, for as long as the page lives. */
const drafts = new Map<string, string>();
/** Somebody else signs in: nothing of the first one's stays. */
export const forgetDrafts = (): void => drafts.clear();

/** Lync's bound for messages of clients, unless the policy says less. */
const USUAL_KIB = 128;
/** Left for the envelope. */
const ENVELOPE_BYTES = 4096;

export function Composer({ chat, name }: { chat: Chat; name: string }) {
  const { t, bytes } = useWords();
  const client = useClient();
  const [text, setText] = useState(drafts.get(chat.key) ?? "");
  const box = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const most = bound(client.me.policies);
  const over = new TextEncoder().encode(text).length - most;

  useEffect(() => {
    // On a phone the keyboard would cover what one came to read.
    if (matchMedia("(min-width: 721px)").matches) box.current?.focus();
  }, [chat.key]);
  useEffect(() => {
    if (text === "") drafts.delete(chat.key);
    else drafts.set(chat.key, text);
    const area = box.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, 160)}px`;
  }, [text, chat.key]);

  const send = () => {
    if (over > 0 || text.trim() === "") return;
    client.send(chat.key, text);
    setText("");
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const label = t("chat.write", { name });
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {!chat.uri && client.files.allowed() && (
        <>
          <Button kind="quiet" icon="clip" label={t("file.send")} onClick={() => picker.current?.click()} />
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            onChange={(event) => {
              const files = [...(event.target.files ?? [])];
              event.target.value = "";
              void client.sendFiles(chat.key, files, bytes);
            }}
          />
        </>
      )}
      <textarea
        ref={box}
        className="input"
        rows={1}
        aria-label={label}
        placeholder={t("chat.write.here")}
        value={text}
        aria-invalid={over > 0 || undefined}
        onKeyDown={onKey}
        onPaste={(event) => {
          const files = [...event.clipboardData.files];
          // A copied table brings a picture of itself along: its text is what was meant.
          if (files.length === 0 || chat.uri || !client.files.allowed() || event.clipboardData.types.includes("text/plain")) return;
          event.preventDefault();
          void client.sendFiles(chat.key, files, bytes);
        }}
        onChange={(event) => {
          setText(event.target.value);
          if (event.target.value.trim() !== "") client.compose(chat.key);
        }}
      />
      <Button kind="primary" type="submit" icon="send" label={t("chat.send")} disabled={over > 0 || text.trim() === ""} />
      {over > 0 && (
        <p className="fault small" role="alert">
          {t("chat.long", { count: over })}
        </p>
      )}
    </form>
  );
}

function bound(policies: Record<string, unknown>): number {
  const message = policies.message as { max_body_kib?: number } | undefined;
  return (message?.max_body_kib ?? USUAL_KIB) * 1024 - ENVELOPE_BYTES;
}
