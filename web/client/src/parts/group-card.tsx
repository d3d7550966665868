/** A distribution group, expanded. */
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { Loading, ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { useAttempt, useClient, useFault } from "../core/context";
import { go, href } from "../core/route";
import { useStore } from "../core/store";
import { AddGroup, Members, useGroup } from "./distribution-section";

export function GroupCard({ address }: { address: string }) {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const { group, problem: away, load } = useGroup(address, true);
  const { attempt, problem, busy } = useAttempt();
  const listed = useStore(client.contacts.state, (s) => s.list.groups.some((g) => g.distribution_group === address));
  const name = group?.display_name || address;
  const others = (group?.members ?? []).filter((one) => one !== client.address);
  const shown = away ?? problem;
  return (
    <article className="card" aria-label={name}>
      <a className="button quiet icon-only back" href={href("people")} aria-label={t("people.back")}>
        <Icon name="back" />
      </a>
      <div>
        <h1>{name}</h1>
        <p className="soft">
          {address}
          {group && ` · ${t("people.group-members", { count: group.members?.length ?? 0 })}`}
        </p>
      </div>
      {shown && <ProblemBox fault={fault(shown)} again={away ? () => void load() : undefined} />}
      {!group && !away && <Loading what={t("people.group.loading")} />}
      {group && (
        <>
          <div className="row wrap">
            {others.length > 0 && (
              <Button kind="primary" icon="chat" disabled={busy} onClick={() => void attempt(async () => go("chats", await client.startGroup(others, name)))}>
                {t("people.group-chat")}
              </Button>
            )}
            {!listed && <AddGroup address={address} name={name} />}
          </div>
          <Members group={group} />
        </>
      )}
    </article>
  );
}
