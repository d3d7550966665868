/** One person: state, note, numbers, groups, and what they may see of oneself. */
import { useEffect, useState } from "react";
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { Menu, MenuItem } from "@shared/menu";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { RELATIONSHIPS, type Relationship } from "../api/types";
import { useAttempt, useClient, useFault, useName } from "../core/context";
import { relationshipOf } from "../core/contacts";
import { go, href } from "../core/route";
import { useStore } from "../core/store";
import { AskText, Confirm } from "./ask-text";
import { CallButtons } from "./calls/call-buttons";
import { Face } from "./face";
import { useStatus } from "./status-line";

export function PersonCard({ address }: { address: string }) {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const name = useName(address);
  const { kind, words, note, view } = useStatus(address);
  const list = useStore(client.contacts.state, (s) => s.list);
  const contact = list.contacts.find((c) => c.address === address);
  const [removing, setRemoving] = useState(false);
  const { attempt, problem, dismiss, busy } = useAttempt();
  const blocked = relationshipOf(list, address, client.me.sip.domain) === "blocked";
  useEffect(() => {
    // Once for each person looked at: what the directory does not know it will not know a second later.
    const known = client.people.get().get(address);
    if (!known?.mail && !known?.numbers?.length) void client.search(address).catch(() => undefined);
  }, [client, address]);
  useEffect(() => {
    if (!view) client.ask(address);
  }, [client, address, view]);

  return (
    <article className="card" aria-label={name}>
      <a className="button quiet icon-only back" href={href("people")} aria-label={t("people.back")}>
        <Icon name="back" />
      </a>
      <div className="card-head">
        <Face address={address} kind={kind} size="large" />
        <div className="grow">
          <h1>{name}</h1>
          <p className="soft">{words}</p>
          {note && <p className="note">{note}</p>}
        </div>
      </div>
      {problem && <ProblemBox fault={fault(problem)} dismiss={dismiss} page={(code) => href("help", `error/${code}`)} />}
      {blocked && (
        <p className="row">
          <Icon name="lock" /> {t("people.blocked", { name })}
        </p>
      )}
      <div className="row wrap">
        <Button kind="primary" icon="chat" onClick={() => go("chats", address)}>
          {t("people.chat")}
        </Button>
        <CallButtons target={address} name={name} words />
        {contact ? (
          <>
            <Button icon="star" aria-pressed={contact.favourite} disabled={busy} onClick={() => void attempt(() => client.contacts.favour(address, !contact.favourite))}>
              {t(contact.favourite ? "people.unfavourite" : "people.favourite")}
            </Button>
            <GroupsMenu address={address} groups={contact.groups} attempt={attempt} />
            <Button onClick={() => setRemoving(true)}>{t("people.remove")}</Button>
          </>
        ) : (
          <Button icon="plus" disabled={busy} onClick={() => void attempt(() => client.contacts.add(address))}>
            {t("people.add")}
          </Button>
        )}
      </div>
      <Details address={address} />
      <RelationshipChoice address={address} name={name} attempt={attempt} />
      {removing && <Confirm title={t("people.remove.title", { name })} text={t("people.remove.text", { name })} go={t("people.remove")} onClose={() => setRemoving(false)} onGo={() => client.contacts.remove(address)} />}
    </article>
  );
}

type Attempt = (act: () => Promise<unknown>) => Promise<boolean>;

function GroupsMenu({ address, groups, attempt }: { address: string; groups: number[]; attempt: Attempt }) {
  const { t } = useWords();
  const client = useClient();
  const all = useStore(client.contacts.state, (s) => s.list.groups);
  const [naming, setNaming] = useState(false);
  return (
    <>
      <Menu icon="group" face={t("people.groups")}>
        {all.map((group) => {
          const inside = groups.includes(group.id);
          return (
            <MenuItem key={group.id} chosen={inside} onChoose={() => void attempt(() => client.contacts.putInGroup(address, group.id, !inside))}>
              {group.name}
            </MenuItem>
          );
        })}
        {all.length > 0 && <hr />}
        <MenuItem onChoose={() => setNaming(true)}>{t("people.new-group")}</MenuItem>
      </Menu>
      {naming && <AskText title={t("people.new-group.title")} label={t("people.new-group.name")} onClose={() => setNaming(false)} onSave={(name) => client.contacts.newGroup(name, address)} />}
    </>
  );
}

function Details({ address }: { address: string }) {
  const { t } = useWords();
  const person = useStore(useClient().people, (people) => people.get(address));
  return (
    <section aria-label={t("people.details")}>
      <h2 className="caption">{t("people.details")}</h2>
      <dl className="details">
        <dt>{t("people.address")}</dt>
        <dd>{address}</dd>
        {(["title", "department", "company"] as const).map((fact) => person?.[fact] && (
          <div className="details-row" key={fact}>
            <dt>{t(`job.${fact}`)}</dt>
            <dd>{person[fact]}</dd>
          </div>
        ))}
        {person?.mail && (
          <>
            <dt>{t("people.mail")}</dt>
            <dd>
              <a href={`mailto:${person.mail}`}>{person.mail}</a>
            </dd>
          </>
        )}
        {person?.numbers?.map((number) => (
          <div className="details-row" key={number}>
            <dt>{t("people.number")}</dt>
            <dd className="figures row">
              {number.replace(/^tel:/, "")}
              <CallButtons target={number.replace(/^tel:/, "")} name={number.replace(/^tel:/, "")} video={false} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function RelationshipChoice({ address, name, attempt }: { address: string; name: string; attempt: Attempt }) {
  const { t } = useWords();
  const client = useClient();
  const list = useStore(client.contacts.state, (s) => s.list);
  const [blocking, setBlocking] = useState(false);
  const now = relationshipOf(list, address, client.me.sip.domain);
  const choose = (relationship: Relationship) =>
    relationship === "blocked" ? setBlocking(true) : void attempt(() => client.contacts.relate(address, relationship));
  return (
    <fieldset className="relationships">
      <legend>{t("people.relationship", { name })}</legend>
      {RELATIONSHIPS.map((relationship) => (
        <label key={relationship} className="relationship">
          <input type="radio" name={`relationship-${address}`} checked={now === relationship} onChange={() => choose(relationship)} />
          <span>
            {t(`relationship.${relationship}`)}
            <span className="small soft block">{t(`relationship.${relationship}.text`)}</span>
          </span>
        </label>
      ))}
      {blocking && <Confirm title={t("people.block.title", { name })} text={t("people.block.text", { name })} go={t("people.block")} onClose={() => setBlocking(false)} onGo={() => client.contacts.relate(address, "blocked")} />}
    </fieldset>
  );
}
