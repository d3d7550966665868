/** The planning page: the form on one side, what follows from it on the other, live. */
import { useEffect, useState } from "react";
import { Button } from "@shared/button";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { ThemeButton } from "../parts/theme-button";
import { PlanRefused, type Figures, type Format, type PlanApi, type PlanProblem } from "./api";
import { begin, toml, type Draft } from "./draft";
import { Form } from "./form";
import { Outcome } from "./outcome";
import { SignIn, worded } from "./sign-in";

/** How long the numbers must stand still before they are asked for. */
const PAUSE_MS = 200;
/** The largest file that is opened: what the server takes. */
const MAX_FILE_BYTES = 1 << 20;

export function Page({ api }: { api: PlanApi }) {
  const [phase, setPhase] = useState<"out" | "over" | "in">("out");
  const [draft, setDraft] = useState<Draft>(begin);
  // A file that is edited by hand is the plan; without one the form is.
  const [file, setFile] = useState<string>();
  if (phase !== "in") return <SignIn api={api} over={phase === "over"} done={() => setPhase("in")} />;
  return <Desk api={api} draft={draft} setDraft={setDraft} file={file} setFile={setFile} leave={setPhase} />;
}

interface DeskProps {
  api: PlanApi;
  draft: Draft;
  setDraft(draft: Draft): void;
  file: string | undefined;
  setFile(text: string | undefined): void;
  leave(phase: "out" | "over"): void;
}

function Desk({ api, draft, setDraft, file, setFile, leave }: DeskProps) {
  const { t } = useWords();
  const text = file ?? toml(draft);
  const [picture, setPicture] = useState("topology");
  const { figures, problem, busy } = useFigures(api, text, picture, () => leave("over"));
  const [failed, setFailed] = useState<PlanProblem>();
  const faults = new Map((problem?.problems ?? []).map((fault) => [fault.path, `${fault.what}; ${fault.fix}`]));

  const take = async (format: Format, name: string) => {
    setFailed(undefined);
    try {
      save(await api.report(text, format), name);
    } catch (error) {
      if (error instanceof PlanRefused) setFailed(error.problem);
      else throw error;
    }
  };
  const open = async (chosen: File | undefined) => {
    if (chosen && chosen.size <= MAX_FILE_BYTES) setFile(await chosen.text());
  };

  return (
    <div className="plan">
      <header className="row plan-head">
        <img src="/client/icon.svg" alt="" width="32" height="32" />
        <div className="grow">
          <h1>{t("plan.title")}</h1>
          <p className="small soft">{t("plan.lead")}</p>
        </div>
        <ThemeButton />
        <Button kind="quiet" onClick={() => void api.signOut().then(() => leave("out"))}>
          {t("plan.sign-out")}
        </Button>
      </header>
      <main className="plan-desk">
        <section className="plan-form" aria-label={t("plan.form")}>
          {file === undefined ? (
            <Form draft={draft} answers={figures?.answers ?? []} faults={faults} change={setDraft} />
          ) : (
            <div className="plan-file-mode">
              <p className="grow">{t("file.mode")}</p>
              <Button onClick={() => setFile(undefined)}>{t("file.back")}</Button>
            </div>
          )}
          <File text={text} edited={file !== undefined} edit={setFile} open={open} />
        </section>
        <section className="plan-outcome" aria-label={t("plan.outcome")} aria-busy={busy}>
          <p role="status" className="small soft plan-status">
            {busy ? t("plan.computing") : problem && figures ? t("plan.stale") : ""}
          </p>
          {problem && <Faults problem={problem} />}
          {failed && <ProblemBox fault={worded(failed, t)} dismiss={() => setFailed(undefined)} />}
          <div className="plan-get" role="group" aria-label={t("get")}>
            <Button onClick={() => void take("html", "plan.html")}>{t("get.html")}</Button>
            <Button onClick={() => void take("xlsx", "plan.xlsx")}>{t("get.xlsx")}</Button>
            <Button onClick={() => save(new Blob([text], { type: "application/toml" }), "plan.toml")}>{t("get.plan")}</Button>
            <Button onClick={() => void take("topology", "topology.yaml")}>{t("get.topology")}</Button>
          </div>
          {figures && <Outcome figures={figures} choose={setPicture} />}
          <p className="small soft">
            {t("get.command")}: <code>lyceum plan report plan.toml plan.html plan.xlsx</code>
          </p>
        </section>
      </main>
    </div>
  );
}

/** The figures of a plan, asked for once it stands still; the last good ones stay while it has faults. */
function useFigures(api: PlanApi, text: string, picture: string, over: () => void) {
  const [found, setFound] = useState<{ figures?: Figures; problem?: PlanProblem | undefined; busy: boolean }>({ busy: true });
  useEffect(() => {
    const stop = new AbortController();
    setFound((before) => ({ ...before, busy: true }));
    const timer = setTimeout(async () => {
      try {
        const figures = await api.figures(text, picture, stop.signal);
        if (!stop.signal.aborted) setFound({ figures, busy: false });
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof PlanRefused)) throw error;
        if (error.problem.status === 401) return over();
        setFound((before) => ({ ...before, problem: error.problem, busy: false }));
      }
    }, PAUSE_MS);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [api, text, picture]);
  return found;
}

function Faults({ problem }: { problem: PlanProblem }) {
  const { t } = useWords();
  const list = problem.problems ?? [];
  if (list.length === 0) return <ProblemBox fault={worded(problem, t)} />;
  return (
    <div className="problem" role="alert">
      <p className="what">{t("plan.faults", { count: list.length })}</p>
      <ul>
        {list.map((fault, n) => (
          <li key={n}>
            {fault.path && <strong>{fault.path}: </strong>}
            {fault.what}; {fault.fix}
          </li>
        ))}
      </ul>
    </div>
  );
}

function File({ text, edited, edit, open }: { text: string; edited: boolean; edit(text: string): void; open(file: File | undefined): Promise<void> }) {
  const { t } = useWords();
  return (
    <details className="plan-file" open={edited || undefined}>
      <summary>{t("file")}</summary>
      <label className="field">
        <span className="small soft">{t("file.hint")}</span>
        <textarea className="input" aria-label={t("file.text")} rows={16} spellCheck={false} value={text} onChange={(e) => edit(e.target.value)} />
      </label>
      <label className="field">
        <span>{t("file.open")}</span>
        <input type="file" accept=".toml,text/plain" onChange={(e) => void open(e.target.files?.[0])} />
      </label>
    </details>
  );
}

function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
