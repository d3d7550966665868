/** What the server's client API says and hears (`/api/v1/client`). The fake server of the tests is typed by the same. */

/** What the person chose; `automatic` lets devices, calls and calendar decide. */
export type Choice = "automatic" | "available" | "busy" | "do-not-disturb" | "be-right-back" | "away" | "off-work" | "appear-offline";
export const CHOICES: readonly Choice[] = ["automatic", "available", "busy", "do-not-disturb", "be-right-back", "away", "off-work", "appear-offline"];

export type Relationship = "blocked" | "external" | "colleagues" | "workgroup" | "friends-and-family";
export const RELATIONSHIPS: readonly Relationship[] = ["friends-and-family", "workgroup", "colleagues", "external", "blocked"];

/** The body of every answer that is not a success. */
export interface Problem {
  code: string;
  status: number;
  what: string;
  where: string;
  fix: string;
  help?: string;
}

/** The ways to sign in besides address and password. */
export interface SignInWays {
  issuer?: { name: string; path: string };
}

export interface Person {
  address: string;
  display_name?: string | null;
  mail?: string | null;
  title?: string | null;
  company?: string | null;
  department?: string | null;
  numbers?: string[];
  photo?: boolean;
}

export interface DistributionGroup {
  address: string;
  display_name?: string | null;
  /** The addresses of its people, those of groups within it among them. */
  members?: string[];
  /** Their cards, where one group was asked for. */
  people?: Person[];
  /** Whether there are more than it shows. */
  cut?: boolean;
}

export interface SessionBody {
  token: string;
  /** Seconds; at most 600. */
  expires_in: number;
  user: Person;
  sip: { ws: string[]; domain: string; realm?: string; outbound?: string | null };
  policies: Record<string, unknown>;
  server: { name: string; version: string };
}

/** One person's state as we may see it. */
export interface PresenceView {
  address: string;
  display_name?: string | null;
  /** Lync's bands, 3000 to 18000; 0 when nothing is known. */
  availability: number;
  activity: string;
  label?: string | null;
  note?: string | null;
  out_of_office?: string | null;
  /** What the person chose, of oneself alone. */
  choice?: Choice | null;
  /** RFC 3339. */
  since?: string | null;
  last_active?: string | null;
}

/** What one may set of oneself. */
export interface OwnPresence {
  choice: Choice;
  note?: string | null;
  out_of_office?: { note: string; until?: string | null } | null;
  until?: string | null;
}

export interface ContactGroup {
  /** Never 0. */
  id: number;
  name: string;
  /** The distribution group whose members it shows, if it is one. */
  distribution_group?: string;
}

export interface ContactEntry {
  address: string;
  /** The name one gave them, instead of their own. */
  display_name?: string;
  groups: number[];
  favourite: boolean;
}

export interface ContactList {
  version: number;
  groups: ContactGroup[];
  contacts: ContactEntry[];
  /** `who` is an address, or `@domain` for everybody there. */
  relationships: { who: string; relationship: Relationship }[];
  privacy_mode?: boolean;
  /** People who began to watch and wait for an answer. */
  pending_watchers?: string[];
}

export interface SearchResult {
  people: Person[];
  groups: DistributionGroup[];
  /** There are more than these. */
  more?: boolean;
}

export interface ConversationSummary {
  id: string;
  with: string[];
  title?: string | null;
  /** Where messages to everybody go, in a conversation of more than two. */
  uri?: string | null;
  last?: { from: string; text: string; at: string } | null;
  unread: number;
}

export interface HistoryMessage {
  /** The server's name for it; it rises with time. */
  id: string;
  /** The Message-ID its sender gave it: the same on every device and every path. */
  message_id?: string | null;
  from: string;
  text: string;
  at: string;
  /** Who was to get it, and when it was delivered and read there. */
  to: { address: string; delivered?: string | null; read?: string | null }[];
}

/** How reading one's calendar goes. */
export interface CalendarStatus {
  source: "none" | "address" | "file";
  host?: string;
  state: "none" | "waiting" | "ok" | "failed";
  /** Why it failed. */
  what?: string;
  busy: number;
  not_understood: number;
  /** RFC 3339. */
  last_read?: string;
  next_read?: string;
}

/** A file from one person to another. */
export interface FileItem {
  id: string;
  from: string;
  to: string;
  name: string;
  size: number;
  content_type: string;
  state: "offered" | "fetched" | "declined" | "withdrawn" | "infected" | "expired";
  /** Until when it is kept, RFC 3339. */
  expires: string;
}

export interface HistoryPage {
  /** Newest first. */
  items: HistoryMessage[];
  /** Where the next page begins: what `before` is asked with. */
  next?: string | null;
}

/** The relay for media, as a browser takes it. */
export interface RelayCredentials {
  uris: string[];
  username: string;
  password: string;
  /** Seconds. */
  ttl: number;
}

/** One of one's own calls. */
export interface CallItem {
  id: string;
  direction: "incoming" | "outgoing";
  /** The other end: an address, or the number that was called or calls. */
  with: string;
  /** RFC 3339. */
  started: string;
  answered?: string | null;
  ended?: string | null;
  /** How long the two spoke. */
  seconds?: number | null;
  /** `answered`, `missed`, `declined`, `busy`, `no-answer`, `cancelled`, `refused` or `failed`. */
  outcome: string;
}

export interface CallPage {
  items: CallItem[];
  next?: string | null;
}
