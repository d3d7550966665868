/** Where one's busy times come from, and how that goes. */
import { useEffect, useRef, useState } from "react";
import { Button } from "@shared/button";
import { Field } from "@shared/field";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import type { CalendarStatus } from "../api/types";
import { useAttempt, useClient, useFault, useMinute } from "../core/context";
import { href } from "../core/route";

export function CalendarSettings() {
  const { t } = useWords();
  const { api } = useClient().session;
  const fault = useFault();
  const minute = useMinute();
  const [status, setStatus] = useState<CalendarStatus>();
  const [address, setAddress] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const { attempt, problem, busy, dismiss } = useAttempt();
  useEffect(() => {
    // How it goes is an extra: where it cannot be asked, changing says why.
    void api.calendar().then(setStatus).catch(() => undefined);
  }, [api, minute]);
  const change = async (ask: () => Promise<CalendarStatus>) => {
    if (await attempt(async () => setStatus(await ask()))) setAddress("");
  };
  return (
    <section className="stack" aria-label={t("calendar.title")}>
      <h2>{t("calendar.title")}</h2>
      <p className="soft">{t("calendar.text")}</p>
      {problem && <ProblemBox fault={fault(problem)} dismiss={dismiss} page={(code) => href("help", `error/${code}`)} />}
      {status && status.source !== "none" && <How status={status} />}
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (address.trim() !== "") void change(() => api.setCalendar(address.trim()));
        }}
      >
        <Field label={t("calendar.address")} hint={t("calendar.address.hint")} type="url" autoComplete="off" spellCheck={false} value={address} onChange={(event) => setAddress(event.target.value)} />
        <div className="row wrap">
          <Button type="submit" disabled={busy || address.trim() === ""}>
            {t("calendar.set")}
          </Button>
          <Button disabled={busy} onClick={() => input.current?.click()}>
            {t("calendar.file")}
          </Button>
          {status && status.source !== "none" && (
            <Button disabled={busy} onClick={() => void change(() => api.removeCalendar())}>
              {t("calendar.remove")}
            </Button>
          )}
          <input
            ref={input}
            type="file"
            hidden
            accept=".ics,text/calendar"
            onChange={(event) => {
              const file = event.target.files?.[0];
              event.target.value = "";
              if (file) void change(() => api.uploadCalendar(file));
            }}
          />
        </div>
      </form>
    </section>
  );
}

function How({ status }: { status: CalendarStatus }) {
  const { t, ago, when } = useWords();
  const host = status.host ?? "";
  const from = status.source === "file" ? t("calendar.from-file") : status.last_read ? t("calendar.from", { host, ago: ago(Date.parse(status.last_read)) }) : status.state === "waiting" ? t("calendar.waiting", { host }) : host;
  return (
    <div role="status">
      <p>{from}</p>
      {status.state === "failed" && (
        <p className="fault">
          {t("calendar.failed", { what: status.what ?? "" })} {status.next_read && t("calendar.next", { time: when(Date.parse(status.next_read)) })}
        </p>
      )}
      {status.not_understood > 0 && <p className="small soft">{t("calendar.odd", { count: status.not_understood })}</p>}
    </div>
  );
}
