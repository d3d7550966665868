/** Settings of this browser and of one's privacy. */
import { useState } from "react";
import { Button } from "@shared/button";
import { Switch } from "@shared/field";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { useAttempt, useClient, useFault } from "../core/context";
import * as notify from "../core/notify";
import { DeviceSettings } from "../parts/calls/device-settings";
import { CalendarSettings } from "../parts/calendar-settings";
import { OwnPhoto } from "../parts/own-photo";
import { change, settings, type Language, type Theme } from "../core/settings";
import { useStore } from "../core/store";

export function SettingsPage() {
  const { t } = useWords();
  const client = useClient();
  const link = useStore(client.link, (s) => s.phase);
  const { name, version } = client.me.server;
  return (
    <div className="pane page scroll" tabIndex={0} role="region" aria-label={t("settings.title")}>
      <div className="page-text">
        <h1>{t("settings.title")}</h1>
        <OwnPhoto />
        <Look />
        <DeviceSettings />
        <Notifications />
        <Privacy />
        <CalendarSettings />
        <section className="stack">
          <h2>{t("settings.about")}</h2>
          <p>{t("settings.about.server", { name, version })}</p>
          <p>
            {t("settings.about.connection")}: {t(link === "online" ? "link.online" : link === "refused" ? "link.refused" : "link.connecting")}
          </p>
        </section>
      </div>
    </div>
  );
}

function Look() {
  const { t } = useWords();
  const { theme, language } = useStore(settings, (s) => s);
  return (
    <section className="stack">
      <h2>{t("settings.look")}</h2>
      <Choice label={t("settings.theme")} value={theme} options={(["system", "light", "dark"] as Theme[]).map((v) => [v, t(`settings.theme.${v}`)])} onChange={(v) => change({ theme: v })} />
      <Choice
        label={t("settings.language")}
        value={language}
        options={[
          ["system", t("settings.language.system")],
          ["en", "English"],
          ["de", "Deutsch"],
        ]}
        onChange={(v: Language) => change({ language: v })}
      />
    </section>
  );
}

function Choice<V extends string>({ label, value, options, onChange }: { label: string; value: V; options: [V, string][]; onChange(value: V): void }) {
  return (
    <fieldset className="choice">
      <legend>{label}</legend>
      {options.map(([option, word]) => (
        <label key={option}>
          <input type="radio" name={label} checked={value === option} onChange={() => onChange(option)} />
          {word}
        </label>
      ))}
    </fieldset>
  );
}

function Notifications() {
  const { t } = useWords();
  const { notify: on, notifyText } = useStore(settings, (s) => s);
  const [permission, setPermission] = useState(notify.permission());
  return (
    <section className="stack">
      <h2>{t("settings.notify")}</h2>
      {permission === "default" && <Button icon="bell" onClick={() => void notify.ask().then(setPermission)}>{t("settings.notify.ask")}</Button>}
      {permission === "denied" && <p className="soft">{t("settings.notify.denied")}</p>}
      {permission === "unsupported" && <p className="soft">{t("settings.notify.unsupported")}</p>}
      <Switch label={t("settings.notify.on")} hint={t("settings.notify.hint")} on={on} onChange={(v) => change({ notify: v })} />
      <Switch label={t("settings.notify.text")} on={notifyText} disabled={!on} onChange={(v) => change({ notifyText: v })} />
    </section>
  );
}

function Privacy() {
  const { t } = useWords();
  const client = useClient();
  const fault = useFault();
  const { phase, list } = useStore(client.contacts.state, (s) => s);
  const { attempt, problem, busy } = useAttempt();
  return (
    <section className="stack">
      <h2>{t("settings.privacy")}</h2>
      {problem && <ProblemBox fault={fault(problem)} />}
      <Switch label={t("settings.privacy.mode")} hint={t("settings.privacy.mode.hint")} on={list.privacy_mode === true} disabled={busy || phase !== "ready"} onChange={(on) => void attempt(() => client.contacts.setPrivacy(on))} />
    </section>
  );
}
