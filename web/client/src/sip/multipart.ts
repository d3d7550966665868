/** A multipart body (RFC 2046) into its parts. */

export interface Part {
  contentType: string;
  /** Without the angle brackets. */
  contentId: string | undefined;
  body: string;
}

/** A list of 1,000 contacts and its table of contents. */
const MOST_PARTS = 1100;

export function split(contentType: string, body: string): Part[] {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (!mark) return [];
  const pieces = `\r\n${body}`.split(`\r\n--${mark}`);
  const parts: Part[] = [];
  // The first piece is the preamble; the one that begins with "--" closes.
  for (const piece of pieces.slice(1, MOST_PARTS + 1)) {
    if (piece.startsWith("--")) break;
    const start = piece.indexOf("\r\n\r\n");
    if (start < 0) continue;
    const header = headers(piece.slice(0, start));
    parts.push({
      contentType: header.get("content-type") ?? "text/plain",
      contentId: header.get("content-id")?.replace(/^<|>$/g, ""),
      body: piece.slice(start + 4),
    });
  }
  return parts;
}

function headers(text: string): Map<string, string> {
  const unfolded = text.replace(/\r\n[ \t]+/g, " ");
  const found = new Map<string, string>();
  for (const line of unfolded.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) found.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return found;
}

/** `application/pidf+xml;charset=utf-8` to `application/pidf+xml`. */
export const mediaType = (contentType: string): string => (contentType.split(";")[0] ?? "").trim().toLowerCase();
