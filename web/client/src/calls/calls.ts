/**
 * The calls of the signed-in person: what the page asks for becomes what legs do, and what legs tell becomes state.
 *
 * One speaks in one call at a time: who takes, places or resumes a call holds the others.
 */
import { Store } from "../core/store";
import type { LinkFactory } from "../sip/link";
import { faultOf } from "./devices";
import type { Arrival, Leg, LegEvent, LegMedia, Theirs } from "./leg";
import { current, incoming, isLive, next, outgoing, type Call, type CallEvent } from "./state";
import type { Studio } from "./studio";

type Link = Awaited<ReturnType<LinkFactory>>;

/** More calls at once are answered with busy. */
export const MOST_CALLS = 6;
const BUSY = 486;
const DECLINE = 603;
/** How long one can read how a call ended. */
const READ_MS = 4000;
const READ_FAULT_MS = 9000;
/** Who handed us over ends the old call; if not, we do. */
const HANDED_OVER_MS = 3000;

export interface CallsState {
  calls: readonly Call[];
}

interface Line {
  leg: Leg | undefined;
  stream: MediaStream | undefined;
  screen: MediaStream | undefined;
  theirs: Theirs;
  early: boolean;
}

export interface Surroundings {
  link(): Link | undefined;
  studio: Studio;
  configuration(): Promise<RTCConfiguration>;
  /** Where numbers are called. */
  domain: string;
  now(): number;
  /** A call rings here. */
  onRing(call: Call): void;
  /** A call is over: the history has one more. */
  onOver(call: Call): void;
  /** Whether to ring aloud. */
  quiet(): boolean;
}

const NOTHING: Theirs = { audio: undefined, camera: undefined, screen: undefined };

export class Calls {
  readonly state = new Store<CallsState>({ calls: [] });
  #lines = new Map<string, Line>();
  #stopped = false;

  constructor(private readonly around: Surroundings) {}

  get = (id: string): Call | undefined => this.state.get().calls.find((call) => call.id === id);
  current = (): Call | undefined => current(this.state.get().calls);
  theirs = (id: string): Theirs => this.#lines.get(id)?.theirs ?? NOTHING;
  own = (id: string): { camera: MediaStreamTrack | undefined; screen: MediaStreamTrack | undefined } => {
    const line = this.#lines.get(id);
    return { camera: line?.stream?.getVideoTracks()[0], screen: line?.screen?.getVideoTracks()[0] };
  };
  connection = (id: string): RTCPeerConnection | undefined => this.#lines.get(id)?.leg?.connection;

  stop(): void {
    this.#stopped = true;
    this.around.studio.tones.play(undefined);
    for (const [id, line] of this.#lines) {
      line.leg?.end();
      this.#release(id);
    }
  }

  // What the person does.

  /** Calls an address or a number. */
  async place(target: string, { video = false, consultsFor }: { video?: boolean; consultsFor?: string | undefined } = {}): Promise<string | undefined> {
    const link = this.around.link();
    if (!link || this.state.get().calls.filter(isLive).length >= MOST_CALLS) return undefined;
    const id = crypto.randomUUID();
    this.#begin({ ...outgoing({ id, with: target, at: this.around.now(), video }), consultsFor }, undefined);
    this.#holdOthers(id);
    const media = await this.#media(id, video);
    if (!media) return id;
    const leg = link.call(uriOf(target, this.around.domain), media);
    this.#attach(id, leg);
    return id;
  }

  async answer(id: string, video: boolean): Promise<void> {
    const line = this.#lines.get(id);
    if (!line?.leg || this.get(id)?.phase !== "incoming") return;
    this.#change(id, { kind: "taken" });
    this.#holdOthers(id);
    const media = await this.#media(id, video);
    if (media) line.leg.answer(media);
    else line.leg.end(480);
  }

  decline = (id: string): void => this.#lines.get(id)?.leg?.end(DECLINE);

  hangUp(id: string): void {
    const line = this.#lines.get(id);
    if (line?.leg) line.leg.end();
    else this.#change(id, { kind: "ended", at: this.around.now(), by: "here" });
  }

  hold(id: string, on: boolean): void {
    if (!on) this.#holdOthers(id);
    this.#lines.get(id)?.leg?.hold(on);
  }

  mute(id: string, on: boolean): void {
    const line = this.#lines.get(id);
    for (const track of line?.stream?.getAudioTracks() ?? []) track.enabled = !on;
    line?.leg?.mute(on);
    this.#change(id, { kind: "muted", on });
  }

  async camera(id: string, on: boolean): Promise<void> {
    const line = this.#lines.get(id);
    if (!line?.leg || !line.stream || this.get(id)?.phase !== "talking") return;
    for (const track of line.stream.getVideoTracks()) (track.stop(), line.stream.removeTrack(track));
    const found = on ? await this.#device("camera", id) : undefined;
    const track = found?.getVideoTracks()[0];
    if (on && !track) return;
    if (track) line.stream.addTrack(track);
    line.leg.setCamera(track);
    this.#change(id, { kind: "camera", on: track !== undefined });
  }

