/** The SIP connection of a browser: JsSIP over a secure WebSocket, with the session's token (RFC 8898). */
import { UA, WebSocketInterface } from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { IncomingRequest } from "jssip/lib/SIPMessage";
import type { Subscriber } from "jssip/lib/Subscriber";
import { JsSipLeg, optionsOf, type Signalling } from "../calls/jssip-leg";
import type { Leg, LegMedia } from "../calls/leg";
import { offersVideo } from "../calls/sdp";
import { addressOf } from "./address";
import type { Incoming, Link, LinkOptions, Notified, Outcome, Outgoing, WatchTarget } from "./link";

/** Seconds of a registration and of a subscription. */
const REGISTER_EXPIRES = 600;
const WATCH_EXPIRES = 1800;
/** A subscription that the server ended is asked for again after this long. */
const WATCH_AGAIN_MS = 3000;
/** One that the server keeps refusing, as of somebody who is gone, is asked for ever more seldom. */
const WATCH_AGAIN_MOST_MS = 900_000;
const REGISTER_AGAIN_MS = 5000;
/** A server that answers at all answers within this; what it costs to be wrong is another connection. */
const PROBE_MS = 600;

/** What of a user agent its types do not tell. */
interface Inner {
  transport: { disconnect(): void; connect(): void };
  sendOptions(target: string, body: undefined, options: { eventHandlers: Record<string, () => void> }): void;
}

export async function connect(options: LinkOptions): Promise<Link> {
  return new JsSipLink(options);
}

class JsSipLink implements Link {
  readonly #ua: UA;
  readonly #watches = new Set<Watch>();
  #again: ReturnType<typeof setTimeout> | undefined;
  #probing: Promise<boolean> | undefined;

