/** Microphone, speaker and camera: which ones are there, which one is chosen, and how to get at them. */
import { Store } from "../core/store";

export type Kind = "microphone" | "speaker" | "camera";
export const KINDS: readonly Kind[] = ["microphone", "speaker", "camera"];
const KIND_OF: Record<MediaDeviceKind, Kind> = { audioinput: "microphone", audiooutput: "speaker", videoinput: "camera" };

export interface Device {
  id: string;
  label: string;
}

export interface Choices {
  microphone?: string | undefined;
  speaker?: string | undefined;
  camera?: string | undefined;
  /** Media goes through the server's relay alone, so that nobody learns our address. */
  relayOnly: boolean;
}

const KEY = "lyceum.devices";
export const choices = new Store<Choices>(read());

export function choose(part: Partial<Choices>): void {
  choices.set(part);
  try {
    localStorage.setItem(KEY, JSON.stringify(choices.get()));
  } catch {
    // A browser that stores nothing forgets it with the page.
  }
}

function read(): Choices {
  try {
    return { relayOnly: false, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Choices>) };
  } catch {
    return { relayOnly: false };
  }
}

/** Why there is no sound or no picture, in the catalogue's words. */
export type DeviceFault = "blocked" | "none" | "busy" | "unsupported";

export function faultOf(error: unknown): DeviceFault {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "blocked";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "none";
  return name === "TypeError" ? "unsupported" : "busy";
}

/** What is plugged in; names stay empty until the browser was allowed to use one. */
export async function devices(): Promise<Record<Kind, Device[]>> {
  const found: Record<Kind, Device[]> = { microphone: [], speaker: [], camera: [] };
  const all = await navigator.mediaDevices?.enumerateDevices().catch(() => []);
  for (const { kind, deviceId, label } of all ?? []) if (deviceId !== "") found[KIND_OF[kind]].push({ id: deviceId, label });
  return found;
}

/** The chosen device while it is there, else whichever the system uses. */
const wanted = (id: string | undefined) => (id === undefined ? {} : { deviceId: { ideal: id } });

export const microphone = (): Promise<MediaStream> =>
  navigator.mediaDevices.getUserMedia({ audio: { ...wanted(choices.get().microphone), echoCancellation: true, noiseSuppression: true, autoGainControl: true } });

export const camera = (): Promise<MediaStream> =>
  navigator.mediaDevices.getUserMedia({ video: { ...wanted(choices.get().camera), width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } } });

export const screen = (): Promise<MediaStream> => navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });

type Sink = { setSinkId?(id: string): Promise<void> };

/** Plays to the chosen speaker, where the browser lets a page choose. */
export async function toSpeaker(sink: HTMLMediaElement | AudioContext): Promise<void> {
  await (sink as Sink).setSinkId?.(choices.get().speaker ?? "").catch(() => undefined);
}

export const canChooseSpeaker = (): boolean => typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;

/** How loud a stream is, 0 to 1, some 20 times a second until it is stopped. */
export function meter(stream: MediaStream, tell: (level: number) => void): () => void {
  const context = new AudioContext();
  const source = context.createMediaStreamSource(stream);
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    tell(levelOf(samples));
  }, 50);
  return () => {
    clearInterval(timer);
    source.disconnect();
    void context.close();
  };
}

/** A meter's deflection: -60 dB and below is 0, full scale is 1. */
export function levelOf(samples: Float32Array): number {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(samples.length, 1);
  return power === 0 ? 0 : Math.min(1, Math.max(0, 1 + (10 * Math.log10(power)) / 60));
}
