/** People: the contact list with states, search in it and in the address book, and one person's card. */
import { useEffect, useState } from "react";
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { moveInList } from "@shared/list";
import { Menu, MenuItem } from "@shared/menu";
import { Empty, Loading, ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import type { ContactEntry } from "../api/types";
import { useAttempt, useClient, useFault } from "../core/context";
import { sections, type Section } from "../core/contacts";
import { useFind } from "../core/find";
import { href } from "../core/route";
import { useStore } from "../core/store";
import { AskText } from "../parts/ask-text";
import { CallButtons } from "../parts/calls/call-buttons";
import { Face } from "../parts/face";
import { GroupCard } from "../parts/group-card";
import { DistributionSection } from "../parts/distribution-section";
import { PersonCard } from "../parts/person-card";
import { SearchBox } from "../parts/search-box";
import { StatusLine, useStatus } from "../parts/status-line";
import { Watchers } from "../parts/watchers";

export function People({ chosen }: { chosen: string | undefined }) {
  const { t } = useWords();
  const client = useClient();
  const [q, setQ] = useState("");
  const [naming, setNaming] = useState(false);
  const found = useFind(q);
  const listed = useStore(client.contacts.state, (s) => s.list.groups.some((g) => g.distribution_group === chosen));
  const group = listed || found.groups.some((g) => g.address === chosen);
  return (
    <>
      <section className="pane list-pane">
        <header className="pane-head">
          <h1 className="grow">{t("people.title")}</h1>
          <Button kind="quiet" icon="plus" label={t("people.new-group")} onClick={() => setNaming(true)} />
        </header>
        <SearchBox value={q} onChange={setQ} label={t("people.search")} />
        <div className="scroll" onKeyDown={(event) => moveInList(event)}>
          <Watchers />
          {q.trim() === "" ? <ContactList chosen={chosen} /> : <FoundList q={q} found={found} chosen={chosen} />}
        </div>
      </section>
      <section className="pane main-pane">
        {chosen === undefined ? (
          <Empty icon="people" title={t("people.choose.title")}>
            {t("people.choose.text")}
          </Empty>
        ) : group ? (
          <GroupCard key={chosen} address={chosen} />
        ) : (
          <PersonCard key={chosen} address={chosen} />
        )}
      </section>
      {naming && <AskText title={t("people.new-group.title")} label={t("people.new-group.name")} onClose={() => setNaming(false)} onSave={(name) => client.contacts.newGroup(name)} />}
    </>
  );
}

function ContactList({ chosen }: { chosen: string | undefined }) {
  const { t, locale } = useWords();
  const client = useClient();
  const fault = useFault();
  const { phase, list, problem } = useStore(client.contacts.state, (s) => s);
  if (phase === "loading") return <Loading what={t("people.loading")} />;
  if (phase === "failed" && problem) {
    return (
      <div className="pad">
        <ProblemBox fault={fault(problem)} again={() => void client.contacts.load()} page={(code) => href("help", `error/${code}`)} />
      </div>
    );
  }
  const all = sections(list, locale);
  if (all.length === 0) {
    return (
      <Empty icon="people" title={t("people.empty.title")} action={<Button icon="search" onClick={() => document.querySelector<HTMLInputElement>(".search-box input")?.focus()}>{t("people.search")}</Button>}>
        {t("people.empty.text")}
      </Empty>
    );
  }
  return all.map((section) => (section.of === undefined ? <SectionList key={section.id} section={section} chosen={chosen} /> : <DistributionSection key={section.id} section={section} of={section.of} chosen={chosen} />));
}

function SectionList({ section, chosen }: { section: Section; chosen: string | undefined }) {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const [renaming, setRenaming] = useState(false);
  const { attempt, problem, dismiss } = useAttempt();
  const id = Number(section.id);
  const title = section.name ?? t(`people.${section.id}`);
  return (
    <section className="contacts-section" aria-label={title}>
      <div className="row">
        <h2 className="caption grow">{title}</h2>
        {section.name !== undefined && (
          <Menu kind="quiet" icon="more" label={t("people.group.more", { name: title })}>
            <MenuItem onChoose={() => setRenaming(true)}>{t("people.group.rename")}</MenuItem>
            <MenuItem onChoose={() => void attempt(() => client.contacts.removeGroup(id))}>{t("people.group.remove")}</MenuItem>
          </Menu>
        )}
      </div>
      {problem && <ProblemBox fault={fault(problem)} dismiss={dismiss} />}
      {section.contacts.length === 0 && <p className="small soft pad">{t("people.empty.group")}</p>}
      <ul>
        {section.contacts.map((contact) => (
          <ContactRow key={contact.address} contact={contact} current={contact.address === chosen} />
        ))}
      </ul>
      {renaming && <AskText title={t("people.group.rename.title")} label={t("people.new-group.name")} initial={title} onClose={() => setRenaming(false)} onSave={(name) => client.contacts.renameGroup(id, name)} />}
    </section>
  );
}

function ContactRow({ contact, current }: { contact: ContactEntry; current: boolean }) {
  const client = useClient();
  const { kind } = useStatus(contact.address);
  return (
    <li className="row found-row">
      <a data-row className="list-row grow" href={href("people", contact.address)} aria-current={current ? "true" : undefined}>
        <Face address={contact.address} kind={kind} />
        <span className="grow">
          <span className="ellipsis block">{client.nameOf(contact.address)}</span>
          <StatusLine address={contact.address} />
        </span>
        {contact.favourite && <Icon name="star" filled />}
      </a>
      <CallButtons target={contact.address} name={client.nameOf(contact.address)} video={false} />
    </li>
  );
}

function FoundList({ q, found, chosen }: { q: string; found: ReturnType<typeof useFind>; chosen: string | undefined }) {
  const { t } = useWords();
  const fault = useFault();
  const nobody = found.people.length === 0 && found.groups.length === 0;
  return (
    <>
      <p className="unseen" role="status">
        {found.busy ? "" : t("find.results", { count: found.people.length + found.groups.length })}
      </p>
      {found.problem && (
        <div className="pad">
          <ProblemBox fault={fault(found.problem)} page={(code) => href("help", `error/${code}`)} />
        </div>
      )}
      {found.people.length > 0 && (
        <section className="contacts-section" aria-label={t("find.people")}>
          <h2 className="caption">{t("find.people")}</h2>
          <ul>
            {found.people.map((person) => (
              <FoundRow key={person.address} address={person.address} current={person.address === chosen} />
            ))}
          </ul>
        </section>
      )}
      {found.more && <p className="pad small soft">{t("find.more")}</p>}
      {found.groups.length > 0 && (
        <section className="contacts-section" aria-label={t("find.groups")}>
          <h2 className="caption">{t("find.groups")}</h2>
          <ul>
            {found.groups.map((group) => (
              <li key={group.address}>
                <a data-row className="list-row" href={href("people", group.address)} aria-current={group.address === chosen ? "true" : undefined}>
                  <span className="round-icon">
                    <Icon name="group" />
                  </span>
                  <span className="grow">
                    <span className="ellipsis block">{group.display_name || group.address}</span>
                    <span className="small soft">{t("people.group-members", { count: group.members?.length ?? 0 })}</span>
                  </span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {found.busy && nobody && <Loading what={t("find.searching")} rows={2} />}
      {!found.busy && nobody && !found.problem && <Empty icon="search" title={t("find.none", { q: q.trim() })}>{q.trim().length < 3 ? t("find.three") : undefined}</Empty>}
    </>
  );
}

function FoundRow({ address, current }: { address: string; current: boolean }) {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const { kind, words, view } = useStatus(address);
  useEffect(() => {
    if (!view) client.ask(address);
  }, [client, address, view]);
  const contact = useStore(client.contacts.state, (s) => s.list.contacts.find((c) => c.address === address));
  const name = client.nameOf(address);
  const { attempt, problem, busy, dismiss } = useAttempt();
  return (
    <li>
      <div className="row found-row">
        <a data-row className="list-row grow" href={href("people", address)} aria-current={current ? "true" : undefined}>
          <Face address={address} kind={kind} />
          <span className="grow">
            <span className="ellipsis block">{name}</span>
            <span className="small soft ellipsis block">
              {words} · {client.people.get().get(address)?.title || address}
            </span>
          </span>
        </a>
        <CallButtons target={address} name={name} video={false} />
        {!contact && <Button kind="quiet" icon="plus" label={t("people.add-named", { name })} disabled={busy} onClick={() => void attempt(() => client.contacts.add(address))} />}
      </div>
      {problem && <ProblemBox fault={fault(problem)} dismiss={dismiss} />}
    </li>
  );
}
