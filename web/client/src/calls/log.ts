/** One's own calls as the server recorded them, newest first, and which missed ones nobody has looked at yet. */
import { problemOf, type Api } from "../api/api";
import type { CallItem, Problem } from "../api/types";
import { Store } from "../core/store";

export interface LogState {
  phase: "loading" | "ready" | "failed";
  items: readonly CallItem[];
  next?: string | undefined;
  busy: boolean;
  problem?: Problem | undefined;
  /** Missed calls up to here were looked at. */
  seen: number;
}

const KEY = "lyceum.calls-seen";
/** The server writes a call's record when it is over; a moment later it is there. */
const AFTER_MS = 700;

export const isMissed = (item: CallItem): boolean => item.outcome === "missed";

export class CallLog {
  readonly state: Store<LogState>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly api: Api,
    private readonly address: string,
  ) {
    this.state = new Store<LogState>({ phase: "loading", items: [], busy: false, seen: this.#remembered() });
  }

  async load(): Promise<void> {
    try {
      const page = await this.api.calls();
      this.state.set({ phase: "ready", items: page.items, next: page.next ?? undefined, problem: undefined });
    } catch (error) {
      if (this.state.get().phase !== "ready") this.state.set({ phase: "failed", problem: problemOf(error) });
    }
  }

  async older(): Promise<void> {
    const { next, busy } = this.state.get();
    if (next === undefined || busy) return;
    this.state.set({ busy: true });
    try {
      const page = await this.api.calls(next);
      this.state.set((state) => ({ ...state, items: joined(state.items, page.items), next: page.next ?? undefined, busy: false, problem: undefined }));
    } catch (error) {
      this.state.set({ busy: false, problem: problemOf(error) });
    }
  }

  /** A call is over. */
  changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), AFTER_MS);
  }

  unseen = (): number => unseen(this.state.get());

  /** The list was on the screen. */
  look(): void {
    const newest = Math.max(0, ...this.state.get().items.map((item) => Date.parse(item.started)));
    if (newest <= this.state.get().seen) return;
    this.state.set({ seen: newest });
    try {
      localStorage.setItem(`${KEY}.${this.address}`, String(newest));
    } catch {
      // Marked again after the next visit.
    }
  }

  #remembered(): number {
    try {
      return Number(localStorage.getItem(`${KEY}.${this.address}`) ?? 0);
    } catch {
      return 0;
    }
  }
}

export const unseen = ({ items, seen }: Pick<LogState, "items" | "seen">): number => items.filter((item) => isMissed(item) && Date.parse(item.started) > seen).length;

function joined(before: readonly CallItem[], more: readonly CallItem[]): CallItem[] {
  const known = new Set(before.map((item) => item.id));
  return [...before, ...more.filter((item) => !known.has(item.id))];
}
