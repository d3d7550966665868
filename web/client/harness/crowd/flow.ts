/** When media came, by the page's own clock: what passes while nobody looks is not missed. */
export interface Sample {
  /** Milliseconds since 1970, the same clock for all programs of a machine. */
  at: number;
  /** Packets of sound that came so far, on the newest connection. */
  packets: number;
  ice: string;
}

/** Runs in the page before anything else, after `watchConnections`. */
export function watchFlow(): void {
  const EVERY_MS = 50;
  const MOST = 20_000;
  const samples: Sample[] = [];
  const take = async () => {
    const { made } = globalThis as unknown as { made: RTCPeerConnection[] };
    const connection = made.filter((each) => each.connectionState !== "closed").at(-1);
    if (connection) {
      const rows = [...(await connection.getStats()).values()] as Record<string, unknown>[];
      const packets = rows.filter((row) => row.type === "inbound-rtp" && row.kind === "audio").reduce((sum, row) => sum + Number(row.packetsReceived ?? 0), 0);
      samples.push({ at: Date.now(), packets, ice: connection.iceConnectionState });
      if (samples.length > MOST) samples.splice(0, MOST / 2);
    }
    setTimeout(take, EVERY_MS);
  };
  void take();
  Object.assign(globalThis, { flowSamples: samples });
}

/** What was taken since then. */
export const flowSince = (since: number): Sample[] => (globalThis as unknown as { flowSamples: Sample[] }).flowSamples.filter(({ at }) => at >= since);
