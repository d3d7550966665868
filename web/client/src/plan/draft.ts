/** What the form holds, and the plan file that it comes to. An empty answer is none: the calculators assume Lync's. */

export type Kind = "text" | "domains" | "number" | "flag";

export interface Question {
  field: string;
  kind: Kind;
  unit?: "percent" | "minutes" | "calls" | "days";
}

/** What the form asks, in groups; the catalogue has a text for each group and each field. */
export const GROUPS: { id: string; questions: Question[] }[] = [
  {
    id: "organisation",
    questions: [
      { field: "organisation.name", kind: "text" },
      { field: "organisation.sip_domains", kind: "domains" },
      { field: "model.concurrency", kind: "number", unit: "percent" },
      { field: "access.remote_share", kind: "number", unit: "percent" },
    ],
  },
  {
    id: "voice",
    questions: [
      { field: "voice.enabled", kind: "flag" },
      { field: "voice.share", kind: "number", unit: "percent" },
      { field: "voice.calls_busy_hour", kind: "number", unit: "calls" },
      { field: "voice.minutes", kind: "number", unit: "minutes" },
      { field: "voice.bypass", kind: "number", unit: "percent" },
    ],
  },
  {
    id: "meetings",
    questions: [
      { field: "meetings.enabled", kind: "flag" },
      { field: "meetings.share", kind: "number", unit: "percent" },
      { field: "meetings.video", kind: "number", unit: "percent" },
      { field: "meetings.app_sharing", kind: "number", unit: "percent" },
    ],
  },
  {
    id: "features",
    questions: [
      { field: "access.edge", kind: "flag" },
      { field: "access.federation", kind: "flag" },
      { field: "mobility.enabled", kind: "flag" },
      { field: "chat.enabled", kind: "flag" },
      { field: "archiving.enabled", kind: "flag" },
      { field: "archiving.days", kind: "number", unit: "days" },
      { field: "availability.high", kind: "flag" },
      { field: "availability.recovery", kind: "flag" },
    ],
  },
];

export interface Site {
  key: number;
  name: string;
  users: string;
  hub: string;
  pair: string;
}

export interface Link {
  key: number;
  from: string;
  to: string;
  mbps: string;
}

export interface Draft {
  answers: Record<string, string>;
  sites: Site[];
  links: Link[];
}

export const INTERNET = "internet";
/** As many as the planner takes. */
export const MAX_SITES = 1000;

export function begin(): Draft {
  return {
    answers: { "organisation.name": "Contoso", "organisation.sip_domains": "contoso.com" },
    sites: [
      { key: 1, name: "London", users: "30000", hub: "", pair: "Paris" },
      { key: 2, name: "Paris", users: "15000", hub: "", pair: "" },
      { key: 3, name: "Leeds", users: "800", hub: "London", pair: "" },
    ],
    links: [
      { key: 4, from: "London", to: "Paris", mbps: "200" },
      { key: 5, from: "Leeds", to: "London", mbps: "20" },
    ],
  };
}

/** A key that no row has yet. */
export const nextKey = (draft: Draft): number => Math.max(0, ...draft.sites.map((s) => s.key), ...draft.links.map((l) => l.key)) + 1;

/** A site under another name, also where others speak of it. */
export function renamed(draft: Draft, key: number, name: string): Draft {
  const old = draft.sites.find((site) => site.key === key)?.name;
  const now = (spoken: string) => (spoken !== "" && spoken === old ? name : spoken);
  return {
    ...draft,
    sites: draft.sites.map((site) => (site.key === key ? { ...site, name } : { ...site, hub: now(site.hub), pair: now(site.pair) })),
    links: draft.links.map((link) => ({ ...link, from: now(link.from), to: now(link.to) })),
  };
}

/** Without a site, and without what spoke of it. */
export function without(draft: Draft, key: number): Draft {
  const name = draft.sites.find((site) => site.key === key)?.name;
  const now = (spoken: string) => (spoken === name ? "" : spoken);
  return {
    ...draft,
    sites: draft.sites.filter((site) => site.key !== key).map((site) => ({ ...site, hub: now(site.hub), pair: now(site.pair) })),
    links: draft.links.filter((link) => link.from !== name && link.to !== name),
  };
}

/** A text as TOML writes it (its basic strings have JSON's escapes, and one letter more that may not stand bare). */
const quoted = (text: string): string => JSON.stringify(text).replaceAll("\u007f", "\\u007F");

/** A number as it was typed, in the reader's form too; what is none goes to the planner as text, who says so at its field. */
function number(typed: string): string {
  const plain = typed.trim().replace(/^(\d+),(\d+)$/, "$1.$2");
  return /^\d{1,15}(\.\d{1,6})?$/.test(plain) ? plain.replace(/^0+(?=\d)/, "") : quoted(typed.trim());
}

function value(kind: Kind, typed: string): string {
  if (kind === "flag") return typed === "yes" ? "true" : "false";
  if (kind === "number") return number(typed);
  if (kind === "domains") return `[${typed.split(/[\s,;]+/).filter(Boolean).map(quoted).join(", ")}]`;
  return quoted(typed.trim());
}

/** The plan file. */
export function toml(draft: Draft): string {
  const sections = new Map<string, string[]>();
  for (const { field, kind } of GROUPS.flatMap((group) => group.questions)) {
    const typed = draft.answers[field] ?? "";
    const [section = "", key = ""] = field.split(".");
    if (typed.trim() === "") continue;
    const lines = sections.get(section) ?? [];
    lines.push(`${key} = ${value(kind, typed)}`);
    sections.set(section, lines);
  }
  const parts = [...sections].map(([section, lines]) => `[${section}]\n${lines.join("\n")}\n`);
  for (const site of draft.sites) {
    const lines = [`name = ${quoted(site.name.trim())}`];
    if (site.users.trim() !== "") lines.push(`users = ${number(site.users)}`);
    if (site.hub !== "") lines.push(`hub = ${quoted(site.hub)}`);
    if (site.pair !== "") lines.push(`pair = ${quoted(site.pair)}`);
    parts.push(`[[site]]\n${lines.join("\n")}\n`);
  }
  for (const link of draft.links) {
    const lines = [`from = ${quoted(link.from)}`, `to = ${quoted(link.to)}`];
    if (link.mbps.trim() !== "") lines.push(`mbps = ${number(link.mbps)}`);
    parts.push(`[[link]]\n${lines.join("\n")}\n`);
  }
  return parts.join("\n");
}
