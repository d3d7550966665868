/** What the parts of a call read: the calls, the time that runs, its pictures and its network. */
import { useEffect, useRef, useState } from "react";
import { useClient } from "../core/context";
import { go } from "../core/route";
import { useStore } from "../core/store";
import { judge, sampleOf, UNKNOWN, type Quality, type Sample } from "./quality";
import { current, isLive, type Call } from "./state";

export const NOW = "now";
const LOOK_MS = 1000;
const MOST_SAMPLES = 12;

export const useCalls = (): readonly Call[] => useStore(useClient().calls.state, (state) => state.calls);
export const useCurrent = (): Call | undefined => current(useCalls());

/** Begins a call; one with pictures opens their place. */
export function usePlace(): (target: string, video?: boolean) => void {
  const client = useClient();
  return (target, video = false) => {
    void client.calls.place(target, { video });
    if (video) go("calls", NOW);
  };
}

/** The seconds of a call, as they run. */
export function useSeconds(call: Call): number {
  const [now, setNow] = useState(Date.now);
  const running = isLive(call) && call.answeredAt !== undefined;
  useEffect(() => {
    if (!running) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [running]);
  return call.answeredAt === undefined ? 0 : Math.max(0, Math.floor(((call.endedAt ?? now) - call.answeredAt) / 1000));
}

/** `1:02:03`, in figures of one width. */
export function clock(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** How the network does, looked at once a second while the call lasts. */
export function useQuality(call: Call): Quality {
  const client = useClient();
  const [quality, setQuality] = useState<Quality>(UNKNOWN);
  const samples = useRef<Sample[]>([]);
  const on = call.phase === "talking" && !call.heldHere && !call.heldThere;
  useEffect(() => {
    samples.current = [];
    setQuality(UNKNOWN);
    if (!on) return;
    const look = async () => {
      const report = await client.calls.connection(call.id)?.getStats().catch(() => undefined);
      if (!report) return;
      samples.current = [...samples.current, sampleOf([...report.values()] as Parameters<typeof sampleOf>[0], Date.now())].slice(-MOST_SAMPLES);
      setQuality(judge(samples.current));
    };
    const timer = setInterval(() => void look(), LOOK_MS);
    return () => clearInterval(timer);
  }, [client, call.id, on]);
  return quality;
}

/** A video element's source. */
export function useTrack(track: MediaStreamTrack | undefined) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    video.srcObject = track ? new MediaStream([track]) : null;
    if (track) void video.play().catch(() => undefined);
  }, [track]);
  return element;
}
