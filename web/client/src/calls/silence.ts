/**
 * Notices that sound which came all the time comes no more. A browser says that a path is lost after five seconds and more; who
 * listens knows after one.
 */

/** How often it is looked. */
export const TICK_MS = 200;
/** Looks in a row that found sound before its end is worth a word: who is silent in between, as phones that send no pauses, is not. */
const STEADY = 8;
/** Looks in a row without sound: a second. Doubled each time it was said, for it may have been a pause. */
const PATIENCE = 5;
const MOST_PATIENCE = 40;

export type Verdict = "sound" | "quiet" | "lost";

export class Silence {
  #packets = 0;
  #steady = 0;
  #quiet = 0;
  #patience = PATIENCE;

  /** With what came so far. `quiet` is said once, halfway to `lost`. */
  look(packets: number): Verdict | undefined {
    const came = packets > this.#packets;
    this.#packets = packets;
    if (came) {
      this.#steady = this.#quiet > 0 ? 1 : this.#steady + 1;
      this.#quiet = 0;
      return "sound";
    }
    if (this.#steady < STEADY) {
      this.#steady = 0;
      return undefined;
    }
    this.#quiet++;
    if (this.#quiet === Math.floor(this.#patience / 2)) return "quiet";
    if (this.#quiet !== this.#patience) return undefined;
    this.#patience = Math.min(this.#patience * 2, MOST_PATIENCE);
    this.forget();
    return "lost";
  }

  /** What comes next is new: after a hold, for example. */
  forget(): void {
    this.#steady = this.#quiet = 0;
  }
}

/** How many packets of sound came so far. A receiver asked alone tells nothing new after another path was found. */
export async function packetsOfSound(connection: RTCPeerConnection): Promise<number> {
  const rows = [...(await connection.getStats()).values()] as { type: string; kind?: string; packetsReceived?: number }[];
  return rows.reduce((sum, { type, kind, packetsReceived }) => sum + (type === "inbound-rtp" && kind === "audio" ? (packetsReceived ?? 0) : 0), 0);
}
