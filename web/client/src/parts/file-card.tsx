/** A file in a conversation: what it is, how far it got, and what one may do with it. */
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import type { FileItem } from "../api/types";
import { useAttempt, useClient, useFault } from "../core/context";
import { href } from "../core/route";
import { useStore } from "../core/store";

export function FileCard({ id, from, text }: { id: string; from: string; text: string }) {
  const { t, bytes, when } = useWords();
  const client = useClient();
  const fault = useFault();
  const asked = useStore(client.files.state, (s) => s.asked);
  const known = useStore(client.files.state, (s) => s.known.get(id));
  // Who did not send it cannot speak of it.
  const item = known?.from === from ? known : undefined;
  const { attempt, problem, busy, dismiss } = useAttempt();
  const mine = item?.from === client.address;
  const open = item && (item.state === "offered" || item.state === "fetched");
  const state = item ? t(`file.state.${mine ? "mine" : "theirs"}.${item.state}`, { when: when(Date.parse(item.expires)) }) : asked ? t("file.gone") : "";
  return (
    <span className="file-card" data-file={id} data-state={item?.state ?? "unknown"}>
      <Icon name="file" />
      <span className="grow">
        <span className="block name">{item?.name ?? text}</span>
        <span className="small soft block">
          {item && `${bytes(item.size)} · `}
          {state}
        </span>
      </span>
      {open && (
        <span className="row">
          {!mine && (
            <Button kind="primary" disabled={busy} onClick={() => void attempt(async () => keep(item, await client.files.fetch(item)))}>
              {t(busy ? "file.saving" : "file.save")}
            </Button>
          )}
          {item.state === "offered" && (
            <Button disabled={busy} onClick={() => void attempt(() => client.files.decline(id))}>
              {t(mine ? "file.withdraw" : "file.decline")}
            </Button>
          )}
        </span>
      )}
      {problem && <ProblemBox fault={fault(problem)} dismiss={dismiss} page={(code) => href("help", `error/${code}`)} />}
    </span>
  );
}

/** Gives the content to the browser, which keeps it where it keeps downloads. */
function keep(item: FileItem, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = item.name;
  link.click();
  // The browser has begun by then; a page that stays open all day must not hold every file.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Files on their way to the server, and those it did not take. */
export function Uploads({ to, chatKey }: { to: string; chatKey: string }) {
  const { t, bytes } = useWords();
  const client = useClient();
  const fault = useFault();
  const all = useStore(client.files.state, (s) => s.uploads);
  const uploads = all.filter((upload) => upload.to === to);
  if (uploads.length === 0) return null;
  return (
    <ul className="uploads">
      {uploads.map(({ id, name, size, sent, problem }) => (
        <li key={id} className="upload">
          <Icon name={problem ? "warning" : "file"} />
          <span className="grow">
            <span className="block ellipsis">{t("file.upload", { name, size: bytes(size) })}</span>
            {problem ? <RefusedUpload fault={fault(problem)} /> : <progress max={Math.max(size, 1)} value={sent} aria-label={t("file.progress", { name })} />}
            {!problem && sent >= size && <span className="small soft block">{t("file.checking")}</span>}
          </span>
          {problem && (problem.status === 0 || problem.status >= 500) && <Button onClick={() => void client.fileAgain(chatKey, id, bytes)}>{t("shared.again")}</Button>}
          <Button kind="quiet" icon="close" label={t(problem ? "file.dismiss" : "file.cancel", { name })} onClick={() => client.files.drop(id)} />
        </li>
      ))}
    </ul>
  );
}

function RefusedUpload({ fault }: { fault: { what: string; fix: string } }) {
  return (
    <span className="fault small block" role="alert">
      {fault.what} {fault.fix}
    </span>
  );
}
