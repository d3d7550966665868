/** The buttons of one call. On the calls page they stand below the picture, elsewhere in the bar. */
import { useState } from "react";
import { Button } from "@shared/button";
import { useWords } from "@shared/text";
import { useClient } from "../../core/context";
import type { Call } from "../../calls/state";
import { Keypad } from "./keypad";
import { Popover } from "./popover";
import { TransferDialog } from "./transfer";

export function Controls({ call, wide }: { call: Call; wide: boolean }) {
  const { t } = useWords();
  const { calls } = useClient();
  const [transferring, setTransferring] = useState(false);
  const talking = call.phase === "talking";
  const consulting = call.consultsFor !== undefined && talking;
  return (
    <div className="call-controls" role="group" aria-label={t("call.controls")}>
      {consulting && (
        <Button kind="primary" icon="transfer" onClick={() => calls.complete(call.id)}>
          {t("call.transfer.complete")}
        </Button>
      )}
      <Toggle icon={call.muted ? "mic-off" : "mic"} on={call.muted} label={t(call.muted ? "call.unmute" : "call.mute")} keys="M" disabled={!talking} onClick={() => calls.mute(call.id, !call.muted)} />
      <Toggle icon={call.camera ? "camera" : "camera-off"} on={call.camera} label={t(call.camera ? "call.camera.off" : "call.camera.on")} keys="V" disabled={!talking} onClick={() => void calls.camera(call.id, !call.camera)} />
      <Toggle icon="screen" on={call.screen} label={t(call.screen ? "call.screen.stop" : "call.screen.share")} keys="S" disabled={!talking || (call.theirScreen && !call.screen)} onClick={() => void calls.screen(call.id, !call.screen)} />
      <Toggle icon={call.heldHere ? "play" : "pause"} on={call.heldHere} label={t(call.heldHere ? "call.resume" : "call.hold")} keys="H" disabled={!talking} onClick={() => calls.hold(call.id, !call.heldHere)} />
      <Popover icon="keypad" label={t("call.keypad")} disabled={!talking} side={wide ? "above" : "below"}>
        <Keypad onKey={(key) => calls.tones(call.id, key)} />
      </Popover>
      <Button className="round" icon="transfer" label={t("call.transfer")} disabled={!talking || consulting} onClick={() => setTransferring(true)} />
      <Button className="round hang-up" icon="hang-up" label={t("call.hang-up")} disabled={call.phase === "ended"} onClick={() => calls.hangUp(call.id)} />
      {transferring && <TransferDialog call={call} onClose={() => setTransferring(false)} />}
    </div>
  );
}

function Toggle({ icon, on, label, keys, disabled, onClick }: { icon: Parameters<typeof Button>[0]["icon"] & string; on: boolean; label: string; keys: string; disabled: boolean; onClick(): void }) {
  return <Button className={on ? "round on" : "round"} icon={icon} label={label} aria-pressed={on} aria-keyshortcuts={keys} disabled={disabled} onClick={onClick} />;
}
