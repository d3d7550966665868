/** The form of a sign-in, for the client and for the administrator's pages: a name, a password, what went wrong. */
import { useState, type ComponentProps, type FormEvent, type ReactNode } from "react";
import { Button } from "@shared/button";
import { Field } from "@shared/field";
import { useWords } from "@shared/text";
import { ThemeButton } from "./theme-button";

type FieldProps = Omit<ComponentProps<typeof Field>, "value" | "onChange" | "fault">;

interface Props {
  /** How the name is asked for. */
  name: FieldProps;
  /** What the name is at first. */
  first?: string;
  /** What is wrong with a name; nothing when it will do. */
  fault(name: string): string | undefined;
  /** Signs in; what it throws is shown by `refused`. */
  submit(name: string, password: string): Promise<void>;
  /** What was thrown, or nothing yet. */
  refused(error: unknown): ReactNode;
  /** Further ways in. */
  children?(busy: boolean): ReactNode;
}

export function SignInForm({ name: asked, first = "", fault, submit, refused, children }: Props) {
  const { t } = useWords();
  const [name, setName] = useState(first);
  const [password, setPassword] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const nameFault = fault(name.trim());

  const send = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (nameFault !== undefined || password === "") return;
    setBusy(true);
    setError(undefined);
    try {
      await submit(name.trim(), password);
    } catch (thrown) {
      setError(thrown ?? new Error("no reason"));
      setPassword("");
      setTried(false);
      setBusy(false);
    }
  };

  return (
    <main className="whole sign-in">
      <form onSubmit={send} noValidate>
        <div className="row">
          <img src="/client/icon.svg" alt="" width="36" height="36" />
          <strong className="grow">Lyceum</strong>
          <ThemeButton />
        </div>
        <div>
          <h1>{t("sign-in.title")}</h1>
          <p className="soft">{t("sign-in.lead")}</p>
        </div>
        {refused(error)}
        <Field {...asked} fault={tried ? nameFault : undefined} autoComplete="username" autoCapitalize="none" spellCheck={false} autoFocus={first === ""} value={name} onChange={(e) => setName(e.target.value)} />
        <Field label={t("sign-in.password")} fault={tried && password === "" ? t("sign-in.password.fault") : undefined} type="password" autoComplete="current-password" autoFocus={first !== ""} value={password} onChange={(e) => setPassword(e.target.value)} />
        <Button kind="primary" type="submit" disabled={busy}>
          {busy ? t("sign-in.going") : t("sign-in.go")}
        </Button>
        {children?.(busy)}
      </form>
    </main>
  );
}