  async screen(id: string, on: boolean): Promise<void> {
    const line = this.#lines.get(id);
    if (!line?.leg || this.get(id)?.phase !== "talking") return;
    if (!on) return this.#endScreen(id);
    const stream = await this.around.studio.screen().catch(() => undefined);
    const track = stream?.getVideoTracks()[0];
    // Nobody chose anything: that is an answer, not a fault.
    if (!track) return;
    line.screen = stream;
    track.addEventListener("ended", () => this.#endScreen(id));
    line.leg.setScreen(track);
    this.#change(id, { kind: "screen", on: true });
  }

  tones(id: string, digits: string): void {
    this.around.studio.tones.digit(digits);
    if (this.get(id)?.phase === "talking") this.#lines.get(id)?.leg?.tones(digits);
  }

  /** Hands the other end over to somebody who is not asked first. */
  transfer(id: string, target: string): void {
    this.hold(id, true);
    this.#lines.get(id)?.leg?.refer(uriOf(target, this.around.domain));
  }

  /** Asks somebody first; `complete` then hands over. */
  consult = (id: string, target: string): Promise<string | undefined> => this.place(target, { consultsFor: id });

  complete(consultation: string): void {
    const first = this.get(consultation)?.consultsFor;
    const [leg, other] = [first === undefined ? undefined : this.#lines.get(first)?.leg, this.#lines.get(consultation)?.leg];
    if (leg && other) leg.referTo(other);
  }

  /** Another microphone or camera was chosen: calls under way change too. */
  async devicesChanged(): Promise<void> {
    for (const call of this.state.get().calls.filter(isLive)) {
      const line = this.#lines.get(call.id);
      if (!line?.leg || !line.stream) continue;
      const track = (await this.#device("microphone", call.id))?.getAudioTracks()[0];
      if (!track) continue;
      for (const old of line.stream.getAudioTracks()) (old.stop(), line.stream.removeTrack(old));
      line.stream.addTrack(track);
      line.leg.setMicrophone(track);
      if (call.camera) await this.camera(call.id, true);
    }
  }

  /** The browser has another network. */
  networkChanged = (): void => this.#legs((leg) => leg.restart());
  /** The connection to the server is back; media that has a path keeps it. */
  back = (): void => this.#legs((leg) => leg.back());

  // What comes.

  arrive = ({ leg, video, replaces, placed }: Arrival): void => {
    if (this.#stopped || this.state.get().calls.filter(isLive).length >= MOST_CALLS) return leg.end(BUSY);
    const { address, name } = leg.from;
    const beginning = { id: leg.id, with: address, name, at: this.around.now(), video };
    this.#begin(placed ? outgoing({ ...beginning, video: false }) : incoming(beginning), leg);
    if (placed) return;
    const old = replaces === undefined ? undefined : [...this.#lines].find(([, line]) => line.leg?.id === replaces)?.[0];
    if (old !== undefined) return void this.answer(leg.id, this.get(old)?.camera ?? false);
    const call = this.get(leg.id);
    if (call) this.around.onRing(call);
  };

  #heard(id: string, event: LegEvent): void {
    const line = this.#lines.get(id);
    if (!line) return;
    switch (event.kind) {
      case "early":
        line.early = true;
        return this.#change(id, { kind: "ringing" });
      case "answered":
        return this.#change(id, { kind: "answered", at: this.around.now() });
      case "theirs":
        line.theirs = event.theirs;
        this.around.studio.play(id, event.theirs.audio);
        return this.#change(id, { kind: "theirs", camera: event.theirs.camera !== undefined, screen: event.theirs.screen !== undefined });
      case "transfer":
        this.#change(id, event);
        if (event.transfer.state === "done") line.leg?.end();
        return;
      case "referred":
        return void this.#referred(id, event.referred);
      case "ended":
        return this.#change(id, { kind: "ended", at: this.around.now(), by: event.by, status: event.status, ...(event.lost ? { how: "media-lost" as const } : {}) });
      default:
        return this.#change(id, event);
    }
  }

  /** Somebody hands us over: we follow, and the old call ends when the new one stands. */
  async #referred(id: string, referred: Extract<LegEvent, { kind: "referred" }>["referred"]): Promise<void> {
    const media = await this.#capture(id, false);
    if (!media) return referred.reject();
    const before = new Set(this.#lines.keys());
    referred.accept(media);
    const made = [...this.#lines.keys()].find((key) => !before.has(key));
    const line = made === undefined ? undefined : this.#lines.get(made);
    if (!line || made === undefined) return;
    line.stream = media.stream;
    const old = this.#lines.get(id)?.leg;
    const stop = this.state.subscribe(() => {
      const phase = this.get(made)?.phase;
      if (phase === "talking") setTimeout(() => old?.end(), HANDED_OVER_MS);
      if (phase !== "calling" && phase !== "ringing") stop();
    });
  }

  // How it is kept.

  #begin(call: Call, leg: Leg | undefined): void {
    this.#lines.set(call.id, { leg: undefined, stream: undefined, screen: undefined, theirs: NOTHING, early: false });
    this.state.set(({ calls }) => ({ calls: [...calls, call] }));
    if (leg) this.#attach(call.id, leg);
    this.#sound();
  }

  #attach(id: string, leg: Leg): void {
    const line = this.#lines.get(id);
    // The person gave up while the microphone was asked for.
    if (!line || !this.#live(id)) return leg.end();
    line.leg = leg;
    leg.hear((event) => this.#heard(id, event));
  }

  #live(id: string): boolean {
    const call = this.get(id);
    return call !== undefined && isLive(call);
  }

  #change(id: string, event: CallEvent): void {
    const before = this.get(id);
    if (!before) return;
    const after = next(before, event);
    if (after === before) return;
    this.state.set(({ calls }) => ({ calls: calls.map((call) => (call.id === id ? after : call)) }));
    if (after.phase === "ended" && before.phase !== "ended") this.#over(after);
    this.#sound();
  }

  #over(call: Call): void {
    this.#release(call.id);
    this.around.onOver(call);
    const fault = call.ending?.how !== "hung-up" && call.ending?.how !== "transferred" && call.ending?.by === "there";
    setTimeout(() => this.forget(call.id), fault ? READ_FAULT_MS : READ_MS);
  }

  /** An ended call is no longer shown. */
  forget = (id: string): void => {
    if (this.#live(id)) return;
    this.#lines.delete(id);
    this.state.set(({ calls }) => ({ calls: calls.filter((call) => call.id !== id) }));
    this.#sound();
  };

  #release(id: string): void {
    const line = this.#lines.get(id);
    for (const stream of [line?.stream, line?.screen]) stream?.getTracks().forEach((track) => track.stop());
    this.around.studio.play(id, undefined);
  }

  #endScreen(id: string): void {
    const line = this.#lines.get(id);
    if (!line?.screen) return;
    line.screen.getTracks().forEach((track) => track.stop());
    line.screen = undefined;
    if (this.#live(id)) line.leg?.setScreen(undefined);
    this.#change(id, { kind: "screen", on: false });
  }

  #holdOthers(id: string): void {
    for (const call of this.state.get().calls) {
      if (call.id !== id && call.phase === "talking" && !call.heldHere && !call.transfer) this.#lines.get(call.id)?.leg?.hold(true);
    }
  }

  #legs(act: (leg: Leg) => void): void {
    for (const [id, { leg }] of this.#lines) if (leg && this.get(id)?.phase === "talking") act(leg);
  }

  async #media(id: string, video: boolean): Promise<LegMedia | undefined> {
    const media = await this.#capture(id, video);
    const line = this.#lines.get(id);
    if (media && line && this.#live(id)) line.stream = media.stream;
    else media?.stream.getTracks().forEach((track) => track.stop());
    return media && this.#live(id) ? media : undefined;
  }

  /** Sound is needed; a picture that cannot be had is said and done without. */
  async #capture(id: string, video: boolean): Promise<LegMedia | undefined> {
    const [configuration, stream] = await Promise.all([this.around.configuration(), this.#device("microphone", id)]);
    if (!stream) {
      this.#change(id, { kind: "ended", at: this.around.now(), by: "here", how: "no-device" });
      return undefined;
    }
    const picture = video ? await this.#device("camera", id) : undefined;
    for (const track of picture?.getVideoTracks() ?? []) stream.addTrack(track);
    this.#change(id, { kind: "camera", on: picture !== undefined });
    return { stream, configuration };
  }

  async #device(kind: "microphone" | "camera", id: string): Promise<MediaStream | undefined> {
    try {
      return await this.around.studio[kind]();
    } catch (error) {
      this.#change(id, { kind: "trouble", what: `${kind}.${faultOf(error)}` });
      return undefined;
    }
  }

  /** One tone at most: what rings here, else what rings there, else that somebody is busy. */
  #sound(): void {
    const { calls } = this.state.get();
    const talking = calls.some((call) => call.phase === "talking" && !call.heldHere);
    const { tones } = this.around.studio;
    if (calls.some((call) => call.phase === "incoming")) return tones.play(this.around.quiet() ? undefined : talking ? "knock" : "ring");
    if (calls.some((call) => call.phase === "ringing" && !this.#lines.get(call.id)?.early)) return tones.play("ringback");
    tones.play(calls.some((call) => call.ending?.how === "busy") && !talking ? "busy" : undefined);
  }
}

/** `anna@example.org` as it is; a number in our own domain, where the server reads it by the dial plan. */
export function uriOf(target: string, domain: string): string {
  if (target.includes("@")) return `sip:${target}`;
  return `sip:${dialled(target)}@${domain};user=phone`;
}

/** What of something typed is dialled: digits, plus, star and hash. */
export const dialled = (text: string): string => text.replace(/^tel:/, "").replace(/[^\d+*#]/g, "");

/** Whether something typed is a number: digits with what people put between them. */
export const isNumber = (text: string): boolean => /^(tel:)?[+(\d*#][\d\s()/.*#-]*$/.test(text.trim()) && /[\d*#]/.test(dialled(text));
