/** What one hears of a call before there is a voice: made here, from sine waves. */
import { toSpeaker } from "./devices";

export type Tone = "ring" | "knock" | "ringback" | "busy" | "test";

interface Shape {
  /** Hertz, sounded together. */
  pitches: number[];
  /** Seconds of sound and silence, in turn. */
  pattern: number[];
  volume: number;
  repeats: boolean;
}

const SHAPES: Record<Tone, Shape> = {
  ring: { pitches: [659, 880], pattern: [0.35, 0.12, 0.35, 1.9], volume: 0.22, repeats: true },
  knock: { pitches: [659], pattern: [0.12, 3.5], volume: 0.08, repeats: true },
  ringback: { pitches: [425], pattern: [1, 4], volume: 0.1, repeats: true },
  busy: { pitches: [425], pattern: [0.48, 0.48, 0.48, 0.48], volume: 0.1, repeats: false },
  test: { pitches: [523, 659], pattern: [0.5, 0.2, 0.5, 0.2], volume: 0.2, repeats: false },
};
const DIGITS = "123A456B789C*0#D";
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];

export interface Ringer {
  play(tone: Tone | undefined): void;
  digit(digit: string): void;
}

export class Tones implements Ringer {
  #context: AudioContext | undefined;
  #playing: { tone: Tone; stop(): void } | undefined;

  /** Plays a tone until another or none is wanted. */
  play(tone: Tone | undefined): void {
    if (this.#playing?.tone === tone) return;
    this.#playing?.stop();
    this.#playing = undefined;
    if (tone === undefined || typeof AudioContext === "undefined") return;
    const context = this.#audio();
    const shape = SHAPES[tone];
    const gain = this.#sound(context, shape.pitches);
    const length = shape.pattern.reduce((sum, part) => sum + part, 0);
    const schedule = (at: number) => {
      let then = at;
      shape.pattern.forEach((part, index) => {
        if (index % 2 === 0) swell(gain, then, part, shape.volume);
        then += part;
      });
    };
    let at = context.currentTime + 0.02;
    schedule(at);
    const timer = shape.repeats ? setInterval(() => schedule((at = Math.max(at + length, context.currentTime))), length * 1000) : undefined;
    this.#playing = {
      tone,
      stop: () => {
        clearInterval(timer);
        gain.disconnect();
      },
    };
  }

  /** A key's two tones, heard by who presses it. */
  digit(digit: string): void {
    const at = DIGITS.indexOf(digit);
    if (at < 0 || typeof AudioContext === "undefined") return;
    const context = this.#audio();
    const gain = this.#sound(context, [ROWS[at >> 2] ?? 0, COLUMNS[at & 3] ?? 0]);
    swell(gain, context.currentTime, 0.12, 0.08);
    setTimeout(() => gain.disconnect(), 400);
  }

  #audio(): AudioContext {
    this.#context ??= new AudioContext();
    void toSpeaker(this.#context);
    // A page that nobody has touched yet may make no sound; the next touch lets it.
    void this.#context.resume().catch(() => undefined);
    return this.#context;
  }

  #sound(context: AudioContext, pitches: number[]): GainNode {
    const gain = context.createGain();
    gain.gain.value = 0;
    gain.connect(context.destination);
    for (const pitch of pitches) {
      const wave = context.createOscillator();
      wave.frequency.value = pitch;
      wave.connect(gain);
      wave.start();
    }
    return gain;
  }
}

function swell(gain: GainNode, at: number, seconds: number, volume: number): void {
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(volume, at + 0.02);
  gain.gain.setValueAtTime(volume, at + seconds - 0.02);
  gain.gain.linearRampToValueAtTime(0, at + seconds);
}
