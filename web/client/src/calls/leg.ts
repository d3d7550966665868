/** What the calls ask of one SIP dialog with its media. JsSIP stands behind it in the browser, a script in tests. */
import type { Transfer } from "./state";

export interface LegMedia {
  stream: MediaStream;
  configuration: RTCConfiguration;
}

/** What comes from the other end, by what it is. */
export interface Theirs {
  audio: MediaStreamTrack | undefined;
  camera: MediaStreamTrack | undefined;
  screen: MediaStreamTrack | undefined;
}

/** Somebody asks us to call somebody else instead. */
export interface Referred {
  to: string;
  /** Calls there; the call with who asked ends by itself. */
  accept(media: LegMedia): void;
  reject(): void;
}

export type LegEvent =
  | { kind: "ringing" }
  /** The other end sends sound before it answers: its own tone, an announcement. */
  | { kind: "early" }
  | { kind: "answered" }
  | { kind: "held"; by: "here" | "there"; on: boolean }
  | { kind: "theirs"; theirs: Theirs }
  | { kind: "media"; state: "flowing" | "lost" | "restoring" }
  | { kind: "transfer"; transfer: Transfer }
  | { kind: "referred"; referred: Referred }
  | { kind: "trouble"; what: string | undefined }
  | { kind: "ended"; by: "here" | "there"; status?: number | undefined; lost?: boolean | undefined };

export interface Leg {
  readonly id: string;
  /** Whom the other end says to be. */
  readonly from: { address: string; name: string | undefined };
  readonly connection: RTCPeerConnection | undefined;
  hear(heard: (event: LegEvent) => void): void;
  answer(media: LegMedia): void;
  /** Before it is answered: declines or gives up; after: hangs up. */
  end(status?: number): void;
  hold(on: boolean): void;
  mute(on: boolean): void;
  tones(digits: string): void;
  /** Sends this camera, or none. */
  setCamera(track: MediaStreamTrack | undefined): void;
  setScreen(track: MediaStreamTrack | undefined): void;
  setMicrophone(track: MediaStreamTrack): void;
  refer(target: string): void;
  /** Hands over to the other end of a second call. */
  referTo(other: Leg): void;
  /** Looks for new paths for the media, as after a change of network. */
  restart(): void;
  /** The connection to the server is back. */
  back(): void;
}

/** A call that comes in, or that takes the place of one we have. */
export interface Arrival {
  leg: Leg;
  video: boolean;
  /** The call it takes the place of (RFC 3891): it is answered without asking. */
  replaces?: string | undefined;
  /** We place it ourselves because somebody asked us to. */
  placed?: boolean | undefined;
}
