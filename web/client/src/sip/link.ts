/** What the client asks of its SIP connection. JsSIP stands behind it in the browser, a script in tests. */
import type { Arrival, Leg, LegMedia } from "../calls/leg";

export interface Outgoing {
  to: string;
  contentType: string;
  body: string;
  headers?: Record<string, string>;
}

export interface Incoming {
  from: string;
  to: string;
  contentType: string;
  body: string;
  header(name: string): string | undefined;
}

/** What came of a request. */
export interface Outcome {
  ok: boolean;
  /** 0 when nothing was heard. */
  status: number;
  reason: string;
}

export interface Notified {
  contentType: string;
  body: string;
}

export interface WatchTarget {
  uri: string;
  event: string;
  accept: string;
  headers?: string[];
}

export type LinkEvent =
  | { kind: "connecting" }
  | { kind: "up" }
  | { kind: "down" }
  /** The server answered our registration with a refusal. */
  | { kind: "refused"; status: number; reason: string; help?: string | undefined; /** `Lyceum-Diagnostics`, as `LYS0008`. */ code?: string | undefined }
  | { kind: "message"; message: Incoming };

export interface Link {
  start(): void;
  stop(): void;
  useToken(token: string): void;
  /** Tries now what would be tried later, as when the browser says that it has a network again. */
  retry(): void;
  send(message: Outgoing): Promise<Outcome>;
  /** Calls a SIP address. */
  call(target: string, media: LegMedia): Leg;
  /** Subscribes, now and after every reconnection. The result ends it; `again` asks for the whole state anew. */
  watch(target: WatchTarget, heard: (body: Notified) => void): { end(): void; again(): void };
}

export interface LinkOptions {
  ws: string[];
  address: string;
  displayName: string | undefined;
  device: string;
  token: string;
  userAgent: string;
  onEvent(event: LinkEvent): void;
  /** Somebody calls, or somebody we are asked to call instead. */
  onCall(arrival: Arrival): void;
}

export type LinkFactory = (options: LinkOptions) => Promise<Link>;
