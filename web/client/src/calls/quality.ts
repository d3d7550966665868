/**
 * How a call's network does: figures of `getStats`, and what they come to. Nothing is said before it is known.
 *
 * The bounds are those of ITU-T G.107 as people feel them: a loss of 1 % is not heard, 5 % is; a word that comes 400 ms
 * late makes people talk at once.
 */

/** What one look at the connection found; counters run on. */
export interface Sample {
  at: number;
  received: number;
  lost: number;
  /** Seconds. */
  jitter?: number | undefined;
  roundTrip?: number | undefined;
  /** The share lost on the way there, as the other end tells. */
  lostThere?: number | undefined;
  codec?: string | undefined;
  way?: "direct" | "relayed" | undefined;
}

export type Verdict = "unknown" | "good" | "fair" | "poor";

export interface Quality {
  verdict: Verdict;
  /** Share of 1 in the last seconds; milliseconds. */
  loss?: number | undefined;
  lostThere?: number | undefined;
  jitterMs?: number | undefined;
  roundTripMs?: number | undefined;
  codec?: string | undefined;
  way?: "direct" | "relayed" | undefined;
  /** The worst of it, for the sentence that says what to do. */
  because?: "loss" | "jitter" | "delay" | "silence" | undefined;
}

export const UNKNOWN: Quality = { verdict: "unknown" };
const LEAST_PACKETS = 50;
/** Seconds of samples that are compared. */
const SPAN_MS = 6000;
const FAIR = { loss: 0.02, jitterMs: 40, roundTripMs: 300 };
const POOR = { loss: 0.06, jitterMs: 90, roundTripMs: 600 };

/** What the last seconds come to. */
export function judge(samples: readonly Sample[]): Quality {
  const last = samples[samples.length - 1];
  const first = samples.find((sample) => last && last.at - sample.at <= SPAN_MS);
  if (!last || !first || last === first) return UNKNOWN;
  const [received, lost] = [last.received - first.received, Math.max(0, last.lost - first.lost)];
  const known: Quality = { verdict: "unknown", jitterMs: ms(last.jitter), roundTripMs: ms(last.roundTrip), lostThere: last.lostThere, codec: last.codec, way: last.way };
  // Nothing came at all though it did before: that is known.
  if (received <= 0 && last.received > 0 && last.at - first.at >= SPAN_MS / 2) return { ...known, verdict: "poor", because: "silence" };
  if (received + lost < LEAST_PACKETS) return known;
  return { ...known, loss: lost / (received + lost), ...verdictOf(Math.max(lost / (received + lost), last.lostThere ?? 0), known) };
}

function verdictOf(loss: number, { jitterMs = 0, roundTripMs = 0 }: Quality): Pick<Quality, "verdict" | "because"> {
  for (const [verdict, bound] of [["poor", POOR], ["fair", FAIR]] as const) {
    if (loss > bound.loss) return { verdict, because: "loss" };
    if (roundTripMs > bound.roundTripMs) return { verdict, because: "delay" };
    if (jitterMs > bound.jitterMs) return { verdict, because: "jitter" };
  }
  return { verdict: "good" };
}

const ms = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : Math.round(seconds * 1000));

type Row = Record<string, unknown> & { id: string; type: string };

/** What matters of a report, for sound. */
export function sampleOf(rows: Iterable<Row>, at: number): Sample {
  const all = [...rows];
  const by = (id: unknown) => all.find((row) => row.id === id);
  const audio = (type: string) => all.find((row) => row.type === type && row.kind === "audio");
  const [come, there] = [audio("inbound-rtp"), audio("remote-inbound-rtp")];
  const pair = by(by(come?.transportId ?? audio("outbound-rtp")?.transportId)?.selectedCandidatePairId);
  const kinds = [by(pair?.localCandidateId), by(pair?.remoteCandidateId)].map((row) => row?.candidateType);
  const codec = by(come?.codecId);
  const number = (value: unknown) => (typeof value === "number" ? value : undefined);
  return {
    at,
    received: number(come?.packetsReceived) ?? 0,
    lost: number(come?.packetsLost) ?? 0,
    jitter: number(come?.jitter),
    roundTrip: number(there?.roundTripTime) ?? number(pair?.currentRoundTripTime),
    lostThere: number(there?.fractionLost),
    codec: typeof codec?.mimeType === "string" ? codec.mimeType.replace(/^audio\//, "") : undefined,
    way: pair === undefined ? undefined : kinds.includes("relay") ? "relayed" : "direct",
  };
}
