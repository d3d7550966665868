/**
 * What our media policy asks of session descriptions on the wire.
 *
 * Audio, camera and screen each keep a transport of their own, with ports of their own, so that a network can mark and
 * queue each as what it is. A browser bundles whenever the other end says it can: so neither end ever says so. The
 * connection's own descriptions stay as the browser made them; what travels has no group line (RFC 9143, 7.3: a
 * description without it is one of separate transports).
 */

/** The screen's section is marked so (RFC 4796): the other end then knows the screen from the camera. */
const SLIDES = "a=content:slides";

interface Sections {
  head: string[];
  media: string[][];
}

function split(sdp: string): Sections {
  const found: Sections = { head: [], media: [] };
  for (const line of sdp.split(/\r\n|\n/)) {
    if (line === "") continue;
    if (line.startsWith("m=")) found.media.push([line]);
    else (found.media[found.media.length - 1] ?? found.head).push(line);
  }
  return found;
}

const join = ({ head, media }: Sections): string => [...head, ...media.flat(), ""].join("\r\n");
const midOf = (section: string[]): string | undefined => section.find((line) => line.startsWith("a=mid:"))?.slice(6).trim();

/** Without `a=group:BUNDLE`. A description with sections that have no address of their own must stay bundled. */
export function unbundled(sdp: string): string {
  const sections = split(sdp);
  if (sections.media.some((section) => section.includes("a=bundle-only"))) return sdp;
  return join({ ...sections, head: sections.head.filter((line) => !line.startsWith("a=group:BUNDLE")) });
}

/** What leaves: not bundled, and the screen's section says what it is. */
export function leaving(sdp: string, screenMid: string | null | undefined): string {
  const sections = split(unbundled(sdp));
  const media = sections.media.map((section) => (screenMid != null && midOf(section) === screenMid && !section.includes(SLIDES) ? [...section, SLIDES] : section));
  return join({ ...sections, media });
}

/** The sections that carry a screen. */
export function screens(sdp: string): Set<string> {
  return new Set(split(sdp).media.filter((section) => section.includes(SLIDES)).flatMap((section) => midOf(section) ?? []));
}

/** Whether somebody who calls would send a picture. */
export function offersVideo(sdp: string): boolean {
  return split(sdp).media.some((section) => /^m=video (?!0 )/.test(section[0] ?? "") && !section.includes("a=recvonly") && !section.includes("a=inactive") && !section.includes(SLIDES));
}

/** Whether every section that has a transport has an address to be reached at. */
export function isGathered(sdp: string): boolean {
  const open = split(sdp).media.filter((section) => !/^m=\w+ 0 /.test(section[0] ?? ""));
  return open.every((section) => section.some((line) => line.startsWith("a=candidate:")));
}
