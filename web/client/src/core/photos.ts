/** People's pictures, each fetched once; who has none shows initials. */
import type { Api } from "../api/api";
import { Store } from "./store";

const held = new Map<string, { photo: Promise<string | undefined>; at: number }>();
/** Counts up when one's own picture changed: faces on the screen look again. */
export const changes = new Store<number>(0);
/** Pictures of a full contact list and the people around it. */
const MOST_HELD = 1200;
/** Somebody else's new picture is seen after this long, without loading the page anew. */
const OLD_MS = 10 * 60_000;
/** Requests at a time; a long list must not hold up a message. */
const AT_ONCE = 3;
let busy = 0;
const waiting: (() => void)[] = [];

export function photoOf(api: Api, address: string): Promise<string | undefined> {
  if (!address.includes("@")) return Promise.resolve(undefined);
  const known = held.get(address);
  if (known && Date.now() - known.at < OLD_MS) return known.photo;
  const photo = fetchOne(api, address);
  if (known || held.size < MOST_HELD) held.set(address, { photo, at: Date.now() });
  return photo;
}

/** One's own picture is another now. */
export function renew(address: string): void {
  held.delete(address);
  changes.set((count) => count + 1);
}

/** Another person has signed in: nothing of the first one's stays. */
export function forget(): void {
  for (const { photo } of held.values()) void photo.then((url) => url && URL.revokeObjectURL(url));
  held.clear();
}

async function fetchOne(api: Api, address: string): Promise<string | undefined> {
  while (busy >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
  busy++;
  try {
    const blob = await api.photo(address);
    return blob && blob.size > 0 ? URL.createObjectURL(blob) : undefined;
  } catch {
    held.delete(address);
    return undefined;
  } finally {
    busy--;
    waiting.shift()?.();
  }
}
