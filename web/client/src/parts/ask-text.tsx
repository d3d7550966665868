import { useState } from "react";
import { Button } from "@shared/button";
import { Dialog } from "@shared/dialog";
import { Field } from "@shared/field";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { useAttempt, useFault } from "../core/context";

export interface AskTextProps {
  title: string;
  label: string;
  initial?: string;
  onSave(text: string): Promise<unknown>;
  onClose(): void;
}

/** One line of text, asked for in a dialog; a refusal stays in it. */
export function AskText({ title, label, initial = "", onSave, onClose }: AskTextProps) {
  const { t } = useWords();
  const fault = useFault();
  const [text, setText] = useState(initial);
  const { attempt, problem, busy } = useAttempt();
  const save = async () => {
    if (text.trim() !== "" && (await attempt(() => onSave(text.trim())))) onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {problem && <ProblemBox fault={fault(problem)} />}
        <Field label={label} value={text} maxLength={100} autoFocus onChange={(e) => setText(e.target.value)} />
        <footer>
          <Button onClick={onClose}>{t("shared.cancel")}</Button>
          <Button kind="primary" type="submit" disabled={busy || text.trim() === ""}>
            {t("shared.save")}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

export interface ConfirmProps {
  title: string;
  text: string;
  go: string;
  onGo(): Promise<unknown>;
  onClose(): void;
}

/** Asks before what cannot simply be undone. */
export function Confirm({ title, text, go, onGo, onClose }: ConfirmProps) {
  const { t } = useWords();
  const fault = useFault();
  const { attempt, problem, busy } = useAttempt();
  return (
    <Dialog title={title} onClose={onClose}>
      {problem && <ProblemBox fault={fault(problem)} />}
      <p>{text}</p>
      <footer>
        <Button onClick={onClose}>{t("shared.cancel")}</Button>
        <Button kind="danger" disabled={busy} onClick={() => void attempt(onGo).then((done) => done && onClose())}>
          {go}
        </Button>
      </footer>
    </Dialog>
  );
}
