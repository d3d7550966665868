/** A distribution group in the contact list: opened, it shows its people with their states. */
import { useEffect, useState } from "react";
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { Menu, MenuItem } from "@shared/menu";
import { Loading, ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import type { DistributionGroup } from "../api/types";
import type { Section } from "../core/contacts";
import { useAttempt, useClient, useFault } from "../core/context";
import { go, href } from "../core/route";
import { Face } from "./face";
import { StatusLine, useStatus } from "./status-line";

/** The group with its people; fetched when it is first wanted. */
export function useGroup(address: string, wanted: boolean) {
  const client = useClient();
  const [group, setGroup] = useState<DistributionGroup>();
  const { attempt, problem, busy } = useAttempt();
  const load = () => attempt(async () => setGroup(await client.group(address)));
  useEffect(() => {
    if (wanted) void load();
  }, [address, wanted]);
  return { group, problem, busy, load };
}

export function DistributionSection({ section, of, chosen }: { section: Section; of: string; chosen: string | undefined }) {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const [open, setOpen] = useState(false);
  const { group, problem, load } = useGroup(of, open);
  const removal = useAttempt();
  const name = section.name ?? of;
  const shown = problem ?? removal.problem;
  return (
    <section className="contacts-section" aria-label={name}>
      <div className="row">
        <h2 className="caption grow">
          <button type="button" className="fold" aria-expanded={open} onClick={() => setOpen(!open)}>
            <Icon name="group" /> {name}
          </button>
        </h2>
        <Menu kind="quiet" icon="more" label={t("people.group.more", { name })}>
          <MenuItem onChoose={() => go("people", of)}>{t("people.group.show")}</MenuItem>
          <MenuItem onChoose={() => void removal.attempt(() => client.contacts.removeGroup(Number(section.id)))}>{t("people.group.remove")}</MenuItem>
        </Menu>
      </div>
      {shown && <ProblemBox fault={fault(shown)} again={problem ? () => void load() : undefined} page={(code) => href("help", `error/${code}`)} />}
      {open && !group && !problem && <Loading what={t("people.group.loading")} rows={2} />}
      {open && group && <Members group={group} chosen={chosen} />}
    </section>
  );
}

export function Members({ group, chosen }: { group: DistributionGroup; chosen?: string | undefined }) {
  const { t } = useWords();
  const client = useClient();
  const members = (group.members ?? []).filter((address) => address !== client.address);
  return (
    <>
      {members.length === 0 && <p className="small soft pad">{t("people.group.nobody")}</p>}
      <ul>
        {members.map((address) => (
          <Member key={address} address={address} current={address === chosen} />
        ))}
      </ul>
      {group.cut && <p className="small soft pad">{t("people.group.cut")}</p>}
    </>
  );
}

function Member({ address, current }: { address: string; current: boolean }) {
  const client = useClient();
  const { kind } = useStatus(address);
  const contact = client.contacts.entry(address);
  useEffect(() => {
    // Contacts are watched; of the others the state is asked for as long as they are on the screen.
    if (!contact) client.ask(address);
  }, [client, address, contact]);
  return (
    <li>
      <a data-row className="list-row" href={href("people", address)} aria-current={current ? "true" : undefined}>
        <Face address={address} kind={kind} />
        <span className="grow">
          <span className="ellipsis block">{client.nameOf(address)}</span>
          <StatusLine address={address} />
        </span>
      </a>
    </li>
  );
}

/** Puts a distribution group on one's list. */
export function AddGroup({ address, name }: { address: string; name: string }) {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const { attempt, problem, busy, dismiss } = useAttempt();
  return (
    <>
      <Button icon="plus" disabled={busy} onClick={() => void attempt(() => client.contacts.addDistributionGroup(address, name))}>
        {t("people.add")}
      </Button>
      {problem && <ProblemBox fault={fault(problem)} dismiss={dismiss} />}
    </>
  );
}
