/** Every page has an address behind the `#`: the server sees none of it. */
import { useSyncExternalStore } from "react";

export type Area = "chats" | "people" | "calls" | "settings" | "help";
export interface Route {
  area: Area;
  /** The conversation, person or help page. */
  of?: string | undefined;
}

const AREAS: readonly string[] = ["chats", "people", "calls", "settings", "help"];

export function parse(hash: string): Route {
  const [area, ...rest] = hash.replace(/^#\/?/, "").split("/");
  if (!area || !AREAS.includes(area)) return { area: "chats" };
  const of = rest.map(decoded).join("/");
  return { area: area as Area, of: of === "" ? undefined : of };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

export const href = (area: Area, of?: string): string => `#/${area}${of === undefined ? "" : `/${encodeURIComponent(of)}`}`;
export const go = (area: Area, of?: string): void => {
  location.hash = href(area, of);
};

let current = typeof location === "undefined" ? parse("") : parse(location.hash);
const subscribe = (listener: () => void) => {
  const changed = () => {
    current = parse(location.hash);
    listener();
  };
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
};

export const useRoute = (): Route => useSyncExternalStore(subscribe, () => current);
