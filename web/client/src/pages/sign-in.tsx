/** The first page: address and password, or an issuer that vouches; everything else is found by itself. */
import { useEffect, useState, type FormEvent } from "react";
import { Button } from "@shared/button";
import { Field } from "@shared/field";
import { Icon } from "@shared/icon";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { problemOf } from "../api/api";
import type { Problem, SignInWays } from "../api/types";
import { useFault } from "../core/context";
import type { Session } from "../core/session";
import { useStore } from "../core/store";
import { ThemeButton } from "../parts/theme-button";

export function SignIn({ session }: { session: Session }) {
  const { t } = useWords();
  const fault = useFault();
  const ended = useStore(session.state, (s) => s.problem);
  const [address, setAddress] = useState(session.lastAddress());
  const [password, setPassword] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>(refusedElsewhere);
  const issuer = useIssuer(session);
  const addressFault = tried && !/^[^@\s]+@[^@\s]+$/.test(address.trim()) ? t("sign-in.address.fault") : undefined;
  const passwordFault = tried && password === "" ? t("sign-in.password.fault") : undefined;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!/^[^@\s]+@[^@\s]+$/.test(address.trim()) || password === "") return;
    setBusy(true);
    setProblem(undefined);
    try {
      await session.signIn(address.trim().toLowerCase(), password, deviceName());
    } catch (error) {
      setProblem(problemOf(error));
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
        {problem ? <ProblemBox fault={fault(problem)} /> : ended && <Ended problem={ended} />}
        <Field label={t("sign-in.address")} hint={t("sign-in.address.hint")} fault={addressFault} type="email" inputMode="email" autoComplete="username" autoCapitalize="none" spellCheck={false} autoFocus={address === ""} value={address} onChange={(e) => setAddress(e.target.value)} />
        <Field label={t("sign-in.password")} fault={passwordFault} type="password" autoComplete="current-password" autoFocus={address !== ""} value={password} onChange={(e) => setPassword(e.target.value)} />
        <Button kind="primary" type="submit" disabled={busy}>
          {busy ? t("sign-in.going") : t("sign-in.go")}
        </Button>
        {issuer && (
          <Button disabled={busy} onClick={() => location.assign(session.leave(issuer.path))}>
            {t("sign-in.issuer", { name: issuer.name })}
          </Button>
        )}
      </form>
    </main>
  );
}

/** The issuer that vouches for people here, when there is one. */
function useIssuer(session: Session): SignInWays["issuer"] {
  const [issuer, setIssuer] = useState<SignInWays["issuer"]>();
  useEffect(() => {
    // Without an answer there is no button; the password is asked for all the same.
    session.api.signInWays().then((ways) => setIssuer(ways.issuer), () => undefined);
  }, [session]);
  return issuer;
}

/** Why the issuer's sign-in led back here; said once. */
function refusedElsewhere(): Problem | undefined {
  const code = new URLSearchParams(location.search).get("sign-in");
  if (!code || !/^[a-z-]{1,40}$/.test(code)) return undefined;
  history.replaceState(null, "", location.pathname);
  return { code, status: 0, what: "", where: "", fix: "" };
}

function Ended({ problem }: { problem: Problem }) {
  const { t } = useWords();
  const fault = useFault()(problem);
  return (
    <div className="problem" role="status">
      <p className="what row">
        <Icon name="lock" /> {t("sign-in.ended")}
      </p>
      <p>{fault.what}</p>
    </div>
  );
}

/** What the list of one's devices calls this one. */
function deviceName(): string {
  const agent = navigator.userAgent;
  const browser = /Firefox/.test(agent) ? "Firefox" : /Edg\//.test(agent) ? "Edge" : /Chrom/.test(agent) ? "Chrome" : /Safari/.test(agent) ? "Safari" : "Browser";
  const system = /Android/.test(agent) ? "Android" : /iPhone|iPad/.test(agent) ? "iOS" : /Windows/.test(agent) ? "Windows" : /Mac/.test(agent) ? "macOS" : /Linux/.test(agent) ? "Linux" : "";
  return system ? `${browser}, ${system}` : browser;
}
