/**
 * Offers of one call, one after the other. An offer may have to wait for another under way, may cross one of the other
 * end's, or may be lost with the connection: then what stands is offered anew.
 */
import type { RTCSession } from "jssip/lib/RTCSession";

const AGAIN_MS = 150;
/** How often an offer waits for its turn, and how often one that failed is made again. */
const MOST_WAITS = 100;
const MOST_FAILURES = 4;
const MOST_QUEUED = 16;

interface Turn {
  act: () => boolean;
  /** Whether there is nothing left to do. */
  over: () => boolean;
  /** Of turns with the same name one waits at most. */
  name?: string | undefined;
}

export class Turns {
  #queue: Turn[] = [];
  #busy = false;
  #failures = 0;
  #waits = 0;
  #owed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: RTCSession,
    /** Whether the server can be spoken with: without it turns wait, however long. */
    private readonly online: () => boolean,
    private readonly trouble: () => void,
  ) {}

  add(act: () => boolean, over: () => boolean = () => false, name?: string): void {
    if (name !== undefined && this.#queue.some((turn) => turn.name === name)) return;
    if (this.#queue.length >= MOST_QUEUED) return this.trouble();
    this.#queue.push({ act, over, name });
    this.go();
  }

  go = (): void => {
    clearTimeout(this.#timer);
    const turn = this.#queue[0];
    if (!turn || this.#busy) return;
    if (turn.over()) {
      this.#queue.shift();
      return this.go();
    }
    if (!this.online()) {
      this.#waits = 0;
      return this.#later(AGAIN_MS);
    }
    const ready = this.session.isEstablished() && this.session.isReadyToReOffer();
    if (!ready) return this.#later(AGAIN_MS);
    this.#queue.shift();
    this.#waits = 0;
    this.#busy = turn.act();
    if (!this.#busy) this.go();
  };

  done = (): void => {
    this.#busy = false;
    this.#failures = 0;
    this.#owed = false;
    this.go();
  };

  /** The offer was refused or never arrived: the connection is put back, and what stands now is offered again. */
  failed(): void {
    this.#busy = false;
    this.#owed = true;
    const { connection } = this.session;
    if (connection.signalingState === "have-local-offer") void connection.setLocalDescription({ type: "rollback" }).catch(() => undefined);
    if (++this.#failures > MOST_FAILURES) return this.trouble();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.back(), 1000 * this.#failures);
  }

  /** The connection to the server is back: what was lost with it is offered. */
  back(): void {
    if (!this.#owed) return;
    this.#owed = false;
    this.add(() => this.session.renegotiate({}, this.done), () => false, "offer");
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  #later(ms: number): void {
    if (++this.#waits > MOST_WAITS) {
      this.#waits = 0;
      this.#queue = [];
      return this.trouble();
    }
    this.#timer = setTimeout(this.go, ms);
  }
}
