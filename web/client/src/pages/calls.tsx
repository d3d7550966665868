/** Calls: whom to dial, what was, and the call that is. */
import { useEffect, useState } from "react";
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { moveInList } from "@shared/list";
import { Empty, Loading, ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import type { CallItem } from "../api/types";
import { clock, NOW, useCurrent } from "../calls/hooks";
import { isMissed } from "../calls/log";
import { useClient, useFault } from "../core/context";
import { href } from "../core/route";
import { useStore } from "../core/store";
import { CallButtons } from "../parts/calls/call-buttons";
import { DialField } from "../parts/calls/dial-field";
import { CallStage } from "../parts/calls/stage";
import { shown, useKnown, usePartner } from "../parts/calls/words";
import { Face } from "../parts/face";
import { StatusLine } from "../parts/status-line";

export function CallsPage({ chosen }: { chosen: string | undefined }) {
  const { t } = useWords();
  const now = useCurrent();
  const item = useStore(useClient().log.state, (log) => log.items.find((each) => each.id === chosen));
  return (
    <>
      <section className="pane list-pane">
        <header className="pane-head">
          <h1 className="grow">{t("calls.title")}</h1>
        </header>
        <DialField />
        <div className="scroll" onKeyDown={(event) => moveInList(event)}>
          <History chosen={chosen} />
        </div>
      </section>
      <section className="pane main-pane">
        {now && (chosen === NOW || !item) ? (
          <CallStage call={now} />
        ) : item ? (
          <OneCall key={item.id} item={item} />
        ) : (
          <>
            <Back />
            <Empty icon="phone" title={t("calls.choose.title")}>
              {t("calls.choose.text")}
            </Empty>
          </>
        )}
      </section>
    </>
  );
}

function Back() {
  const { t } = useWords();
  return (
    <a className="button quiet icon-only back" href={href("calls")} aria-label={t("calls.back")}>
      <Icon name="back" />
    </a>
  );
}

function History({ chosen }: { chosen: string | undefined }) {
  const { t, day } = useWords();
  const client = useClient();
  const fault = useFault();
  const { phase, items, next, busy, problem, seen } = useStore(client.log.state, (log) => log);
  const [shownAsNew] = useState(seen);
  useEffect(() => client.log.look(), [client, items]);
  if (phase === "loading") return <Loading what={t("calls.loading")} />;
  const box = problem && <ProblemBox fault={fault(problem)} again={() => void client.log.load()} page={(code) => href("help", `error/${code}`)} />;
  if (phase === "failed") return <div className="pad">{box}</div>;
  if (items.length === 0) return <Empty icon="phone" title={t("calls.empty.title")}>{t("calls.empty.text")}</Empty>;
  const days = [...new Set(items.map((item) => day(Date.parse(item.started))))];
  return (
    <>
      {days.map((name) => (
        <section className="contacts-section" key={name} aria-label={name}>
          <h2 className="caption">{name}</h2>
          <ul>
            {items.filter((item) => day(Date.parse(item.started)) === name).map((item) => (
              <Row key={item.id} item={item} current={item.id === chosen} fresh={isMissed(item) && Date.parse(item.started) > shownAsNew} />
            ))}
          </ul>
        </section>
      ))}
      {box}
      {next !== undefined && (
        <p className="centre pad">
          <Button disabled={busy} onClick={() => void client.log.older()}>
            {t("calls.older")}
          </Button>
        </p>
      )}
    </>
  );
}

function Row({ item, current, fresh }: { item: CallItem; current: boolean; fresh: boolean }) {
  const { time } = useWords();
  const name = usePartner(item.with);
  const { kind } = useKnown(item.with);
  return (
    <li>
      <div className="row found-row">
        <a data-row className={`list-row grow${fresh ? " unread" : ""}`} href={href("calls", item.id)} aria-current={current ? "true" : undefined}>
          <Face address={item.with} kind={item.with.includes("@") ? kind : undefined} />
          <span className="grow">
            <span className="ellipsis block">{name}</span>
            <span className={`small ellipsis block ${isMissed(item) ? "missed" : "soft"}`}>
              <Icon name={item.direction === "incoming" ? "in" : "out"} /> <Told item={item} />
            </span>
          </span>
          <span className="small soft figures">{time(Date.parse(item.started))}</span>
        </a>
        <CallButtons target={shown(item.with)} name={name} video={false} />
      </div>
    </li>
  );
}

function Told({ item }: { item: CallItem }) {
  const { t } = useWords();
  const word = t(item.outcome === "answered" ? `calls.${item.direction}` : `calls.outcome.${item.outcome}`);
  return item.seconds == null ? word : `${word} · ${clock(item.seconds)}`;
}

function OneCall({ item }: { item: CallItem }) {
  const { t, time, day } = useWords();
  const name = usePartner(item.with);
  const { kind } = useKnown(item.with);
  const at = Date.parse(item.started);
  const person = item.with.includes("@") && shown(item.with) === item.with;
  return (
    <article className="card" aria-label={name}>
      <Back />
      <div className="card-head">
        <Face address={item.with} kind={person ? kind : undefined} size="large" />
        <div className="grow">
          <h1>{name}</h1>
          {person ? <StatusLine address={item.with} /> : <p className="soft figures">{shown(item.with)}</p>}
        </div>
      </div>
      <div className="row wrap">
        <CallButtons target={shown(item.with)} name={name} words video={person} />
        {person && (
          <a className="button" href={href("chats", item.with)}>
            <Icon name="chat" />
            {t("people.chat")}
          </a>
        )}
      </div>
      <dl className="details">
        <div className="details-row">
          <dt>{t("calls.when")}</dt>
          <dd className="figures">
            {day(at)}, {time(at)}
          </dd>
        </div>
        <div className="details-row">
          <dt>{t("calls.how")}</dt>
          <dd>
            {t(`calls.${item.direction}`)} · {t(`calls.outcome.${item.outcome}`)}
          </dd>
        </div>
        {item.seconds != null && (
          <div className="details-row">
            <dt>{t("calls.length")}</dt>
            <dd className="figures">{clock(item.seconds)}</dd>
          </div>
        )}
      </dl>
    </article>
  );
}
