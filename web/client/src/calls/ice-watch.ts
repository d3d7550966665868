/**
 * Watches whether media has a path, and asks for a new one when it is lost.
 *
 * Who called asks first; the other waits a little longer, so that both seldom ask at once.
 */

interface Means {
  say(state: "flowing" | "lost" | "restoring"): void;
  /** Offers with new ICE credentials, once the server can be spoken with. */
  restart(): void;
  giveUp(): void;
}

/** A short gap heals by itself. */
const HEALS_MS = 1000;
const SECOND_MS = 1500;
/** Asked again while there is no path, until nobody would still wait. */
const AGAIN_MS = 6000;
const GIVE_UP_MS = 45_000;

export class Watch {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lostAt: number | undefined;
  #stopped = false;

  constructor(
    private readonly connection: RTCPeerConnection,
    private readonly first: boolean,
    private readonly means: Means,
  ) {
    connection.addEventListener("iceconnectionstatechange", () => this.look());
    connection.addEventListener("connectionstatechange", () => this.look());
  }

  look(): void {
    if (this.#stopped) return;
    const state = this.connection.iceConnectionState;
    if (state === "connected" || state === "completed") {
      clearTimeout(this.#timer);
      this.#lostAt = undefined;
      this.means.say("flowing");
    } else if (state === "disconnected" || state === "failed") {
      if (this.#lostAt !== undefined) return;
      this.#lostAt = Date.now();
      this.means.say("lost");
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
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const { iceConnectionState: state } = this.connection;
      if (this.#stopped || state === "connected" || state === "completed") return this.look();
      if (Date.now() - (this.#lostAt ?? Date.now()) > GIVE_UP_MS) return this.means.giveUp();
      this.restart();
    }, ms);
  }
}
