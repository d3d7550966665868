/** One's own contact list. The server holds it; a change is sent, and what it answers is shown. */
import { problemOf, type Api } from "../api/api";
import type { ContactEntry, ContactGroup, ContactList, Problem, Relationship } from "../api/types";
import { Store } from "./store";

export interface ContactsState {
  phase: "loading" | "ready" | "failed";
  list: ContactList;
  problem?: Problem | undefined;
}

const NONE: ContactList = { version: 0, groups: [], contacts: [], relationships: [] };

export class Contacts {
  readonly state = new Store<ContactsState>({ phase: "loading", list: NONE });
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly api: Api) {}

  async load(): Promise<void> {
    try {
      this.state.set({ phase: "ready", list: await this.api.contacts(), problem: undefined });
    } catch (error) {
      const ready = this.state.get().phase === "ready";
      // What is known stays on show; the connection's own banner says that it is old.
      if (!ready) this.state.set({ phase: "failed", problem: problemOf(error) });
    }
  }

  entry = (address: string): ContactEntry | undefined => this.state.get().list.contacts.find((c) => c.address === address);

  add = (address: string) => this.#change(() => this.api.addContact({ address, groups: [], favourite: false }));
  remove = (address: string) => this.#change(() => this.api.removeContact(address));
  relate = (address: string, relationship: Relationship) => this.#change(() => this.api.setRelationship(address, relationship));
  favour = (address: string, favourite: boolean) => this.#edit((list) => withEntry(list, address, (c) => ({ ...c, favourite })));
  setPrivacy = (privacy_mode: boolean) => this.#edit((list) => ({ ...list, privacy_mode }));

  newGroup = (name: string, address?: string) =>
    this.#edit((list) => {
      const group: ContactGroup = { id: nextId(list.groups), name };
      const wider = { ...list, groups: [...list.groups, group] };
      return address ? withEntry(wider, address, (c) => ({ ...c, groups: [...c.groups, group.id] })) : wider;
    });
  /** A distribution group as a group of one's own list: whoever is in it, now and later. */
  addDistributionGroup = (address: string, name: string) => this.#edit((list) => ({ ...list, groups: [...list.groups, { id: nextId(list.groups), name, distribution_group: address }] }));
  renameGroup = (id: number, name: string) => this.#edit((list) => ({ ...list, groups: list.groups.map((g) => (g.id === id ? { ...g, name } : g)) }));
  removeGroup = (id: number) =>
    this.#edit((list) => ({
      ...list,
      groups: list.groups.filter((g) => g.id !== id),
      contacts: list.contacts.map((c) => ({ ...c, groups: c.groups.filter((g) => g !== id) })),
    }));
  putInGroup = (address: string, id: number, inside: boolean) =>
    this.#edit((list) =>
      withEntry(list, address, (c) => ({ ...c, groups: inside ? [...c.groups.filter((g) => g !== id), id] : c.groups.filter((g) => g !== id) })),
    );

  /** One after the other, so that each carries the version the last one brought. Throws what the server refused. */
  #change(ask: () => Promise<ContactList | undefined>): Promise<void> {
    const done = this.#turn.then(async () => {
      const list = (await ask()) ?? (await this.api.contacts());
      this.state.set({ phase: "ready", list, problem: undefined });
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #edit(change: (list: ContactList) => ContactList): Promise<void> {
    return this.#change(async () => {
      try {
        return await this.api.setContacts(change(this.state.get().list));
      } catch (error) {
        // Another device was faster: the same change once more, on what stands now.
        if (![409, 412].includes(problemOf(error).status)) throw error;
        return this.api.setContacts(change(await this.api.contacts()));
      }
    });
  }
}

function withEntry(list: ContactList, address: string, change: (entry: ContactEntry) => ContactEntry): ContactList {
  return { ...list, contacts: list.contacts.map((c) => (c.address === address ? change(c) : c)) };
}

const nextId = (groups: ContactGroup[]): number => 1 + Math.max(0, ...groups.map((g) => g.id));

/** The relationship one gave somebody: by address, by domain, else by where they belong. */
export function relationshipOf(list: ContactList, address: string, ownDomain: string): Relationship {
  const domain = address.slice(address.indexOf("@"));
  const given = list.relationships.find((r) => r.who === address) ?? list.relationships.find((r) => r.who === domain);
  return given?.relationship ?? (domain === `@${ownDomain}` ? "colleagues" : "external");
}

export interface Section {
  id: "favourites" | "others" | number;
  /** `undefined` for favourites and for the people of no group, whose titles are the catalogue's. */
  name?: string;
  contacts: ContactEntry[];
  /** The distribution group whose people it shows. */
  of?: string;
}

/** Favourites first, then each group, then who is in none; in each by name. */
export function sections(list: ContactList, locale: string): Section[] {
  const by = new Intl.Collator(locale, { sensitivity: "base" });
  const name = (c: ContactEntry) => c.display_name || c.address;
  const sorted = [...list.contacts].sort((a, b) => by.compare(name(a), name(b)));
  const found: Section[] = [
    { id: "favourites" as const, contacts: sorted.filter((c) => c.favourite) },
    ...list.groups.map((g) => ({ id: g.id, name: g.name, ...(g.distribution_group ? { of: g.distribution_group } : {}), contacts: sorted.filter((c) => c.groups.includes(g.id)) })),
    { id: "others" as const, contacts: sorted.filter((c) => !c.favourite && !c.groups.some((id) => list.groups.some((g) => g.id === id))) },
  ];
  return found.filter((s) => s.contacts.length > 0 || s.name !== undefined);
}
