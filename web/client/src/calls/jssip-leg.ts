/** A call in JsSIP: one session and its peer connection. */
import type { RTCSession } from "jssip/lib/RTCSession";
import { addressOf } from "../sip/address";
import { gatherFirst } from "./gather";
import { Watch } from "./ice-watch";
import type { Arrival, Leg, LegEvent, LegMedia } from "./leg";
import { offersVideo, screens, leaving, unbundled } from "./sdp";
import { Senders } from "./senders";
import { Turns } from "./turns";

/** Milliseconds of a tone and of the silence after it. */
const TONE = { transportType: "RFC2833", duration: 140, interToneGap: 70 };
/** Endings that JsSIP decides on for what we can mend: the media is lost, an offer did not get through. */
const MENDABLE = new Set(["RTP Timeout", "Connection Error", "WebRTC Error"]);

/** The connection to the server, as calls need it. */
export interface Signalling {
  online(): boolean;
  /** Whether the server answers; if not, another connection is made at once. */
  probe(): Promise<boolean>;
}

/** What of a session its types do not tell. */
interface Inner {
  _iceReady: boolean;
  _from_tag: string;
  _to_tag: string;
  _request: { call_id: string; body?: string };
}
type Ended = { originator: string; message: { status_code?: number; method?: string; getHeader?(name: string): string | undefined } | null; cause: string };
type Refers = { on(event: string, heard: (event: { status_line?: { status_code: number }; response?: { status_code: number } | null }) => void): void };

export class JsSipLeg implements Leg {
  readonly id: string;
  readonly from: { address: string; name: string | undefined };
  readonly senders: Senders;
  #heard: ((event: LegEvent) => void) | undefined;
  #waiting: LegEvent[] = [];
  #watch: Watch | undefined;
  #turns: Turns;
  #end: RTCSession["terminate"];
  #answered = false;

