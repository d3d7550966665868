/** People's pictures, each fetched once; who has none shows initials. */
import type { Api } from "../api/api";

const held = new Map<string, Promise<string | undefined>>();
/** Pictures of a full contact list and the people around it. */
const MOST_HELD = 1200;
/** Requests at a time; a long list must not hold up a message. */
const AT_ONCE = 3;
let busy = 0;
const waiting: (() => void)[] = [];

export function photoOf(api: Api, address: string): Promise<string | undefined> {
  if (!address.includes("@")) return Promise.resolve(undefined);
  let photo = held.get(address);
  if (!photo) {
    photo = fetchOne(api, address);
    if (held.size < MOST_HELD) held.set(address, photo);
  }
  return photo;
}

/** Another person has signed in: nothing of the first one's stays. */
export function forget(): void {
  for (const photo of held.values()) void photo.then((url) => url && URL.revokeObjectURL(url));
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
