/** Ctrl-K: anything by name – a person, a number, a conversation, a command. */
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { Button } from "@shared/button";
import { Icon, type IconName } from "@shared/icon";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { CHOICES, type Person } from "../api/types";
import { dialled, isNumber } from "../calls/calls";
import { usePlace } from "../calls/hooks";
import { useClient, useFault } from "../core/context";
import { LEAST, matches, useFind } from "../core/find";
import { go } from "../core/route";
import { useStore } from "../core/store";
import { Face } from "./face";
import { choiceWord } from "./own-state";
import { StatusLine, useStatus } from "./status-line";
import { toggleTheme } from "./theme-button";

interface Entry {
  id: string;
  section: string;
  title: string;
  detail?: string | undefined;
  person?: Person;
  icon?: IconName;
  act(): void;
}

const MOST_OF_A_KIND = 8;
const MOST_CALLED = 3;

export function Palette({ onClose }: { onClose(): void }) {
  const { t } = useWords();
  const fault = useFault();
  const [q, setQ] = useState("");
  const [at, setAt] = useState(0);
  const found = useFind(q);
  const entries = useEntries(q, found);
  const box = useRef<HTMLDialogElement>(null);
  const list = useId();
  const chosen = entries[Math.min(at, entries.length - 1)];

  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  useEffect(() => setAt(0), [q]);
  useEffect(() => {
    if (chosen) document.getElementById(`${list}-${chosen.id}`)?.scrollIntoView({ block: "nearest" });
  }, [chosen, list]);

  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.act();
  };
  const onKey = (event: KeyboardEvent) => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (to !== undefined && entries.length > 0) {
      event.preventDefault();
      setAt((to + entries.length) % entries.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(chosen);
    }
  };

  return (
    <dialog ref={box} className="dialog palette" aria-label={t("find.label")} onCancel={(e) => { e.preventDefault(); onClose(); }} onMouseDown={(e) => e.target === box.current && onClose()}>
      <div className="palette-ask">
        <Icon name="search" />
        <input role="combobox" aria-expanded="true" aria-controls={list} aria-activedescendant={chosen ? `${list}-${chosen.id}` : undefined} aria-label={t("find.label")} placeholder={t("find.place")} autoFocus autoComplete="off" spellCheck={false} value={q} onChange={(e) => setQ(e.target.value)} onKeyDown={onKey} />
        <Button kind="quiet" icon="close" label={t("shared.close")} onClick={onClose} />
      </div>
      {found.problem && <ProblemBox fault={fault(found.problem)} />}
      <div id={list} role="listbox" aria-label={t("find.label")} className="palette-list" tabIndex={-1}>
        {entries.map((entry, index) => (
          <Option key={entry.id} id={`${list}-${entry.id}`} entry={entry} first={entries[index - 1]?.section !== entry.section} chosen={entry === chosen} onRun={() => run(entry)} />
        ))}
      </div>
      <p className="small soft palette-foot" role="status">
        {found.busy ? t("find.searching") : entries.length === 0 ? t("find.none", { q: q.trim() }) : q.trim().length < LEAST ? t("find.three") : t("find.results", { count: entries.length })}
      </p>
    </dialog>
  );
}

function Option({ id, entry, first, chosen, onRun }: { id: string; entry: Entry; first: boolean; chosen: boolean; onRun(): void }) {
  const { t } = useWords();
  return (
    <>
      {first && (
        <div className="palette-section caption" role="presentation">
          {t(entry.section)}
        </div>
      )}
      <div id={id} role="option" aria-selected={chosen} className="palette-option" onClick={onRun}>
        {entry.person ? <PersonFace person={entry.person} /> : <Icon name={entry.icon ?? "chat"} />}
        <span className="grow">
          <span className="ellipsis block">{entry.title}</span>
          {entry.person ? <StatusLine address={entry.person.address} /> : null}
        </span>
        {entry.detail && <span className="small soft figures">{entry.detail}</span>}
      </div>
    </>
  );
}

function PersonFace({ person }: { person: Person }) {
  const client = useClient();
  const { kind, view } = useStatus(person.address);
  useEffect(() => {
    if (!view) client.ask(person.address);
  }, [client, person.address, view]);
  return <Face address={person.address} kind={kind} size="small" />;
}

function useEntries(q: string, found: ReturnType<typeof useFind>): Entry[] {
  const { t } = useWords();
  const client = useClient();
  const place = usePlace();
  const chats = useStore(client.chats.state, (s) => s.chats);
  const commands = useMemo<Entry[]>(
    () => [
      ...CHOICES.map((choice): Entry => ({ id: `choice-${choice}`, section: "find.commands", icon: "settings", title: t("find.status", { word: t(choiceWord(choice)) }), act: () => void client.choose(choice).catch(() => go("settings")) })),
      { id: "new", section: "find.commands", icon: "plus", title: t("chats.new"), act: () => go("chats", "new") },
      { id: "theme", section: "find.commands", icon: "theme", title: t("own.theme"), act: toggleTheme },
      { id: "settings", section: "find.commands", icon: "settings", title: t("settings.title"), act: () => go("settings") },
      { id: "help", section: "find.commands", icon: "help", title: t("help.title"), act: () => go("help") },
      { id: "sign-out", section: "find.commands", icon: "lock", title: t("own.sign-out"), act: () => void client.session.signOut() },
    ],
    [t, client],
  );
  const asked = q.trim();
  const people = found.people.slice(0, MOST_OF_A_KIND * 2).map((person): Entry => {
    const number = person.numbers?.find((n) => /^[+\d]{3,}$/.test(asked) && n.replace(/[^\d+]/g, "").includes(asked)) ?? person.numbers?.[0];
    return { id: `p-${person.address}`, section: "find.people", title: person.display_name || person.address, detail: number && t("find.number", { number: number.replace(/^tel:/, "") }), person, act: () => go("chats", person.address) };
  });
  const groups = found.groups.slice(0, MOST_OF_A_KIND).map((group): Entry => ({ id: `g-${group.address}`, section: "find.groups", icon: "group", title: group.display_name || group.address, detail: group.members && t("people.group-members", { count: group.members.length }), act: () => go("people", group.address) }));
  const talks = [...chats.values()]
    .filter((chat) => chat.uri !== undefined)
    .map((chat): Entry => ({ id: `c-${chat.key}`, section: "find.chats", icon: "group", title: chat.title || chat.with.map(client.nameOf).join(", "), act: () => go("chats", chat.key) }))
    .filter((entry) => asked === "" || matches(asked, [entry.title]));
  const wanted = commands.filter((entry) => asked === "" || matches(asked, [entry.title]));
  const called = found.people.slice(0, MOST_CALLED).map((person): Entry => ({ id: `d-${person.address}`, section: "find.call", icon: "phone", title: t("call.call-named", { name: person.display_name || person.address }), act: () => place(person.address) }));
  const number = isNumber(asked) && dialled(asked).length >= LEAST ? [{ id: "number", section: "find.call", icon: "phone" as const, title: t("find.call.number", { number: dialled(asked) }), act: () => place(dialled(asked)) }] : [];
  return [...people, ...number, ...called, ...groups, ...talks.slice(0, MOST_OF_A_KIND), ...wanted];
}
