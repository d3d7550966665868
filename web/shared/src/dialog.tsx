/** A modal window on the browser's own `<dialog>`: it keeps the focus, Esc closes, focus goes back where it was. */
import { useEffect, useId, useRef, type ReactNode } from "react";
import { Button } from "./button";
import { useWords } from "./text";

export function Dialog({ title, onClose, children, className }: { title: string; onClose(): void; children: ReactNode; className?: string }) {
  const { t } = useWords();
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      className={`dialog ${className ?? ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === box.current) onClose();
      }}
    >
      <header>
        <h2 id={id}>{title}</h2>
        <Button kind="quiet" icon="close" label={t("shared.close")} onClick={onClose} />
      </header>
      <div className="inside">{children}</div>
    </dialog>
  );
}