  constructor(private readonly options: LinkOptions) {
    this.#ua = new UA({
      sockets: options.ws.map((url) => new WebSocketInterface(url)),
      uri: `sip:${options.address}`,
      ...(options.displayName ? { display_name: options.displayName } : {}),
      authorization_jwt: `Bearer ${options.token}`,
      instance_id: options.device,
      register: true,
      register_expires: REGISTER_EXPIRES,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 10,
      user_agent: options.userAgent,
    });
    // A dialog's Contact is the one we register with: when the connection is another, the server finds us by it.
    const { contact } = this.#ua as unknown as { contact: { uri: { toString(): string }; toString(): string } };
    contact.toString = () => `<${contact.uri.toString()}>`;
    this.#listen();
    this.#listenForCalls();
  }

  #listen(): void {
    const say = this.options.onEvent;
    this.#ua.on("connecting", () => say({ kind: "connecting" }));
    this.#ua.on("disconnected", () => say({ kind: "down" }));
    this.#ua.on("registered", () => {
      for (const watch of this.#watches) watch.renew();
      say({ kind: "up" });
    });
    this.#ua.on("registrationFailed", ({ response }) => {
      const status = response?.status_code ?? 0;
      say({ kind: "refused", status, reason: response?.reason_phrase ?? "", help: response?.getHeader("Error-Info") ?? undefined, code: diagnosticsOf(response?.getHeader("Lyceum-Diagnostics")) });
      clearTimeout(this.#again);
      this.#again = setTimeout(() => this.#ua.isConnected() && this.#ua.register(), REGISTER_AGAIN_MS);
    });
    this.#ua.on("newMessage", (event: { originator: string; request: unknown }) => {
      if (event.originator === "remote") say({ kind: "message", message: incoming(event.request as IncomingRequest) });
    });
  }

  #online = (): boolean => this.#ua.isConnected() && this.#ua.isRegistered();
  #signalling: Signalling = { online: this.#online, probe: () => this.#probe() };

  /** A connection whose address is gone says nothing of it for a long time. */
  #probe(): Promise<boolean> {
    this.#probing ??= new Promise<boolean>((done) => {
      if (!this.#online()) return done(false);
      const ua = this.#ua as unknown as Inner;
      const timer = setTimeout(() => {
        done(false);
        ua.transport.disconnect();
        ua.transport.connect();
      }, PROBE_MS);
      // Any answer will do.
      const answered = () => (clearTimeout(timer), done(true));
      ua.sendOptions(`sip:${this.options.address.replace(/.*@/, "")}`, undefined, { eventHandlers: { succeeded: answered, failed: answered } });
    }).finally(() => (this.#probing = undefined));
    return this.#probing;
  }

  /** Calls that come in; those that take the place of another are told by that one. */
  #listenForCalls(): void {
    this.#ua.on("newRTCSession", (event: { originator: string; session: RTCSession; request: unknown }) => {
      const request = event.request as IncomingRequest;
      if (event.originator !== "remote" || request.hasHeader("Replaces")) return;
      this.options.onCall({ leg: new JsSipLeg(event.session, this.options.onCall, this.#signalling), video: offersVideo(request.body ?? "") });
    });
  }

  call(target: string, media: LegMedia): Leg {
    let connection: RTCPeerConnection | undefined;
    const eventHandlers = { peerconnection: (event: { peerconnection: RTCPeerConnection }) => void (connection = event.peerconnection) };
    const session = this.#ua.call(target, { ...optionsOf(media), eventHandlers });
    return new JsSipLeg(session, this.options.onCall, this.#signalling, connection);
  }

  start(): void {
    this.#ua.start();
  }

  stop(): void {
    clearTimeout(this.#again);
    for (const watch of [...this.#watches]) watch.end();
    this.#ua.stop();
  }

  useToken(token: string): void {
    this.#ua.set("authorization_jwt", `Bearer ${token}`);
    if (this.#ua.isConnected() && !this.#ua.isRegistered()) this.#ua.register();
  }

  retry(): void {
    if (this.#ua.isConnected()) void this.#probe();
    else this.#ua.start();
    // JsSIP's own recovery waits for its timer; the transport may be asked directly.
    const transport = (this.#ua as unknown as { transport?: { connect(): void } }).transport;
    if (!this.#ua.isConnected()) transport?.connect();
  }

  send(message: Outgoing): Promise<Outcome> {
    return new Promise((done) => {
      if (!this.#ua.isConnected()) return done({ ok: false, status: 0, reason: "" });
      const extraHeaders = Object.entries(message.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
      this.#ua.sendMessage(message.to, message.body, {
        contentType: message.contentType,
        extraHeaders,
        eventHandlers: {
          succeeded: () => done({ ok: true, status: 200, reason: "" }),
          failed: ({ response }) => done({ ok: false, status: response?.status_code ?? 0, reason: response?.reason_phrase ?? "" }),
        },
      });
    });
  }

  watch(target: WatchTarget, heard: (body: Notified) => void) {
    const watch = new Watch(this.#ua, target, heard, () => this.#watches.delete(watch));
    this.#watches.add(watch);
    if (this.#ua.isRegistered()) watch.renew();
    return watch;
  }
}

/** One subscription that outlives connections: refreshed in its dialog while the server knows it, else begun anew. */
class Watch {
  #subscriber: Subscriber | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  #refusals = 0;

  constructor(
    private readonly ua: UA,
    private readonly target: WatchTarget,
    private readonly heard: (body: Notified) => void,
    private readonly onEnd: () => void,
  ) {}

  /** After a registration: the server sends the whole state in answer. */
  renew(): void {
    clearTimeout(this.#timer);
    if (this.#subscriber) this.#subscriber.subscribe();
    else this.#begin();
  }

  again(): void {
    if (this.ua.isRegistered()) this.renew();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    if (this.#subscriber && this.ua.isConnected()) this.#subscriber.terminate();
    this.onEnd();
  }

  #begin(): void {
    const { uri, event, accept, headers } = this.target;
    const subscriber = this.ua.subscribe(uri, event, accept, { expires: WATCH_EXPIRES, ...(headers ? { extraHeaders: headers } : {}) });
    this.#subscriber = subscriber;
    subscriber.on("notify", (_final, request, body, contentType) => {
      this.#refusals = 0;
      if (!this.#ended) this.heard({ contentType: request.getHeader("Content-Type") ?? contentType ?? "", body: body ?? "" });
    });
    subscriber.on("terminated", (_code, _reason, retryAfter) => {
      if (this.#subscriber !== subscriber) return;
      this.#subscriber = undefined;
      if (this.#ended) return;
      const wait = retryAfter ? retryAfter * 1000 : Math.min(WATCH_AGAIN_MS * 2 ** this.#refusals++, WATCH_AGAIN_MOST_MS);
      this.#timer = setTimeout(() => this.ua.isRegistered() && this.renew(), wait);
    });
    subscriber.subscribe();
  }
}

/** `LYS0008` of a `Lyceum-Diagnostics` header. */
function diagnosticsOf(header: string | undefined): string | undefined {
  return /LYS\d{4}/.exec(header ?? "")?.[0];
}

function incoming(request: IncomingRequest): Incoming {
  return {
    from: addressOf(request.from.uri.toString()),
    to: addressOf(request.to.uri.toString()),
    contentType: request.getHeader("Content-Type") ?? "text/plain",
    body: request.body ?? "",
    header: (name) => request.getHeader(name) ?? undefined,
  };
}
