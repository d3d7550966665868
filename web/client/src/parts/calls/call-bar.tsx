/** A call never hides: a bar on top, wherever one is; and who calls now. */
import { useEffect } from "react";
import { announce } from "@shared/announce";
import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { useWords } from "@shared/text";
import { NOW, useCalls, useCurrent } from "../../calls/hooks";
import { isLive, type Call } from "../../calls/state";
import { useClient } from "../../core/context";
import { go, href, useRoute } from "../../core/route";
import { Face } from "../face";
import { Controls } from "./controls";
import { isWriting } from "./keypad";
import { Network } from "./network";
import { useCallWords, usePartner } from "./words";

export function CallBars() {
  const { t } = useWords();
  const calls = useCalls();
  const now = useCurrent();
  const { area, of } = useRoute();
  useCallKeys();
  const open = area === "calls" && of === NOW;
  const shown = calls.filter((call) => call.phase !== "incoming");
  if (shown.length === 0) return null;
  return (
    <section className="call-bars" aria-label={t("call.region")} tabIndex={-1}>
      {shown.map((call) => (
        <Bar key={call.id} call={call} current={call === now} controls={!open || call !== now} />
      ))}
    </section>
  );
}

function Bar({ call, current, controls }: { call: Call; current: boolean; controls: boolean }) {
  const { t } = useWords();
  const client = useClient();
  const name = usePartner(call.with, call.name);
  const words = useCallWords(call);
  useTold(call, name);
  const ended = !isLive(call);
  return (
    <div className={`call-bar ${call.phase}${call.heldHere ? " held" : ""}`} data-with={call.with}>
      <a className="call-bar-who" href={href("calls", NOW)} title={t("call.show")}>
        <Face address={call.with} size="small" />
        <span className="call-bar-words">
          <span className="ellipsis block">
            <strong>{name}</strong>
            {call.consultsFor !== undefined && <span className="soft"> · {t("call.consulting")}</span>}
          </span>
          <span className="small figures ellipsis block">{words}</span>
        </span>
        {call.screen && (
          <span className="call-mark small">
            <Icon name="screen" /> {t("call.screen.on")}
          </span>
        )}
      </a>
      {call.phase === "talking" && controls && <Network call={call} />}
      <Trouble call={call} />
      {ended ? (
        <span className="row">
          {call.direction === "out" && call.ending?.how !== "hung-up" && call.ending?.how !== "transferred" && (
            <Button icon="phone" onClick={() => (client.calls.forget(call.id), void client.calls.place(call.with))}>
              {t("call.again")}
            </Button>
          )}
          <Button kind="quiet" icon="close" label={t("shared.dismiss")} onClick={() => client.calls.forget(call.id)} />
        </span>
      ) : current ? (
        controls && <Controls call={call} wide={false} />
      ) : (
        <Waiting call={call} />
      )}
    </div>
  );
}

/** A call beside the one that is spoken in. */
function Waiting({ call }: { call: Call }) {
  const { t } = useWords();
  const { calls } = useClient();
  return (
    <span className="row">
      {call.heldHere && (
        <Button icon="play" onClick={() => calls.hold(call.id, false)}>
          {t("call.swap")}
        </Button>
      )}
      <Button className="round hang-up" icon="hang-up" label={t("call.hang-up")} onClick={() => calls.hangUp(call.id)} />
    </span>
  );
}

function Trouble({ call }: { call: Call }) {
  const { t } = useWords();
  const failed = call.transfer?.state === "failed";
  if (!failed && !call.trouble) return null;
  return (
    <span className="call-trouble small" role="alert">
      <Icon name="warning" />
      {failed ? t("call.transfer.failed", { status: call.transfer?.status ?? "" }) : t(`call.trouble.${call.trouble ?? ""}`)}
    </span>
  );
}

/** Screen readers hear once what changes. */
function useTold(call: Call, name: string): void {
  const { t } = useWords();
  const what = call.phase === "ended" ? `call.ended.${call.ending?.how ?? "hung-up"}` : call.phase === "talking" ? (call.media === "lost" ? "call.media.lost" : call.heldThere ? "call.held.there" : call.heldHere ? "call.held.here" : "call.talking") : `call.${call.phase}`;
  useEffect(() => announce(`${name}: ${t(what)}`), [what]);
}

/** M, V, H and S act on the call one speaks in; F6 goes to it. */
function useCallKeys(): void {
  const { calls } = useClient();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "F6") {
        const there = document.querySelector<HTMLElement>(".incoming button, .call-bars");
        if (!there) return;
        event.preventDefault();
        return there.focus();
      }
      const call = calls.current();
      if (!call || call.phase !== "talking" || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target) || document.querySelector("dialog[open]")) return;
      const act = { m: () => calls.mute(call.id, !call.muted), v: () => void calls.camera(call.id, !call.camera), h: () => calls.hold(call.id, !call.heldHere), s: () => void calls.screen(call.id, !call.screen) }[event.key.toLowerCase()];
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [calls]);
}

/** The place of a call's pictures opens by itself when the first one comes. */
export function useOpensForPictures(): void {
  const calls = useCalls();
  const some = calls.some((call) => call.phase === "talking" && !call.heldHere && (call.theirCamera || call.theirScreen));
  useEffect(() => {
    if (some) go("calls", NOW);
  }, [some]);
}
