/** Begins a conversation: with one person it is theirs, with more a new one that has a subject. */
import { useState } from "react";
import { Button } from "@shared/button";
import { Dialog } from "@shared/dialog";
import { Field } from "@shared/field";
import { Icon } from "@shared/icon";
import { moveInList } from "@shared/list";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { useAttempt, useClient, useFault } from "../core/context";
import { useFind } from "../core/find";
import { useStore } from "../core/store";
import { Face } from "./face";
import { SearchBox } from "./search-box";
import { StatusLine, useStatus } from "./status-line";

export interface NewConversationProps {
  /** Who is in already, when one invites into a conversation. */
  first: string[];
  onClose(): void;
  onDone(key: string): void;
}

export function NewConversation({ first, onClose, onDone }: NewConversationProps) {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const [members, setMembers] = useState(first);
  const [q, setQ] = useState("");
  const [subject, setSubject] = useState("");
  const found = useFind(q);
  const contacts = useStore(client.contacts.state, (s) => s.list.contacts);
  const { attempt, problem, busy } = useAttempt();
  const offered = (q.trim() === "" ? contacts.map((c) => c.address) : found.people.map((p) => p.address)).filter((a) => !members.includes(a)).slice(0, 50);
  const start = async () => {
    const [only, another] = members;
    if (only !== undefined && another === undefined) return onDone(only);
    await attempt(async () => onDone(await client.startGroup(members, subject.trim() || undefined)));
  };
  return (
    <Dialog title={t("chats.new.title")} onClose={onClose}>
      {problem && <ProblemBox fault={fault(problem)} />}
      <ul className="chips">
        {members.map((address) => (
          <li key={address}>
            <button type="button" className="chip" aria-label={`${t("people.remove")}: ${client.nameOf(address)}`} onClick={() => setMembers(members.filter((m) => m !== address))}>
              {client.nameOf(address)} <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
      <SearchBox value={q} onChange={setQ} label={t("chats.new.who")} />
      <ul className="offered" onKeyDown={(event) => moveInList(event)}>
        {offered.map((address) => (
          <Offer key={address} address={address} onAdd={() => (setMembers([...members, address]), setQ(""))} />
        ))}
      </ul>
      {members.length > 1 && <Field label={t("chats.new.subject")} hint={t("chats.new.optional")} value={subject} maxLength={200} onChange={(e) => setSubject(e.target.value)} />}
      <footer>
        {members.length === 0 && <span className="small soft grow">{t("chats.new.none")}</span>}
        <Button onClick={onClose}>{t("shared.cancel")}</Button>
        <Button kind="primary" disabled={busy || members.length === 0} onClick={() => void start()}>
          {t("chats.new.start")}
        </Button>
      </footer>
    </Dialog>
  );
}

function Offer({ address, onAdd }: { address: string; onAdd(): void }) {
  const client = useClient();
  const { kind } = useStatus(address);
  return (
    <li>
      <button type="button" data-row className="list-row" onClick={onAdd}>
        <Face address={address} kind={kind} size="small" />
        <span className="grow">
          <span className="ellipsis block">{client.nameOf(address)}</span>
          <StatusLine address={address} />
        </span>
        <Icon name="plus" />
      </button>
    </li>
  );
}
