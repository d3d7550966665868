/** People who began to watch one's state: asked once, answered with a relationship. */
import { Button } from "@shared/button";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { useAttempt, useClient, useFault, useName } from "../core/context";
import { useStore } from "../core/store";
import { Face } from "./face";

const NOBODY: string[] = [];

export function Watchers() {
  const { t } = useWords();
  const waiting = useStore(useClient().contacts.state, (s) => s.list.pending_watchers ?? NOBODY);
  if (waiting.length === 0) return null;
  return (
    <section className="watchers" aria-label={t("people.watchers.title", { count: waiting.length })}>
      <h2 className="caption">{t("people.watchers.title", { count: waiting.length })}</h2>
      <ul>
        {waiting.map((address) => (
          <Watcher key={address} address={address} />
        ))}
      </ul>
    </section>
  );
}

function Watcher({ address }: { address: string }) {
  const { t } = useWords();
  const { contacts, me } = useClient();
  const fault = useFault();
  const name = useName(address);
  const { attempt, problem, busy } = useAttempt();
  const usual = address.endsWith(`@${me.sip.domain}`) ? "colleagues" : "external";
  return (
    <li className="stack">
      <div className="row">
        <Face address={address} size="small" />
        <span className="grow ellipsis">{name}</span>
      </div>
      {problem && <ProblemBox fault={fault(problem)} />}
      <div className="row wrap">
        <Button disabled={busy} onClick={() => void attempt(() => contacts.relate(address, usual))}>
          {t("people.watchers.allow")}
        </Button>
        <Button disabled={busy} onClick={() => void attempt(async () => (await contacts.relate(address, usual), contacts.add(address)))}>
          {t("people.watchers.add")}
        </Button>
        <Button kind="danger" disabled={busy} onClick={() => void attempt(() => contacts.relate(address, "blocked"))}>
          {t("people.watchers.block")}
        </Button>
      </div>
    </li>
  );
}
