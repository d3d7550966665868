/**
 * One call as the page knows it: a value, and what each event makes of it. No JsSIP, no browser, no clock.
 *
 * | phase      | event                    | next       | what follows |
 * |------------|--------------------------|------------|--------------|
 * | calling    | ringing                  | ringing    | one hears that it rings there |
 * | calling, ringing | answered           | talking    | the time runs |
 * | incoming   | taken (by the person)    | connecting | camera and microphone are asked for |
 * | connecting | answered                 | talking    | the time runs |
 * | talking    | media lost               | talking    | said; the media is set up anew, the call goes on |
 * | talking    | held, resumed            | talking    | who holds is shown |
 * | any        | ended                    | ended      | how it ended stays readable for a moment |
 * | ended      | anything                 | ended      | nothing: a call ends once |
 */

export type Phase = "calling" | "ringing" | "incoming" | "connecting" | "talking" | "ended";

/** How the media goes, whatever the signalling says. */
export type MediaState = "waiting" | "flowing" | "lost" | "restoring";

export type Ending =
  | "hung-up"
  | "cancelled"
  | "missed"
  | "declined"
  | "busy"
  | "no-answer"
  | "not-found"
  | "not-allowed"
  | "elsewhere"
  | "transferred"
  | "media-lost"
  | "no-device"
  | "failed";

export interface Transfer {
  to: string;
  state: "asked" | "trying" | "done" | "failed";
  /** What the other end answered, when it failed. */
  status?: number | undefined;
}

export interface Call {
  id: string;
  /** The address or number of the other end. */
  with: string;
  /** What the other end calls itself. */
  name?: string | undefined;
  direction: "in" | "out";
  phase: Phase;
  /** The caller offers video. */
  offersVideo: boolean;
  begunAt: number;
  answeredAt?: number | undefined;
  endedAt?: number | undefined;
  media: MediaState;
  muted: boolean;
  /** Our camera and our screen are sent. */
  camera: boolean;
  screen: boolean;
  /** Theirs come. */
  theirCamera: boolean;
  theirScreen: boolean;
  heldHere: boolean;
  heldThere: boolean;
  transfer?: Transfer | undefined;
  /** The call that this one asks for, before it is handed over. */
  consultsFor?: string | undefined;
  ending?: { how: Ending; by: "here" | "there"; status?: number | undefined } | undefined;
  /** Something that was asked for did not work; the call goes on. */
  trouble?: string | undefined;
}

export type CallEvent =
  | { kind: "ringing" }
  | { kind: "taken" }
  | { kind: "answered"; at: number }
  | { kind: "media"; state: MediaState }
  | { kind: "muted"; on: boolean }
  | { kind: "camera"; on: boolean }
  | { kind: "screen"; on: boolean }
  | { kind: "theirs"; camera: boolean; screen: boolean }
  | { kind: "held"; by: "here" | "there"; on: boolean }
  | { kind: "transfer"; transfer: Transfer | undefined }
  | { kind: "with"; address: string; name: string | undefined }
  | { kind: "trouble"; what: string | undefined }
  | { kind: "ended"; at: number; by: "here" | "there"; how?: Ending; status?: number | undefined };

export interface Beginning {
  id: string;
  with: string;
  name?: string | undefined;
  at: number;
  video: boolean;
}

const bare = { media: "waiting", muted: false, camera: false, screen: false, theirCamera: false, theirScreen: false, heldHere: false, heldThere: false } as const;

export const outgoing = ({ id, with: other, name, at, video }: Beginning): Call => ({ ...bare, id, with: other, name, direction: "out", phase: "calling", offersVideo: false, begunAt: at, camera: video });
export const incoming = ({ id, with: other, name, at, video }: Beginning): Call => ({ ...bare, id, with: other, name, direction: "in", phase: "incoming", offersVideo: video, begunAt: at });

/** What an event makes of a call; the same value when it changes nothing. */
export function next(call: Call, event: CallEvent): Call {
  if (call.phase === "ended") return call;
  switch (event.kind) {
    case "ringing":
      return call.phase === "calling" ? { ...call, phase: "ringing" } : call;
    case "taken":
      return call.phase === "incoming" ? { ...call, phase: "connecting" } : call;
    case "answered":
      return call.phase === "talking" ? call : { ...call, phase: "talking", answeredAt: event.at };
    case "media":
      return call.media === event.state ? call : { ...call, media: event.state };
    case "muted":
      return { ...call, muted: event.on };
    case "camera":
      return { ...call, camera: event.on };
    case "screen":
      return { ...call, screen: event.on };
    case "theirs":
      return call.theirCamera === event.camera && call.theirScreen === event.screen ? call : { ...call, theirCamera: event.camera, theirScreen: event.screen };
    case "held":
      return event.by === "here" ? { ...call, heldHere: event.on } : { ...call, heldThere: event.on };
    case "transfer":
      return { ...call, transfer: event.transfer };
    case "with":
      return { ...call, with: event.address, name: event.name };
    case "trouble":
      return { ...call, trouble: event.what };
    case "ended":
      return { ...call, phase: "ended", endedAt: event.at, screen: false, camera: false, ending: { how: event.how ?? howEnded(call, event), by: event.by, status: event.status } };
  }
}

/** In words that a person knows, from who ended it, when, and with which status. */
function howEnded(call: Call, { by, status }: { by: "here" | "there"; status?: number | undefined }): Ending {
  if (call.transfer?.state === "done") return "transferred";
  if (call.phase === "talking") return "hung-up";
  if (call.direction === "in") return by === "here" ? "declined" : status === 200 ? "elsewhere" : "missed";
  if (by === "here" && status === undefined) return "cancelled";
  return ofStatus(status ?? 0);
}

export function ofStatus(status: number): Ending {
  if (status === 486 || status === 600) return "busy";
  if (status === 603 || status === 607) return "declined";
  if (status === 408 || status === 480 || status === 487) return "no-answer";
  if ([404, 410, 416, 484, 604].includes(status)) return "not-found";
  if (status === 401 || status === 403) return "not-allowed";
  return "failed";
}

export const isLive = (call: Call): boolean => call.phase !== "ended";
/** Whether one hears the other now, as far as both want it. */
export const isHeld = (call: Call): boolean => call.heldHere || call.heldThere;
/** The call that controls and keys act on: the one that is not held here, the newest first. */
export function current(calls: readonly Call[]): Call | undefined {
  const busy = calls.filter((call) => isLive(call) && call.phase !== "incoming");
  const speaking = busy.filter((call) => !call.heldHere);
  const of = speaking.length > 0 ? speaking : busy;
  return of[of.length - 1];
}
