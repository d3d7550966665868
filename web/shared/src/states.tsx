/** What stands where content would: nothing yet, still coming, gone wrong, not allowed. */
import { useEffect, useState, type ReactNode } from "react";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";
import { useWords } from "./text";

/** Says what belongs here and offers the first step. */
export function Empty({ icon, title, whole, children, action }: { icon: IconName; title: string; whole?: boolean; children?: ReactNode; action?: ReactNode }) {
  // Where it is the whole page its title is the page's.
  const Title = whole ? "h1" : "h2";
  return (
    <div className="state">
      <Icon name={icon} />
      <Title>{title}</Title>
      {children && <p className="soft">{children}</p>}
      {action}
    </div>
  );
}

/** Bones of a list; after a second, words. */
export function Loading({ what, rows = 4 }: { what: string; rows?: number }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 1000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status">
      {late ? <p className="small soft state">{what}</p> : <span className="unseen">{what}</span>}
      {Array.from({ length: rows }, (_, row) => (
        <div className="skeleton" key={row} aria-hidden="true">
          <i className="disc" />
          <span className="lines">
            <i />
            <i />
          </span>
        </div>
      ))}
    </div>
  );
}

/** What a refusal says: what, where, what to do, and its code. */
export interface Fault {
  code: string;
  status: number;
  what: string;
  where?: string | undefined;
  fix: string;
}

export interface ProblemBoxProps {
  fault: Fault;
  again?: (() => void) | undefined;
  dismiss?: (() => void) | undefined;
  /** The address of the page that explains the code. */
  page?: ((code: string) => string) | undefined;
}

export function ProblemBox({ fault, again, dismiss, page }: ProblemBoxProps) {
  const { t } = useWords();
  return (
    <div className="problem" role="alert">
      <p className="what">{fault.what}</p>
      <p>{fault.status === 403 ? `${fault.fix} ${t("shared.who-grants")}` : fault.fix}</p>
      <div className="row">
        <span className="small soft grow">
          {t("shared.code")} {page ? <a href={page(fault.code)}>{fault.code}</a> : <span>{fault.code}</span>}
        </span>
        {again && <Button onClick={again}>{t("shared.again")}</Button>}
        {dismiss && <Button onClick={dismiss}>{t("shared.dismiss")}</Button>}
      </div>
    </div>
  );
}
