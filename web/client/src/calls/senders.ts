/** Which of a connection's transceivers carries what: one for sound, one for the camera, one for the screen. */
import type { Theirs } from "./leg";

/** A screen is text: sharp rather than smooth. */
const HINT = "detail";

export class Senders {
  #screens = new Set<string>();
  #screen: RTCRtpTransceiver | undefined;

  constructor(
    private readonly connection: () => RTCPeerConnection | undefined,
    private readonly changed: (theirs: Theirs) => void,
  ) {}

  listen(connection: RTCPeerConnection): void {
    connection.addEventListener("track", this.tell);
    connection.addEventListener("signalingstatechange", () => connection.signalingState === "stable" && this.tell());
  }

  /** The other end said which sections are screens. */
  learn(mids: ReadonlySet<string>): void {
    for (const mid of mids) this.#screens.add(mid);
  }

  /** The section of our own description that the other end must know for a screen. */
  screenMid(): string | null | undefined {
    return this.#screenLine()?.mid;
  }

  tell = (): void => this.changed(this.theirs());

  theirs(): Theirs {
    const found: Theirs = { audio: undefined, camera: undefined, screen: undefined };
    const screen = this.#screenLine();
    for (const line of this.#lines()) {
      if (line.currentDirection !== "sendrecv" && line.currentDirection !== "recvonly") continue;
      const { track } = line.receiver;
      if (track.kind === "audio") found.audio ??= track;
      else if (line === screen) found.screen = track;
      else found.camera ??= track;
    }
    return found;
  }

  camera(track: MediaStreamTrack | undefined): void {
    const screen = this.#screenLine();
    const line = this.#lines().find((each) => each !== screen && each.receiver.track.kind === "video");
    if (line) this.#put(line, track, "sendrecv", "recvonly");
    else if (track) this.connection()?.addTransceiver(track, { direction: "sendrecv" });
  }

  screen(track: MediaStreamTrack | undefined): void {
    if (track) track.contentHint = HINT;
    const line = this.#screenLine();
    // Idle it still takes the other end's screen.
    if (line) this.#put(line, track, "sendonly", "recvonly");
    else if (track) this.#screen = this.connection()?.addTransceiver(track, { direction: "sendonly" });
  }

  async microphone(track: MediaStreamTrack): Promise<void> {
    const line = this.#lines().find((each) => each.receiver.track.kind === "audio");
    await line?.sender.replaceTrack(track);
  }

  #put(line: RTCRtpTransceiver, track: MediaStreamTrack | undefined, sending: RTCRtpTransceiverDirection, idle: RTCRtpTransceiverDirection): void {
    void line.sender.replaceTrack(track ?? null);
    line.direction = track ? sending : idle;
  }

  #screenLine(): RTCRtpTransceiver | undefined {
    return this.#screen ?? this.#lines().find((line) => line.mid !== null && this.#screens.has(line.mid));
  }

  #lines(): RTCRtpTransceiver[] {
    return this.connection()?.getTransceivers().filter((line) => line.currentDirection !== "stopped") ?? [];
  }
}
