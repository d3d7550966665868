/** A distribution group, expanded. */
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import type { DistributionGroup } from "../api/types";
import { useAttempt, useClient, useFault } from "../core/context";
import { go, href } from "../core/route";
import { Face } from "./face";
import { StatusLine, useStatus } from "./status-line";

export function GroupCard({ group }: { group: DistributionGroup }) {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const name = group.display_name || group.address;
  const members = (group.members ?? []).filter((address) => address !== client.address);
  const { attempt, problem, busy } = useAttempt();
  return (
    <article className="card" aria-label={name}>
      <a className="button quiet icon-only back" href={href("people")} aria-label={t("people.back")}>
        <Icon name="back" />
      </a>
      <div>
        <h1>{name}</h1>
        <p className="soft">{t("people.group-members", { count: group.members?.length ?? 0 })}</p>
      </div>
      {problem && <ProblemBox fault={fault(problem)} />}
      {members.length > 0 && (
        <div className="row">
          <Button kind="primary" icon="chat" disabled={busy} onClick={() => void attempt(async () => go("chats", await client.startGroup(members, name)))}>
            {t("people.group-chat")}
          </Button>
        </div>
      )}
      <ul>
        {members.map((address) => (
          <Member key={address} address={address} />
        ))}
      </ul>
    </article>
  );
}

function Member({ address }: { address: string }) {
  const client = useClient();
  const { kind } = useStatus(address);
  return (
    <li>
      <a className="list-row" href={href("people", address)}>
        <Face address={address} kind={kind} />
        <span className="grow">
          <span className="ellipsis block">{client.nameOf(address)}</span>
          <StatusLine address={address} />
        </span>
      </a>
    </li>
  );
}
