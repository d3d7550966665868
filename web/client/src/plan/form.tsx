/** The questions: answers that are left empty are assumed, and say so. */
import { useId } from "react";
import { Button } from "@shared/button";
import { Field } from "@shared/field";
import { useWords } from "@shared/text";
import type { Figures } from "./api";
import { GROUPS, INTERNET, MAX_SITES, nextKey, renamed, without, type Draft, type Link, type Question, type Site } from "./draft";

export interface FormProps {
  draft: Draft;
  answers: Figures["answers"];
  faults: Map<string, string>;
  change(draft: Draft): void;
}

export function Form(props: FormProps) {
  const { t } = useWords();
  return (
    <>
      {GROUPS.map((group) => (
        <fieldset key={group.id}>
          <legend>{t(`group.${group.id}`)}</legend>
          {group.questions.map((question) => (
            <Asked key={question.field} question={question} {...props} />
          ))}
        </fieldset>
      ))}
      <Sites {...props} />
      <Links {...props} />
    </>
  );
}

function Asked({ question, draft, answers, faults, change }: FormProps & { question: Question }) {
  const { t } = useWords();
  const { field, kind } = question;
  const value = draft.answers[field] ?? "";
  const assumed = answers.find((answer) => answer.field === field && answer.assumed)?.value;
  const fault = faults.get(field);
  const set = (typed: string) => change({ ...draft, answers: { ...draft.answers, [field]: typed } });
  if (kind === "flag") {
    const usual = assumed === undefined ? "–" : t(assumed === "true" || assumed === "yes" ? "answer.yes" : "answer.no");
    return (
      <Choice label={t(field)} value={value} fault={fault} set={set}>
        <option value="">{t("answer.assumed", { value: usual })}</option>
        <option value="yes">{t("answer.yes")}</option>
        <option value="no">{t("answer.no")}</option>
      </Choice>
    );
  }
  const usual = assumed === undefined ? undefined : t("answer.assumed", { value: assumed });
  return <Field label={t(field)} fault={fault} inputMode={kind === "number" ? "decimal" : undefined} placeholder={usual} spellCheck={false} value={value} onChange={(e) => set(e.target.value)} />;
}

function Choice({ label, value, fault, set, children }: { label: string; value: string; fault?: string | undefined; set(value: string): void; children: React.ReactNode }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="input" value={value} aria-invalid={fault ? true : undefined} aria-describedby={fault ? `${id}-fault` : undefined} onChange={(e) => set(e.target.value)}>
        {children}
      </select>
      {fault && (
        <span className="fault" id={`${id}-fault`}>
          {fault}
        </span>
      )}
    </div>
  );
}

function Sites({ draft, faults, change }: FormProps) {
  const { t } = useWords();
  const set = (key: number, part: Partial<Site>) => change({ ...draft, sites: draft.sites.map((site) => (site.key === key ? { ...site, ...part } : site)) });
  const add = () => {
    const count = draft.sites.length + 1;
    change({ ...draft, sites: [...draft.sites, { key: nextKey(draft), name: t("sites.new", { count }), users: "1000", hub: "", pair: "" }] });
  };
  return (
    <fieldset>
      <legend>{t("sites")}</legend>
      {draft.sites.length === 0 && <p className="small soft">{t("sites.empty")}</p>}
      {draft.sites.map((site) => {
        const at = `site "${site.name.trim()}"`;
        const others = draft.sites.filter((other) => other.key !== site.key);
        const centrals = others.filter((other) => other.hub === "").map((other) => other.name);
        return (
          <div className="plan-row" role="group" aria-label={site.name} key={site.key}>
            <Field label={t("sites.name")} fault={faults.get(`${at}.name`) ?? faults.get(at)} spellCheck={false} value={site.name} onChange={(e) => change(renamed(draft, site.key, e.target.value))} />
            <Field label={t("sites.users")} fault={faults.get(`${at}.users`)} inputMode="numeric" value={site.users} onChange={(e) => set(site.key, { users: e.target.value })} />
            <Choice label={t("sites.hub")} value={site.hub} fault={faults.get(`${at}.hub`)} set={(hub) => set(site.key, { hub, pair: hub === "" ? site.pair : "" })}>
              <option value="">{t("sites.hub.none")}</option>
              {options(centrals, site.hub)}
            </Choice>
            <Choice label={t("sites.pair")} value={site.pair} fault={faults.get(`${at}.pair`)} set={(pair) => set(site.key, { pair })}>
              <option value="">{t("sites.pair.none")}</option>
              {options(site.hub === "" ? centrals : [], site.pair)}
            </Choice>
            <Button kind="quiet" icon="close" label={t("sites.remove", { name: site.name })} onClick={() => change(without(draft, site.key))} />
          </div>
        );
      })}
      <Button icon="plus" disabled={draft.sites.length >= MAX_SITES} onClick={add}>
        {t("sites.add")}
      </Button>
    </fieldset>
  );
}

/** Names to choose from; one that is chosen stays choosable. */
function options(names: string[], chosen: string) {
  const all = chosen === "" || names.includes(chosen) ? names : [...names, chosen];
  return [...new Set(all)].filter(Boolean).map((name) => (
    <option key={name} value={name}>
      {name}
    </option>
  ));
}

function Links({ draft, faults, change }: FormProps) {
  const { t } = useWords();
  const names = draft.sites.map((site) => site.name);
  const set = (key: number, part: Partial<Link>) => change({ ...draft, links: draft.links.map((link) => (link.key === key ? { ...link, ...part } : link)) });
  const add = () => change({ ...draft, links: [...draft.links, { key: nextKey(draft), from: names[0] ?? "", to: INTERNET, mbps: "100" }] });
  return (
    <fieldset>
      <legend>{t("links")}</legend>
      {draft.links.length === 0 && <p className="small soft">{t("links.empty")}</p>}
      {draft.links.map((link) => {
        const at = `link "${link.from}"`;
        return (
          <div className="plan-row" role="group" aria-label={`${link.from} – ${link.to}`} key={link.key}>
            <Choice label={t("links.from")} value={link.from} fault={faults.get(`${at}.from`) ?? faults.get(at)} set={(from) => set(link.key, { from })}>
              {options(names, link.from)}
            </Choice>
            <Choice label={t("links.to")} value={link.to} fault={faults.get(`${at}.to`)} set={(to) => set(link.key, { to })}>
              <option value={INTERNET}>{t("links.internet")}</option>
              {options(names, link.to === INTERNET ? "" : link.to)}
            </Choice>
            <Field label={t("links.mbps")} fault={faults.get(`${at}.mbps`)} inputMode="decimal" value={link.mbps} onChange={(e) => set(link.key, { mbps: e.target.value })} />
            <Button kind="quiet" icon="close" label={t("links.remove", { from: link.from, to: link.to })} onClick={() => change({ ...draft, links: draft.links.filter((other) => other.key !== link.key) })} />
          </div>
        );
      })}
      <Button icon="plus" disabled={names.length === 0} onClick={add}>
        {t("links.add")}
      </Button>
    </fieldset>
  );
}
