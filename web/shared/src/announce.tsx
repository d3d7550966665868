/** What screen readers hear once: new messages, state changes, the connection. */
import { useEffect, useState } from "react";

type Hear = (sentence: string) => void;
let hear: Hear | undefined;

/** Says a sentence; without an open page nothing is said. */
export function announce(sentence: string): void {
  hear?.(sentence);
}

export function Announcer() {
  const [said, setSaid] = useState({ sentence: "", turn: 0 });
  useEffect(() => {
    hear = (sentence) => setSaid((before) => ({ sentence, turn: before.turn + 1 }));
    return () => {
      hear = undefined;
    };
  }, []);
  return (
    <div className="unseen" aria-live="polite" role="log">
      {/* A new element for each, so that the same sentence twice is heard twice. */}
      <p key={said.turn}>{said.sentence}</p>
    </div>
  );
}
