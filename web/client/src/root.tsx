/** The outermost part: which of the few whole-page states is shown. */
import { Suspense, lazy, useEffect, useState } from "react";
import { Button } from "@shared/button";
import { Empty } from "@shared/states";
import { WordsContext, useWords, type Words } from "@shared/text";
import { settings } from "./core/settings";
import { useStore } from "./core/store";
import type { Session } from "./core/session";
import { claim, tab } from "./core/tab";
import { SignIn } from "./pages/sign-in";
import { load } from "./texts/load";

const Workspace = lazy(() => import("./workspace"));

export function Root({ session, first }: { session: Session; first: Words }) {
  const [words, setWords] = useState(first);
  const language = useStore(settings, (s) => s.language);
  useEffect(() => {
    void load().then(setWords);
  }, [language]);
  return (
    <WordsContext value={words}>
      <Phase session={session} />
    </WordsContext>
  );
}

function Phase({ session }: { session: Session }) {
  const { t } = useWords();
  const { phase, problem } = useStore(session.state, (s) => s);
  const mine = useStore(tab, (s) => s.mine);
  if (mine === false) {
    return (
      <main className="whole">
        <Empty whole icon="lock" title={t("tab.title")} action={<Button kind="primary" onClick={() => claim(true)}>{t("tab.take")}</Button>}>
          {t("tab.text")}
        </Empty>
      </main>
    );
  }
  if (phase === "signed-out") return <SignIn session={session} />;
  if (phase === "starting") return <Waiting text={t(problem ? "app.waiting-server" : "app.starting")} />;
  return (
    <Suspense fallback={<Waiting text={t("app.loading")} />}>
      <Workspace session={session} />
    </Suspense>
  );
}

/** Nothing for the blink that it usually takes; then words. */
function Waiting({ text }: { text: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 700);
    return () => clearTimeout(timer);
  }, []);
  return (
    <main className="whole" aria-busy="true">
      <p role="status" className="state soft">
        {late ? text : ""}
      </p>
    </main>
  );
}
