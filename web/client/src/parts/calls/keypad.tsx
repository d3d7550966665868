/** Twelve keys; the keyboard's own digits press them too. */
import { useEffect, useState } from "react";
import { useWords } from "@shared/text";

const KEYS: [key: string, letters: string][] = [["1", ""], ["2", "ABC"], ["3", "DEF"], ["4", "GHI"], ["5", "JKL"], ["6", "MNO"], ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"], ["*", ""], ["0", "+"], ["#", ""]];
const MOST_SHOWN = 24;

export function Keypad({ onKey, shows = true }: { onKey(key: string): void; shows?: boolean }) {
  const { t } = useWords();
  const [pressed, setPressed] = useState("");
  const press = (key: string) => {
    setPressed((before) => (before + key).slice(-MOST_SHOWN));
    onKey(key);
  };
  useEffect(() => {
    if (!shows) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !/^[0-9*#]$/.test(event.key) || isWriting(event.target)) return;
      event.preventDefault();
      press(event.key);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  });
  return (
    <div className="keypad">
      {shows && (
        <output className="keypad-pressed figures" aria-label={t("call.keypad.pressed")}>
          {pressed || "\u00a0"}
        </output>
      )}
      <div className="keypad-keys">
        {KEYS.map(([key, letters]) => (
          <button key={key} type="button" className="keypad-key" onClick={() => press(key)}>
            <span className="digit">{key}</span>
            <span className="letters" aria-hidden="true">
              {letters || "\u00a0"}
            </span>
          </button>
        ))}
      </div>
    </div>
  );
}

/** Whether keys are letters where they go. */
export const isWriting = (target: EventTarget | null): boolean => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
