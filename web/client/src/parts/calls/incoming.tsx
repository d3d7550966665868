/** Somebody calls: who, and what one can do. It takes the focus only where nobody writes. */
import { useEffect, useRef } from "react";
import { announce } from "@shared/announce";
import { Button } from "@shared/button";
import { useWords } from "@shared/text";
import { NOW, useCalls } from "../../calls/hooks";
import type { Call } from "../../calls/state";
import { useClient } from "../../core/context";
import { go } from "../../core/route";
import { Face } from "../face";
import { isWriting } from "./keypad";
import { shown, useKnown, usePartner } from "./words";

export function IncomingCalls() {
  const calls = useCalls().filter((call) => call.phase === "incoming" || (call.phase === "connecting" && call.direction === "in"));
  if (calls.length === 0) return null;
  return (
    <div className="incoming-calls">
      {calls.map((call) => (
        <Incoming key={call.id} call={call} />
      ))}
    </div>
  );
}

function Incoming({ call }: { call: Call }) {
  const { t } = useWords();
  const { calls } = useClient();
  const name = usePartner(call.with, call.name);
  useKnown(call.with);
  const box = useRef<HTMLElement>(null);
  const busy = useCalls().some((other) => other.id !== call.id && other.phase === "talking");
  useEffect(() => {
    announce(t(call.offersVideo ? "call.incoming.video" : "call.incoming.from", { name }));
    if (!isWriting(document.activeElement)) box.current?.querySelector("button")?.focus();
  }, [call.id]);
  const answer = (video: boolean) => {
    void calls.answer(call.id, video);
    if (call.offersVideo) go("calls", NOW);
  };
  return (
    <section className="incoming" role="alertdialog" aria-label={t("call.incoming.from", { name })} ref={box}>
      <div className="row">
        <Face address={call.with} size="large" />
        <div className="grow">
          <p className="small soft">{t(call.offersVideo ? "call.incoming.kind-video" : "call.incoming.kind")}</p>
          <p className="incoming-name">{name}</p>
          {shown(call.with) !== name && <p className="small soft ellipsis">{shown(call.with)}</p>}
          {busy && <p className="small soft">{t("call.incoming.holds")}</p>}
        </div>
      </div>
      <div className="row wrap">
        <Button className="answer" icon="phone" disabled={call.phase !== "incoming"} onClick={() => answer(false)}>
          {t("call.answer")}
        </Button>
        <Button icon="camera" disabled={call.phase !== "incoming"} onClick={() => answer(true)}>
          {t("call.answer.video")}
        </Button>
        <Button kind="danger" icon="hang-up" onClick={() => calls.decline(call.id)}>
          {t("call.decline")}
        </Button>
      </div>
    </section>
  );
}
