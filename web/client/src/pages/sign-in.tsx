/** The first page: address and password, or an issuer that vouches; everything else is found by itself. */
import { useEffect, useState } from "react";
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { problemOf } from "../api/api";
import type { Problem, SignInWays } from "../api/types";
import { useFault } from "../core/context";
import type { Session } from "../core/session";
import { useStore } from "../core/store";
import { SignInForm } from "../parts/sign-in-form";

export function SignIn({ session }: { session: Session }) {
  const { t } = useWords();
  const fault = useFault();
  const ended = useStore(session.state, (s) => s.problem);
  const [elsewhere, setElsewhere] = useState<Problem | undefined>(refusedElsewhere);
  const issuer = useIssuer(session);

  const submit = (address: string, password: string) => {
    setElsewhere(undefined);
    return session.signIn(address.toLowerCase(), password, deviceName());
  };
  const refused = (error: unknown) => {
    const problem = error === undefined ? elsewhere : problemOf(error);
    return problem ? <ProblemBox fault={fault(problem)} /> : ended && <Ended problem={ended} />;
  };

  return (
    <SignInForm
      name={{ label: t("sign-in.address"), hint: t("sign-in.address.hint"), type: "email", inputMode: "email" }}
      first={session.lastAddress()}
      fault={(address) => (/^[^@\s]+@[^@\s]+$/.test(address) ? undefined : t("sign-in.address.fault"))}
      submit={submit}
      refused={refused}
    >
      {(busy) =>
        issuer && (
          <Button disabled={busy} onClick={() => location.assign(session.leave(issuer.path))}>
            {t("sign-in.issuer", { name: issuer.name })}
          </Button>
        )
      }
    </SignInForm>
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
