/** Presence documents (RFC 3863, 4480) with the numeric availability of our own extension. */
import { CHOICES, type Person, type PresenceView } from "../api/types";
import { child, children, parse, textOf, within } from "./xml";

const OURS = "urn:lyceum:presence";
const PERSON = "urn:ietf:params:xml:ns:pidf:data-model";

/** Activities of RFC 4480 §3.2 that change what is shown, for documents without our extension; first match counts. */
const ACTIVITIES: readonly [rpid: string, activity: string, availability: number][] = [
  ["on-the-phone", "on-the-phone", 6500],
  ["meeting", "in-a-meeting", 6500],
  ["appointment", "in-a-meeting", 6500],
  ["presentation", "presenting", 9500],
  ["busy", "busy", 6500],
  ["away", "away", 15500],
  ["vacation", "out-of-office", 15500],
  ["permanent-absence", "out-of-office", 15500],
];

export function readPidf(text: string, entity?: string): PresenceView | undefined {
  const root = parse(text);
  if (!root || root.localName !== "presence") return undefined;
  const address = entity ?? (root.getAttribute("entity") ?? "").replace(/^(sips?|pres):/i, "").toLowerCase();
  const person = within(root, PERSON, "person");
  const state = within(root, OURS, "state");
  const note = textOf(person && child(person, "note")) ?? textOf(child(root, "note")) ?? textOf(children(root, "tuple").map((tuple) => child(tuple, "note")).find(Boolean));
  const common = { address, note: note ?? null };
  if (state) {
    return {
      ...common,
      note: state.getAttribute("note"),
      availability: Number(state.getAttribute("availability")) || 0,
      activity: state.getAttribute("activity") ?? "unknown",
      label: state.getAttribute("label"),
      out_of_office: state.getAttribute("out-of-office"),
      choice: CHOICES.find((choice) => choice === state.getAttribute("choice")) ?? null,
      since: state.getAttribute("since"),
      last_active: state.getAttribute("last-active"),
    };
  }
  return { ...common, ...plain(root) };
}

function plain(root: Element): { availability: number; activity: string } {
  const basics = [...root.getElementsByTagName("*")].filter((e) => e.localName === "basic");
  if (basics.length === 0) return { availability: 0, activity: "unknown" };
  if (!basics.some((e) => textOf(e) === "open")) return { availability: 18500, activity: "offline" };
  const said = new Set([...root.getElementsByTagName("*")].filter((e) => e.localName === "activities").flatMap((e) => [...e.children].map((a) => a.localName)));
  const match = ACTIVITIES.find(([rpid]) => said.has(rpid));
  return match ? { activity: match[1], availability: match[2] } : { activity: "available", availability: 3500 };
}

/** What the document says of the person beside their state: our own card. */
export function readCard(text: string, address: string): Person | undefined {
  const root = parse(text);
  const card = root && within(root, OURS, "card");
  if (!card) return undefined;
  const fact = (name: string) => card.getAttribute(name);
  const person: Person = { address, numbers: children(card, "number").map((n) => n.getAttribute("number") ?? "") };
  if (fact("name")) person.display_name = fact("name");
  for (const name of ["mail", "title", "company", "department"] as const) if (fact(name)) person[name] = fact(name);
  person.photo = fact("photo") === "true";
  return person;
}
