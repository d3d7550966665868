/** A resource list's notice (RFC 4662): a table of contents and one presence document per contact. */
import type { Person, PresenceView } from "../api/types";
import { mediaType, split, type Part } from "./multipart";
import { readCard, readPidf } from "./pidf";
import { children, parse } from "./xml";

export interface ListNotice {
  version: number;
  full: boolean;
  /** Everybody the notice speaks of. A person without a view is on the list, and nothing is known. */
  people: { address: string; view: PresenceView | undefined; card: Person | undefined; state: string }[];
}

export function readList(contentType: string, body: string): ListNotice | undefined {
  const parts = split(contentType, body);
  const table = parts.find((part) => mediaType(part.contentType) === "application/rlmi+xml");
  const root = table && parse(table.body);
  if (!root || root.localName !== "list") return undefined;
  const byId = new Map(parts.map((part) => [part.contentId, part]));
  return {
    version: Number(root.getAttribute("version")) || 0,
    full: root.getAttribute("fullState") === "true" || root.getAttribute("fullState") === "1",
    people: children(root, "resource").map((resource) => person(resource, byId)),
  };
}

function person(resource: Element, byId: Map<string | undefined, Part>): ListNotice["people"][number] {
  const address = (resource.getAttribute("uri") ?? "").replace(/^(sips?|pres):/i, "").toLowerCase();
  const instance = children(resource, "instance")[0];
  const part = byId.get(instance?.getAttribute("cid") ?? "");
  return { address, view: part && readPidf(part.body, address), card: part && readCard(part.body, address), state: instance?.getAttribute("state") ?? "pending" };
}

/** Any presence notice: a list's or one person's. */
export function readNotice(contentType: string, body: string): ListNotice | undefined {
  if (mediaType(contentType) !== "application/pidf+xml") return readList(contentType, body);
  const view = readPidf(body);
  return view && { version: -1, full: false, people: [{ address: view.address, view, card: readCard(body, view.address), state: "active" }] };
}
