/** An administrator signs in. The token stays in memory: a page that is loaded anew asks again. */
import { ProblemBox } from "@shared/states";
import { useWords, type Words } from "@shared/text";
import { SignInForm } from "../parts/sign-in-form";
import { PlanRefused, type PlanApi, type PlanProblem } from "./api";

export function SignIn({ api, over, done }: { api: PlanApi; over: boolean; done(): void }) {
  const { t } = useWords();
  return (
    <SignInForm
      name={{ label: t("sign-in.name") }}
      fault={(name) => (name === "" ? t("sign-in.name.fault") : undefined)}
      submit={async (name, password) => {
        await api.signIn(name, password);
        done();
      }}
      refused={(error) => (error === undefined ? over && <p role="status">{t("plan.session-over")}</p> : <ProblemBox fault={worded(problemOf(error), t)} />)}
    />
  );
}

function problemOf(error: unknown): PlanProblem {
  return error instanceof PlanRefused ? error.problem : { code: "client-fault", status: -1, what: String(error), where: "", fix: "" };
}

/** A problem in the reader's words where the page has some, else in the server's. */
export function worded(problem: PlanProblem, t: Words["t"]): PlanProblem {
  if (problem.code === "sign-in-refused") return { ...problem, what: t("sign-in.refused"), fix: t("sign-in.refused.fix") };
  if (problem.status === 0) return { ...problem, what: t("plan.offline") };
  return { ...problem, what: problem.what || t("plan.failed", { code: problem.code }) };
}
