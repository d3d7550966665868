/**
 * Watches whether media has a path, and asks for a new one when it is lost.
 *
 * Who called asks first; the other waits a little longer, so that both seldom ask at once. Who lost the server with it, as
 * after a change of address, asks when the server is there again.
 */
import { Silence, TICK_MS, packetsOfSound } from "./silence";

interface Means {
  say(state: "flowing" | "lost" | "restoring"): void;
  /** Whether the other end is to send sound. */
  expected(): boolean;
  /** Whether the server answers; if not, another connection to it is made. */
  probe(): Promise<boolean>;
  /** Offers with new ICE credentials, once the server can be spoken with. */
  restart(): void;
  giveUp(): void;
}

/** A short gap heals by itself. */
const HEALS_MS = 1000;
const SECOND_MS = 1500;
/** An offer whose answer does not come. */
const AGAIN_MS = 6000;
/** An answer came and no path does, or none that sound comes by; ever longer. A browser may need two seconds to know its new address. */
const CONNECTS_MS = [1000, 2000, 4000, 6000];
const GIVE_UP_MS = 45_000;
/** As often as this is asked for silence alone, when the browser sees no fault. */
const MOST_FOR_SILENCE = 3;

export class Watch {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ticks: ReturnType<typeof setInterval>;
  #silence = new Silence();
  /** No sound comes, whatever the browser says of its path. */
  #silent = false;
  #asked = 0;
  #alive: Promise<boolean> | undefined;
  #lostAt: number | undefined;
  #stopped = false;

  constructor(
    private readonly connection: RTCPeerConnection,
    private readonly first: boolean,
    private readonly means: Means,
  ) {
    connection.addEventListener("iceconnectionstatechange", () => {
      // The state is that of a path found since then.
      if (this.#asked > 0) this.#silent = false;
      this.look();
    });
    connection.addEventListener("connectionstatechange", () => this.look());
    connection.addEventListener("signalingstatechange", () => this.#agreed());
    this.#ticks = setInterval(() => void this.#listen(), TICK_MS);
  }

  look(): void {
    if (this.#stopped) return;
    const state = this.connection.iceConnectionState;
    if (this.#connected()) {
      if (!this.#silent) this.#flows();
    } else if (state === "disconnected" || state === "failed") {
      if (this.#lostAt !== undefined) return;
      this.#lost();
      this.#later((state === "failed" ? 0 : HEALS_MS) + (this.first ? 0 : SECOND_MS));
    }
  }

  /** Looks for new paths now. */
  restart(): void {
    if (this.#stopped || this.connection.signalingState === "closed") return;
    clearTimeout(this.#timer);
    this.#lostAt ??= Date.now();
    this.means.say("restoring");
    this.means.restart();
    this.#later(AGAIN_MS);
  }

  lost = (): boolean => this.#lostAt !== undefined;

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#ticks);
  }

  #connected = (): boolean => ["connected", "completed"].includes(this.connection.iceConnectionState);

  #flows(): void {
    clearTimeout(this.#timer);
    this.#lostAt = undefined;
    this.#silent = false;
    this.#asked = 0;
    this.means.say("flowing");
  }

  #lost(): void {
    this.#lostAt = Date.now();
    this.means.say("lost");
  }

  /** Whoever offered: what is under way is waited for, and what was agreed gets the time to connect. */
  #agreed(): void {
    if (this.#stopped || this.#lostAt === undefined) return;
    const stable = this.connection.signalingState === "stable";
    const connects = CONNECTS_MS[Math.min(this.#asked, CONNECTS_MS.length - 1)] ?? AGAIN_MS;
    this.#later(stable ? connects + (this.first ? 0 : SECOND_MS) : AGAIN_MS);
    if (stable) this.#asked++;
  }

  async #listen(): Promise<void> {
    if (!this.means.expected()) return this.#silence.forget();
    const verdict = this.#silence.look(await packetsOfSound(this.connection));
    if (this.#stopped) return;
    if (verdict === "sound" && this.#silent) this.#flows();
    if (this.#lostAt !== undefined || !this.#connected()) return;
    if (verdict === "quiet") this.#alive = this.means.probe();
    if (verdict !== "lost") return;
    this.#silent = true;
    this.#lost();
    void (this.#alive ?? this.means.probe()).then((alive) => {
      // Without the server the offer waits for it.
      if (this.#silent) this.#later(alive && !this.first ? SECOND_MS : 0);
    });
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#stopped) return;
      if (this.#asked >= MOST_FOR_SILENCE) this.#silent = false;
      if (this.#connected() && !this.#silent) return this.look();
      if (Date.now() - (this.#lostAt ?? Date.now()) > GIVE_UP_MS) return this.means.giveUp();
      this.restart();
    }, ms);
  }
}
