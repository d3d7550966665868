/** What the connections of a page really do: read from `getStats`, not from what the page shows. */
import type { Page } from "playwright-core";
import { until } from "../stage";

/** Collects every connection the page makes. Runs in the page before anything else. */
export function watchConnections(): void {
  const made: RTCPeerConnection[] = [];
  const Native = globalThis.RTCPeerConnection;
  class Watched extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      made.push(this);
    }
  }
  Object.assign(globalThis, { RTCPeerConnection: Watched, made });
}

export interface Flow {
  kind: string;
  mid: string;
  /** Sound: its energy so far; pictures: frames decoded. */
  amount: number;
  packets: number;
  width: number;
}

export interface Path {
  mid: string;
  kind: string;
  localPort: number;
  localType: string;
  remoteType: string;
  fragment: string;
}

interface Found {
  flows: Flow[];
  paths: Path[];
  sent: { kind: string; packets: number }[];
}

/** The newest connection that is open. */
export async function look(page: Page): Promise<Found> {
  return page.evaluate(async () => {
    const { made } = globalThis as unknown as { made: RTCPeerConnection[] };
    const open = made.filter((each) => each.connectionState !== "closed");
    const connection = open[open.length - 1];
    if (!connection) return { flows: [], paths: [], sent: [] };
    const rows = [...(await connection.getStats()).values()] as Record<string, unknown>[];
    const by = (id: unknown) => rows.find((row) => row.id === id);
    const text = (value: unknown) => String(value ?? "");
    const flows = rows.filter((row) => row.type === "inbound-rtp").map((row) => ({ kind: text(row.kind), mid: text(row.mid), amount: Number((row.kind === "audio" ? row.totalAudioEnergy : row.framesDecoded) ?? 0), packets: Number(row.packetsReceived ?? 0), width: Number(row.frameWidth ?? 0) }));
    const sent = rows.filter((row) => row.type === "outbound-rtp").map((row) => ({ kind: text(row.kind), packets: Number(row.packetsSent ?? 0) }));
    const streams = rows.filter((row) => row.type === "inbound-rtp" || row.type === "outbound-rtp");
    const paths = streams.flatMap((row) => {
      const transport = by(row.transportId);
      const pair = by(transport?.selectedCandidatePairId);
      const [local, remote] = [by(pair?.localCandidateId), by(pair?.remoteCandidateId)];
      if (!pair || !local || !remote) return [];
      return [{ mid: text(row.mid), kind: text(row.kind), localPort: Number(local.port), localType: text(local.candidateType), remoteType: text(remote.candidateType), fragment: text(transport?.iceLocalUsernameFragment) }];
    });
    return { flows, paths, sent };
  });
}

const of = (found: Found, kind: string, mid?: string) => found.flows.find((flow) => flow.kind === kind && (mid === undefined || flow.mid === mid));

/** How much of a kind comes within a time. */
export async function grows(page: Page, kind: "audio" | "video", ms: number, mid?: string): Promise<number> {
  const before = of(await look(page), kind, mid)?.amount ?? 0;
  await page.waitForTimeout(ms);
  return (of(await look(page), kind, mid)?.amount ?? 0) - before;
}

/** The fake microphone beeps once a second: longer than that, sound has been heard or there is none. */
const BEEP_MS = 1600;
const HEARD = 1e-4;
const SILENT = 1e-6;

export async function hears(page: Page, what: string): Promise<void> {
  await until(async () => (await grows(page, "audio", BEEP_MS)) > HEARD, `${what} hears sound`, 12_000);
}

export async function hearsNothing(page: Page, what: string): Promise<void> {
  await until(async () => (await grows(page, "audio", BEEP_MS)) < SILENT, `${what} hears nothing`, 12_000);
}

export async function sees(page: Page, what: string, mid?: string): Promise<void> {
  await until(async () => (await grows(page, "video", 700, mid)) >= 3, `${what} sees pictures that move`, 15_000);
}

export async function seesNothing(page: Page, what: string, mid?: string): Promise<void> {
  await until(async () => (await grows(page, "video", 900, mid)) === 0, `${what} gets no pictures`, 12_000);
}
