/** The page's side of the media: what a call takes from the devices and plays to the speaker. A script in tests. */
import * as devices from "./devices";
import { Tones, type Ringer } from "./tones";

export interface Studio {
  tones: Ringer;
  microphone(): Promise<MediaStream>;
  camera(): Promise<MediaStream>;
  screen(): Promise<MediaStream>;
  /** Plays a call's sound until it is given none. */
  play(call: string, track: MediaStreamTrack | undefined): void;
}

export class PageStudio implements Studio {
  readonly tones = new Tones();
  readonly microphone = devices.microphone;
  readonly camera = devices.camera;
  readonly screen = devices.screen;
  #speakers = new Map<string, HTMLAudioElement>();

  constructor() {
    devices.choices.subscribe(() => this.#speakers.forEach((speaker) => void devices.toSpeaker(speaker)));
  }

  play(call: string, track: MediaStreamTrack | undefined): void {
    const speaker = this.#speakers.get(call);
    if (!track) {
      if (speaker) speaker.srcObject = null;
      this.#speakers.delete(call);
      return;
    }
    const [playing] = (speaker?.srcObject as MediaStream | null | undefined)?.getTracks() ?? [];
    if (playing === track) return;
    const element = speaker ?? new Audio();
    element.autoplay = true;
    element.srcObject = new MediaStream([track]);
    this.#speakers.set(call, element);
    void devices.toSpeaker(element).then(() => element.play()).catch(() => undefined);
  }
}