  constructor(
    readonly session: RTCSession,
    private readonly arrive: (arrival: Arrival) => void,
    private readonly signalling: Signalling,
    connection: RTCPeerConnection | undefined = session.connection,
  ) {
    this.id = session.id;
    const { uri, display_name } = session.remote_identity;
    this.from = { address: addressOf(uri.toString()), name: display_name || undefined };
    this.senders = new Senders(() => this.connection, (theirs) => this.#say({ kind: "theirs", theirs }));
    this.#turns = new Turns(session, signalling.online, () => this.#say({ kind: "trouble", what: "offer" }));
    this.#end = session.terminate.bind(session);
    session.terminate = (options) => {
      if (!session.isEstablished() || !MENDABLE.has(options?.cause ?? "")) return this.#end(options);
      if (options?.cause === "RTP Timeout") this.#watch?.look();
      else this.#turns.failed();
    };
    this.#listen();
    if (connection) this.#prepare(connection);
  }

  get connection(): RTCPeerConnection | undefined {
    return this.session.connection as RTCPeerConnection | undefined;
  }

  /** What happened before anybody listened is told first. */
  hear(heard: (event: LegEvent) => void): void {
    this.#heard = heard;
    for (const event of this.#waiting.splice(0)) heard(event);
  }

  #say(event: LegEvent): void {
    if (this.#heard) this.#heard(event);
    else this.#waiting.push(event);
  }

  #listen(): void {
    const { session } = this;
    session.on("peerconnection", ({ peerconnection }) => this.#prepare(peerconnection));
    session.on("sdp", (event) => {
      const theirs = event.originator === ("remote" as string);
      event.sdp = theirs ? unbundled(event.sdp) : leaving(event.sdp, this.senders.screenMid());
      if (theirs) this.senders.learn(screens(event.sdp));
    });
    session.on("progress", ({ originator, response }: { originator: string; response?: { body?: string } | null }) => {
      if (originator === "remote") this.#say({ kind: response?.body ? "early" : "ringing" });
    });
    const answered = () => {
      if (!this.#answered) this.#say({ kind: "answered" });
      this.#answered = true;
      this.senders.tell();
      this.#turns.go();
    };
    session.on("accepted", answered);
    session.on("confirmed", answered);
    for (const [name, on] of [["hold", true], ["unhold", false]] as const) {
      session.on(name, ({ originator }: { originator: string }) => this.#say({ kind: "held", by: originator === "local" ? "here" : "there", on }));
    }
    session.on("ended", (event) => this.#over(event as unknown as Ended));
    session.on("failed", (event) => this.#over(event as unknown as Ended));
    session.on("refer", ({ request, accept, reject }) => {
      const to = (request as unknown as { refer_to: { uri: { toString(): string } } }).refer_to.uri.toString();
      const placed = (media: LegMedia) => accept((made: RTCSession) => this.arrive({ leg: new JsSipLeg(made, this.arrive, this.signalling), video: false, placed: true }), optionsOf(media));
      this.#say({ kind: "referred", referred: { to: addressOf(to), accept: placed, reject } });
    });
    session.on("replaces", ({ request, accept }) => {
      const video = offersVideo((request as unknown as { body?: string }).body ?? "");
      accept((made: RTCSession) => this.arrive({ leg: new JsSipLeg(made, this.arrive, this.signalling), video, replaces: this.id }));
    });
  }

  #prepare(connection: RTCPeerConnection): void {
    gatherFirst(connection, () => ((this.session as unknown as Inner)._iceReady = true));
    this.senders.listen(connection);
    this.#watch = new Watch(connection, this.session.direction === ("outgoing" as string), {
      say: (state) => this.#say({ kind: "media", state }),
      expected: () => {
        const { local, remote } = this.session.isOnHold();
        return this.session.isEstablished() && !local && !remote;
      },
      probe: () => this.signalling.probe(),
      restart: () => this.#turns.add(() => (connection.restartIce(), this.session.renegotiate({}, this.#turns.done)), () => this.#watch?.lost() !== true, "restart"),
      giveUp: () => {
        this.#say({ kind: "ended", by: "here", lost: true });
        this.end();
      },
    });
  }

  #over({ originator, message }: Ended): void {
    this.#watch?.stop();
    this.#turns.stop();
    // A CANCEL says in its reason that another device took the call.
    const elsewhere = /cause=(\d+)/.exec(message?.getHeader?.("Reason") ?? "")?.[1];
    this.#say({ kind: "ended", by: originator === "remote" ? "there" : "here", status: message?.status_code ?? (elsewhere ? Number(elsewhere) : undefined) });
  }

  answer(media: LegMedia): void {
    this.session.answer(optionsOf(media));
  }

  end(status?: number): void {
    if (this.session.isEnded()) return;
    this.#end(status !== undefined && this.session.isInProgress() ? { status_code: status } : {});
  }

  hold(on: boolean): void {
    this.#turns.add(() => (on ? this.session.hold({}, this.#turns.done) : this.session.unhold({}, this.#turns.done)), () => this.session.isOnHold().local === on);
  }

  mute(on: boolean): void {
    if (on) this.session.mute({ audio: true });
    else this.session.unmute({ audio: true });
  }

  tones(digits: string): void {
    this.session.sendDTMF(digits, TONE as Parameters<RTCSession["sendDTMF"]>[1]);
  }

  setCamera(track: MediaStreamTrack | undefined): void {
    this.#turns.add(() => (this.senders.camera(track), this.session.renegotiate({}, this.#turns.done)));
  }

  setScreen(track: MediaStreamTrack | undefined): void {
    this.#turns.add(() => (this.senders.screen(track), this.session.renegotiate({}, this.#turns.done)));
  }

  setMicrophone(track: MediaStreamTrack): void {
    track.enabled = !this.session.isMuted().audio && !this.session.isOnHold().local;
    void this.senders.microphone(track);
  }

  refer(target: string): void {
    this.#follow(this.session.refer(target) as unknown as Refers | false, target);
  }

  referTo(other: Leg): void {
    const { session } = other as JsSipLeg;
    const inner = session as unknown as Inner;
    const outgoing = session.direction === ("outgoing" as string);
    // RFC 3891: its to-tag is the tag of who gets the Replaces.
    const [theirs, ours] = outgoing ? [inner._to_tag, inner._from_tag] : [inner._from_tag, inner._to_tag];
    const uri = session.remote_identity.uri.clone();
    uri.setHeader("Replaces", encodeURIComponent(`${inner._request.call_id};to-tag=${theirs};from-tag=${ours}`));
    this.#follow(this.session.refer(uri) as unknown as Refers | false, other.from.address);
  }

  #follow(refers: Refers | false, target: string): void {
    const to = addressOf(target);
    if (!refers) return this.#say({ kind: "transfer", transfer: { to, state: "failed" } });
    this.#say({ kind: "transfer", transfer: { to, state: "asked" } });
    const failed = (status: number | undefined) => this.#say({ kind: "transfer", transfer: { to, state: "failed", status } });
    for (const event of ["trying", "progress"]) refers.on(event, () => this.#say({ kind: "transfer", transfer: { to, state: "trying" } }));
    refers.on("accepted", () => this.#say({ kind: "transfer", transfer: { to, state: "done" } }));
    refers.on("failed", ({ status_line }) => failed(status_line?.status_code));
    refers.on("requestFailed", ({ response }) => failed(response?.status_code));
  }

  restart(): void {
    this.#watch?.restart();
  }

  back(): void {
    // Media that kept its path needs nothing; what could not be said meanwhile is said now.
    if (this.#watch?.lost()) this.#watch.restart();
    else this.#turns.back();
  }
}

export const optionsOf = ({ stream, configuration }: LegMedia) => ({ mediaStream: stream, pcConfig: configuration });
