/** Small bodies about messages: who types (RFC 3994), what was delivered and read (RFC 5438). */
import { child, escape, parse, textOf } from "./xml";

export const COMPOSING = "application/im-iscomposing+xml";
export const IMDN = "message/imdn+xml";

export function writeComposing(active: boolean, refreshSeconds: number): string {
  const refresh = active ? `<refresh>${refreshSeconds}</refresh>` : "";
  return `<?xml version="1.0" encoding="UTF-8"?>\r\n<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>${active ? "active" : "idle"}</state><contenttype>text/plain</contenttype>${refresh}</isComposing>`;
}

export function readComposing(body: string): { active: boolean; refreshSeconds: number } | undefined {
  const root = parse(body);
  if (!root || root.localName !== "isComposing") return undefined;
  const refresh = Number(textOf(child(root, "refresh")));
  // RFC 3994 §3.1: without a value two minutes; a minute is the least that may be asked for.
  return { active: textOf(child(root, "state")) === "active", refreshSeconds: refresh > 0 ? Math.max(refresh, 60) : 120 };
}

export type Notice = "delivered" | "read" | "failed";

export function writeNotice(kind: "delivered" | "read", messageId: string, at: Date): string {
  const [notification, status] = kind === "read" ? ["display-notification", "displayed"] : ["delivery-notification", "delivered"];
  return `<?xml version="1.0" encoding="UTF-8"?>\r\n<imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>${escape(messageId)}</message-id><datetime>${at.toISOString()}</datetime><${notification}><status><${status}/></status></${notification}></imdn>`;
}

export function readNotices(body: string): { messageId: string; kind: Notice } | undefined {
  const root = parse(body);
  const messageId = root?.localName === "imdn" ? textOf(child(root, "message-id")) : undefined;
  if (!root || !messageId) return undefined;
  for (const name of ["display-notification", "delivery-notification"] as const) {
    const status = child(child(root, name) ?? root, "status")?.firstElementChild?.localName;
    if (status === "displayed") return { messageId, kind: "read" };
    if (status === "delivered") return { messageId, kind: "delivered" };
    if (status === "failed" || status === "forbidden") return { messageId, kind: "failed" };
  }
  return undefined;
}
