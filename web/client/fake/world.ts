/** What the fake server knows: people, their lists and states, what was written. Typed as the client expects it. */
import { createHash } from "node:crypto";
import type * as T from "../src/api/types";

export interface Account {
  person: T.Person;
  password: string;
  own: T.OwnPresence;
  contacts: T.ContactList;
  devices: Map<string, number>;
  inCall: boolean;
}

export interface Written {
  id: string;
  message_id: string;
  conversation: string;
  from: string;
  to: { address: string; delivered: string | null; read: string | null }[];
  text: string;
  at: number;
  headers: [string, string][];
  contentType: string;
}

export interface Talk {
  id: string;
  members: string[];
  title: string | null;
  uri: string | null;
}

export const DOMAIN = "example.org";

export class World {
  readonly accounts = new Map<string, Account>();
  readonly talks = new Map<string, Talk>();
  readonly written: Written[] = [];
  readonly files = new Map<string, { item: T.FileItem; content: Buffer }>();
  readonly calendars = new Map<string, T.CalendarStatus>();
  readonly calls = new Map<string, T.CallItem[]>();
  readonly photos = new Map<string, Buffer>();
  readonly groups: T.DistributionGroup[] = [];
  #next = 1;

  constructor() {
    const people: [string, string, string, string[]][] = [
      ["anna", "Anna Ahrens", "Head of sales", ["tel:+49301234501"]],
      ["ben", "Ben Brandt", "Engineer", ["tel:+49301234502"]],
      ["clara", "Clara Čapek", "Buyer", ["tel:+49301234503", "tel:+491701234503"]],
      ["dmitri", "Dmitri Dahl", "Service desk", ["tel:+49301234504"]],
      ["elif", "Elif Ergün", "Designer", []],
      ["farid", "Farid Fischer-Westermann-Obermayer", "Deputy head of the department for particularly long titles", ["tel:+49301234506"]],
      ["greta", "Greta Groß", "Accounts", ["tel:+49301234507"]],
      ["henrik", "Henrik Holm", "Legal", []],
      ["new", "Nora Neumann", "Started today", []],
    ];
    for (const [name, display_name, title, numbers] of people) {
      const address = `${name}@${DOMAIN}`;
      this.accounts.set(address, {
        person: { address, display_name, title, numbers, mail: address, photo: false },
        password: "secret",
        own: { choice: "automatic", note: null, out_of_office: null },
        contacts: { version: 1, groups: [], contacts: [], relationships: [], pending_watchers: [] },
        devices: new Map(),
        inCall: false,
      });
    }
    this.#furnish();
  }

