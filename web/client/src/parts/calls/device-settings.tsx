/** Which devices calls use, and whether they work: one hears the tone, sees the level, sees oneself. */
import { useEffect, useId, useState } from "react";
import { Button } from "@shared/button";
import { Switch } from "@shared/field";
import { useWords } from "@shared/text";
import { camera, canChooseSpeaker, choices, choose, devices, faultOf, KINDS, meter, microphone, type Device, type Kind } from "../../calls/devices";
import { Tones } from "../../calls/tones";
import { useClient } from "../../core/context";
import { useStore } from "../../core/store";
import { Picture } from "./stage";

const NONE: Record<Kind, Device[]> = { microphone: [], speaker: [], camera: [] };
/** What counts as heard, of a meter's 1. */
const HEARD = 0.25;
const tones = new Tones();

export function DeviceSettings() {
  const { t } = useWords();
  const [found, setFound] = useState(NONE);
  const [testing, setTesting] = useState(false);
  const { relayOnly } = useStore(choices, (state) => state);
  useEffect(() => {
    const look = () => void devices().then(setFound);
    look();
    navigator.mediaDevices?.addEventListener("devicechange", look);
    return () => navigator.mediaDevices?.removeEventListener("devicechange", look);
  }, [testing]);
  return (
    <section className="stack devices">
      <h2>{t("devices.title")}</h2>
      <p className="soft">{t("devices.text")}</p>
      {KINDS.map((kind) => (kind === "speaker" && !canChooseSpeaker() ? <p key={kind} className="small soft">{t("devices.speaker.fixed")}</p> : <Choice key={kind} kind={kind} found={found[kind]} />))}
      <div className="row wrap">
        <Button icon="mic" onClick={() => setTesting(!testing)}>
          {t(testing ? "devices.test.stop" : "devices.test")}
        </Button>
        <Button icon="speaker" onClick={() => (tones.play(undefined), tones.play("test"))}>
          {t("devices.test.tone")}
        </Button>
      </div>
      {testing && <Test onReady={() => void devices().then(setFound)} />}
      <Switch label={t("devices.relay")} hint={t("devices.relay.hint")} on={relayOnly} onChange={(on) => choose({ relayOnly: on })} />
    </section>
  );
}

function Choice({ kind, found }: { kind: Kind; found: Device[] }) {
  const { t } = useWords();
  const { calls } = useClient();
  const id = useId();
  const chosen = useStore(choices, (state) => state[kind]);
  const change = (value: string) => {
    choose({ [kind]: value === "" ? undefined : value });
    if (kind !== "speaker") void calls.devicesChanged();
  };
  const there = found.some((device) => device.id === chosen);
  return (
    <div className="field">
      <label htmlFor={id}>{t(`devices.${kind}`)}</label>
      <select id={id} className="select" value={there ? chosen : ""} onChange={(event) => change(event.target.value)}>
        <option value="">{t("devices.system")}</option>
        {found.filter((device) => device.id !== "default").map((device, n) => (
          <option key={device.id} value={device.id}>
            {device.label || t("devices.unnamed", { count: n + 1 })}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Nothing of it is sent anywhere. */
function Test({ onReady }: { onReady(): void }) {
  const { t } = useWords();
  const { microphone: wantedMicrophone, camera: wantedCamera } = useStore(choices, (state) => state);
  const sound = useDevice(microphone, wantedMicrophone);
  const picture = useDevice(camera, wantedCamera);
  const [level, setLevel] = useState(0);
  const [heard, setHeard] = useState(false);
  useEffect(() => {
    if (sound.stream || picture.stream) onReady();
    // What is plugged in has names once one of it is in use.
  }, [sound.stream, picture.stream]);
  useEffect(() => {
    if (!sound.stream) return;
    return meter(sound.stream, (now) => {
      setLevel(now);
      if (now > HEARD) setHeard(true);
    });
  }, [sound.stream]);
  return (
    <div className="stack">
      <p className="small soft">{t("devices.test.hint")}</p>
      {sound.fault ? <p role="alert">{t(`call.trouble.microphone.${sound.fault}`)}</p> : <meter className="meter" min={0} max={1} value={level} aria-label={t("devices.level")} />}
      {!sound.fault && <p role="status">{t(heard ? "devices.level.heard" : "devices.level.silent")}</p>}
      {picture.fault && <p role="alert">{t(`call.trouble.camera.${picture.fault}`)}</p>}
      {picture.stream && <Picture track={picture.stream.getVideoTracks()[0] as MediaStreamTrack} className="mirror" label={t("call.picture.own")} />}
    </div>
  );
}

/** A device while it is looked at; it is let go at once when it is not. */
function useDevice(take: () => Promise<MediaStream>, wanted: string | undefined) {
  const [state, setState] = useState<{ stream?: MediaStream; fault?: string }>({});
  useEffect(() => {
    let here = true;
    let taken: MediaStream | undefined;
    const stop = () => taken?.getTracks().forEach((track) => track.stop());
    take().then(
      (stream) => {
        taken = stream;
        if (here) setState({ stream });
        else stop();
      },
      (error: unknown) => here && setState({ fault: faultOf(error) }),
    );
    return () => {
      here = false;
      stop();
    };
  }, [take, wanted]);
  return state;
}
