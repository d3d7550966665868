/** An administrator signs in. The token stays in memory: a page that is loaded anew asks again. */
import { useState, type FormEvent } from "react";
import { Button } from "@shared/button";
import { Field } from "@shared/field";
import { ProblemBox } from "@shared/states";
import { useWords, type Words } from "@shared/text";
import { ThemeButton } from "../parts/theme-button";
import { PlanRefused, type PlanApi, type PlanProblem } from "./api";

export function SignIn({ api, over, done }: { api: PlanApi; over: boolean; done(): void }) {
  const { t } = useWords();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<PlanProblem>();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (name.trim() === "" || password === "") return;
    setBusy(true);
    setProblem(undefined);
    try {
      await api.signIn(name.trim(), password);
      done();
    } catch (error) {
      setProblem(error instanceof PlanRefused ? error.problem : { code: "client-fault", status: -1, what: String(error), where: "", fix: "" });
      setPassword("");
      setTried(false);
      setBusy(false);
    }
  };

  return (
    <main className="whole sign-in">
      <form onSubmit={submit} noValidate>
        <div className="row">
          <img src="/client/icon.svg" alt="" width="36" height="36" />
          <strong className="grow">Lyceum</strong>
          <ThemeButton />
        </div>
        <div>
          <h1>{t("sign-in.title")}</h1>
          <p className="soft">{t("sign-in.lead")}</p>
        </div>
        {problem ? <ProblemBox fault={worded(problem, t)} /> : over && <p role="status">{t("plan.session-over")}</p>}
        <Field label={t("sign-in.name")} fault={tried && name.trim() === "" ? t("sign-in.name.fault") : undefined} autoComplete="username" autoCapitalize="none" spellCheck={false} autoFocus value={name} onChange={(e) => setName(e.target.value)} />
        <Field label={t("sign-in.password")} fault={tried && password === "" ? t("sign-in.password.fault") : undefined} type="password" autoComplete="current-password" value={password} onChange={(e) => setPassword(e.target.value)} />
        <Button kind="primary" type="submit" disabled={busy}>
          {busy ? t("sign-in.going") : t("sign-in.go")}
        </Button>
      </form>
    </main>
  );
}

/** A problem in the reader's words where the page has some, else in the server's. */
export function worded(problem: PlanProblem, t: Words["t"]): PlanProblem {
  if (problem.code === "sign-in-refused") return { ...problem, what: t("sign-in.refused"), fix: t("sign-in.refused.fix") };
  if (problem.status === 0) return { ...problem, what: t("plan.offline") };
  return { ...problem, what: problem.what || t("plan.failed", { code: problem.code }) };
}