  #furnish(): void {
    const list = (name: string, favourites: string[], team: string[], others: string[]) => {
      const account = this.account(`${name}@${DOMAIN}`);
      account.contacts.groups = [{ id: 1, name: "Project North" }];
      const entry = (who: string, groups: number[], favourite: boolean): T.ContactEntry => ({ address: `${who}@${DOMAIN}`, groups, favourite });
      account.contacts.contacts = [...favourites.map((w) => entry(w, [], true)), ...team.map((w) => entry(w, [1], false)), ...others.map((w) => entry(w, [], false))];
    };
    list("anna", ["ben"], ["clara", "dmitri"], ["elif", "farid", "greta"]);
    list("ben", ["anna"], ["clara"], ["dmitri"]);
    list("clara", [], ["anna", "ben"], []);
    this.account(`clara@${DOMAIN}`).own = { choice: "busy", note: "Quarter end until Friday", out_of_office: null };
    this.account(`dmitri@${DOMAIN}`).own = { choice: "do-not-disturb", note: null, out_of_office: null };
    this.account(`elif@${DOMAIN}`).own = { choice: "be-right-back", note: null, out_of_office: null };
    this.account(`farid@${DOMAIN}`).own = { choice: "available", note: "Working from home with a note that is long enough to show what happens to notes that are long", out_of_office: null };
    this.groups.push({ address: `sales@${DOMAIN}`, display_name: "Sales", members: ["anna", "ben", "clara"].map((n) => `${n}@${DOMAIN}`) });
  }

  account(address: string): Account {
    const account = this.accounts.get(address.toLowerCase());
    if (!account) throw new Error(`the fake knows no ${address}`);
    return account;
  }

  /** Lync's states as far as the client's tests need them: choice, call, devices. */
  view(of: string, watcher: string): T.PresenceView {
    const { own, devices, inCall, contacts } = this.account(of);
    const base = { address: of, note: own.note ?? null, out_of_office: own.out_of_office?.note ?? null, since: null, last_active: new Date(Date.now() - 25 * 60_000).toISOString() };
    const blocked = of !== watcher && contacts.relationships.some((r) => r.who === watcher && r.relationship === "blocked");
    const offline = { ...base, note: blocked ? null : base.note, availability: 18500, activity: "offline" };
    if (blocked || own.choice === "appear-offline") return offline;
    const chosen: Partial<Record<T.Choice, [number, string]>> = {
      available: [3500, "available"],
      busy: [6500, "busy"],
      "do-not-disturb": [9500, "do-not-disturb"],
      "be-right-back": [12500, "be-right-back"],
      away: [15500, "away"],
      "off-work": [15500, "off-work"],
    };
    const [availability, activity] = chosen[own.choice] ?? (inCall ? [6500, "on-the-phone"] : devices.size > 0 ? [3500, "available"] : [18500, "offline"]);
    return { ...base, availability, activity, last_active: availability >= 15000 ? base.last_active : null };
  }

  search(q: string): T.SearchResult {
    const wanted = q.toLowerCase();
    const has = (texts: (string | null | undefined)[]) => texts.some((text) => text?.toLowerCase().includes(wanted));
    const people = [...this.accounts.values()].map((a) => a.person).filter((p) => has([p.display_name, p.address, ...(p.numbers ?? [])]));
    return { people, groups: this.groups.filter((g) => has([g.display_name, g.address])) };
  }

  talk(members: string[], title: string | null = null, list = false): Talk {
    const sorted = [...new Set(members.map((m) => m.toLowerCase()))].sort();
    const id = createHash("sha256").update(sorted.join("\0") + (list ? `\0${title ?? ""}` : "")).digest("hex").slice(0, 32);
    const found = this.talks.get(id) ?? { id, members: sorted, title, uri: list ? `sip:conversation-${id}@${DOMAIN}` : null };
    this.talks.set(id, found);
    return found;
  }

  write(talk: Talk, from: string, text: string, message_id: string, headers: [string, string][] = [], contentType = "text/plain", at = Date.now()): Written {
    const before = this.written.find((w) => w.message_id === message_id && w.from === from);
    if (before) return before;
    const to = talk.members.filter((m) => m !== from).map((address) => ({ address, delivered: null, read: null }));
    const id = `${at.toString(16).padStart(12, "0")}${(this.#next++).toString(16).padStart(20, "0")}`;
    const written: Written = { id, message_id, conversation: talk.id, from, to, text, at, headers, contentType };
    this.written.push(written);
    return written;
  }

  mark(reader: string, message_id: string, what: "delivered" | "read"): void {
    const written = this.written.find((w) => w.message_id === message_id);
    const person = written?.to.find((p) => p.address === reader);
    if (!person) return;
    person.delivered ??= new Date().toISOString();
    if (what === "read") person.read ??= new Date().toISOString();
  }

  summaries(of: string): T.ConversationSummary[] {
    const mine = [...this.talks.values()].filter((talk) => talk.members.includes(of));
    return mine.flatMap((talk) => {
      const said = this.written.filter((w) => w.conversation === talk.id);
      const last = said[said.length - 1];
      if (!last && !talk.uri) return [];
      const unread = said.filter((w) => w.to.some((p) => p.address === of && !p.read)).length;
      return [{ id: talk.id, with: talk.members.filter((m) => m !== of), title: talk.title, uri: talk.uri, last: last ? { from: last.from, text: last.text, at: new Date(last.at).toISOString() } : null, unread }];
    });
  }

  history(of: string, id: string, before: string | undefined, limit: number): T.HistoryPage {
    if (!this.talks.get(id)?.members.includes(of)) return { items: [] };
    const said = this.written.filter((w) => w.conversation === id && (!before || w.id < before)).sort((a, b) => (a.id < b.id ? 1 : -1));
    const items = said.slice(0, limit).map((w) => ({ id: w.id, message_id: w.message_id, from: w.from, text: w.text, at: new Date(w.at).toISOString(), to: w.to }));
    const last = items[items.length - 1];
    return said.length > limit && last ? { items, next: last.id } : { items };
  }
}
