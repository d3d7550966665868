/** What a page hears, sample by sample, kept while it is asked to. Runs in the page before anything else. */
export function tapSound(): void {
  const heard = { recording: false, rate: 48_000, pieces: [] as Float32Array[] };
  interface Frames {
    readonly readable: ReadableStream<AudioData>;
  }
  const Processor = (globalThis as unknown as { MediaStreamTrackProcessor: new (of: { track: MediaStreamTrack; maxBufferSize: number }) => Frames }).MediaStreamTrackProcessor;
  // A track comes again after a hold.
  const followed = new WeakSet<MediaStreamTrack>();
  const follow = async (track: MediaStreamTrack) => {
    if (followed.has(track)) return;
    followed.add(track);
    // The frames as the jitter buffer gives them, with room for two seconds: a busy page loses none.
    const reader = new Processor({ track, maxBufferSize: 200 }).readable.getReader();
    for (let { value, done } = await reader.read(); !done && value; { value, done } = await reader.read()) {
      if (heard.recording) {
        const piece = new Float32Array(value.numberOfFrames);
        value.copyTo(piece, { planeIndex: 0, format: "f32-planar" });
        heard.rate = value.sampleRate;
        heard.pieces.push(piece);
      }
      value.close();
    }
  };
  const Native = globalThis.RTCPeerConnection;
  class Tapped extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      this.addEventListener("track", ({ track }) => track.kind === "audio" && void follow(track));
    }
  }
  Object.assign(globalThis, { RTCPeerConnection: Tapped, heard });
}

/** The microphone as it is: what a room needs would change a recording. Runs in the page before anything else. */
export function plainMicrophone(): void {
  const { mediaDevices } = navigator;
  const native = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = (wanted = {}) => {
    const { audio } = wanted;
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    return native({ ...wanted, ...(audio ? { audio: { ...(audio === true ? {} : audio), ...plain } } : {}) });
  };
}

interface Heard {
  recording: boolean;
  rate: number;
  pieces: Float32Array[];
}
export function begin(): void {
  Object.assign((globalThis as unknown as { heard: Heard }).heard, { recording: true, pieces: [] });
}

/** The samples since then as 16 bits, in text: a page gives no bytes. */
export function end(): { rate: number; samples: string } {
  const { heard } = globalThis as unknown as { heard: Heard };
  heard.recording = false;
  const samples = new Int16Array(heard.pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of heard.pieces) for (const value of piece) samples[at++] = Math.round(Math.max(-1, Math.min(1, value)) * 32767);
  const bytes = new Uint8Array(samples.buffer);
  let text = "";
  for (let from = 0; from < bytes.length; from += 8192) text += String.fromCharCode(...bytes.subarray(from, from + 8192));
  return { rate: heard.rate, samples: btoa(text) };
}

/** As a WAV file. */
export function wave({ rate, samples }: { rate: number; samples: string }): Buffer {
  const body = Buffer.from(samples, "base64");
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + body.length, 4);
  head.write("WAVEfmt ", 8);
  for (const [value, at] of [[16, 16], [rate, 24], [rate * 2, 28]] as const) head.writeUInt32LE(value, at);
  for (const [value, at] of [[1, 20], [1, 22], [2, 32], [16, 34]] as const) head.writeUInt16LE(value, at);
  head.write("data", 36);
  head.writeUInt32LE(body.length, 40);
  return Buffer.concat([head, body]);
}
