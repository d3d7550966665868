/** What is known of people's states, and how it is shown. */
import type { PresenceKind } from "@shared/presence";
import type { PresenceView } from "../api/types";
import type { ListNotice } from "../sip/rlmi";
import { Store } from "./store";

export interface PresenceState {
  of: ReadonlyMap<string, PresenceView>;
  /** The first whole list has come. */
  known: boolean;
  /** Since when nothing new can come; what is shown is as of then. */
  staleSince?: number | undefined;
}

export class PresenceBook {
  readonly state = new Store<PresenceState>({ of: new Map(), known: false });
  #version = -1;

  /** Takes a notice in. False when one before it is missing and the whole list must be asked for. */
  hear(notice: ListNotice): boolean {
    const isList = notice.version >= 0;
    const gap = isList && !notice.full && notice.version !== this.#version + 1;
    if (isList) this.#version = notice.version;
    const of = new Map(this.state.get().of);
    for (const { address, view, state } of notice.people) {
      if (view) of.set(address, view);
      // A long list comes in pieces: of who is still to come the last known state stays.
      else if (state !== "pending") of.delete(address);
    }
    this.state.set((state) => ({ ...state, of, known: state.known || (isList && notice.full), staleSince: undefined }));
    return !gap;
  }

  /** What was asked for by the API, of people who are no contacts. */
  put(views: PresenceView[]): void {
    const of = new Map(this.state.get().of);
    for (const view of views) of.set(view.address.toLowerCase(), view);
    this.state.set({ of });
  }

  stale(since: number): void {
    if (this.state.get().staleSince === undefined) this.state.set({ staleSince: since });
  }

  fresh(): void {
    this.state.set({ staleSince: undefined });
  }
}

/** Lync's bands; what the server has not said is unknown, never offline. */
export function kindOf(view: PresenceView | undefined): PresenceKind {
  const n = view?.availability ?? 0;
  if (n <= 0) return "unknown";
  if (n < 4500) return "available";
  if (n < 6000) return "idle";
  if (n < 9000) return "busy";
  if (n < 12000) return "dnd";
  if (n < 18000) return "away";
  return "offline";
}

const WORDS = new Set(["available", "inactive", "busy", "on-the-phone", "in-a-meeting", "do-not-disturb", "presenting", "be-right-back", "away", "off-work", "out-of-office", "offline"]);
const WORD_OF_KIND: Record<PresenceKind, string> = { available: "available", idle: "inactive", busy: "busy", dnd: "do-not-disturb", away: "away", offline: "offline", unknown: "unknown" };

/** The catalogue's key for a state's word. */
export function wordOf(view: PresenceView | undefined): string {
  const kind = kindOf(view);
  if (kind === "unknown" || !view) return "presence.unknown";
  return `presence.${WORDS.has(view.activity) ? view.activity : WORD_OF_KIND[kind]}`;
}
