/** The call one speaks in, at full size: screen before camera before face, oneself small, the buttons below. */
import { Icon } from "@shared/icon";
import { useWords } from "@shared/text";
import { useTrack } from "../../calls/hooks";
import { isHeld, type Call } from "../../calls/state";
import { useClient } from "../../core/context";
import { href } from "../../core/route";
import { Face } from "../face";
import { Controls } from "./controls";
import { Network } from "./network";
import { useCallWords, usePartner } from "./words";

export function CallStage({ call }: { call: Call }) {
  const { t } = useWords();
  const { calls } = useClient();
  const name = usePartner(call.with, call.name);
  const words = useCallWords(call);
  const theirs = calls.theirs(call.id);
  const own = calls.own(call.id);
  const shows = !isHeld(call) && call.phase === "talking";
  const screen = shows && call.theirScreen ? theirs.screen : undefined;
  const camera = shows && call.theirCamera ? theirs.camera : undefined;
  return (
    <section className="stage" aria-label={t("call.with", { name })}>
      <a className="button icon-only back" href={href("calls")} aria-label={t("calls.back")}>
        <Icon name="back" />
      </a>
      <div className="stage-picture">
        {screen ? (
          <Picture track={screen} className="main screen" label={t("call.picture.screen", { name })} />
        ) : camera ? (
          <Picture track={camera} className="main" label={t("call.picture.camera", { name })} />
        ) : (
          <div className="stage-face">
            <Face address={call.with} size="large" />
          </div>
        )}
        {screen && camera && <Picture track={camera} className="small theirs" label={t("call.picture.camera", { name })} />}
        {shows && call.camera && own.camera && <Picture track={own.camera} className="small own" label={t("call.picture.own")} />}
      </div>
      <div className="stage-words">
        <h1 className="ellipsis">{name}</h1>
        <p className="figures row">
          {words}
          {call.phase === "talking" && <Network call={call} side="above" words />}
        </p>
        {call.screen && <p className="small">{t("call.screen.they-see")}</p>}
      </div>
      <Controls call={call} wide />
    </section>
  );
}

export function Picture({ track, className, label }: { track: MediaStreamTrack; className: string; label: string }) {
  const video = useTrack(track);
  return <video ref={video} className={className} aria-label={label} muted playsInline autoPlay />;
}
