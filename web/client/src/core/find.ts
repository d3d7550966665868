/** Search while one types: own contacts at once, the address book from three letters or digits on. */
import { useEffect, useState } from "react";
import { problemOf } from "../api/api";
import type { DistributionGroup, Person, Problem } from "../api/types";
import { useClient } from "./context";
import { useStore } from "./store";

/** What the server asks for at least. */
export const LEAST = 3;
const WAIT_MS = 120;

export interface Found {
  /** Own contacts and people one writes with, then the address book; each once. */
  people: Person[];
  groups: DistributionGroup[];
  /** There are more than are shown. */
  more: boolean;
  busy: boolean;
  problem?: Problem | undefined;
}

export function useFind(q: string): Found {
  const client = useClient();
  const [answer, setAnswer] = useState<{ q: string; people: Person[]; groups: DistributionGroup[]; more: boolean; problem?: Problem }>({ q: "", people: [], groups: [], more: false });
  const list = useStore(client.contacts.state, (s) => s.list);
  const chats = useStore(client.chats.state, (s) => s.chats);
  const asked = q.trim();

  useEffect(() => {
    if (asked.length < LEAST) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      client
        .search(asked, stop.signal)
        .then((found) => setAnswer({ q: asked, people: found.people, groups: found.groups ?? [], more: found.more ?? false }))
        .catch((error: unknown) => stop.signal.aborted || setAnswer({ q: asked, people: [], groups: [], more: false, problem: problemOf(error) }));
    }, WAIT_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [asked, client]);

  if (asked === "") return { people: [], groups: [], more: false, busy: false };
  const near = new Set([...list.contacts.map((c) => c.address), ...[...chats.values()].filter((c) => !c.uri).flatMap((c) => c.with)]);
  const people = new Map<string, Person>();
  for (const address of near) {
    const person = client.people.get().get(address);
    if (matches(asked, [client.nameOf(address), address, ...(person?.numbers ?? [])])) people.set(address, { ...person, address, display_name: client.nameOf(address) });
  }
  const searched = asked.length >= LEAST;
  const current = searched && answer.q === asked;
  for (const person of current ? answer.people : []) if (!people.has(person.address)) people.set(person.address, person);
  people.delete(client.address);
  return { people: [...people.values()], groups: current ? answer.groups : [], more: current && answer.more, busy: searched && !current, problem: current ? answer.problem : undefined };
}

/** Each word of the question begins a word of the name, or stands in the address or number. */
export function matches(q: string, texts: readonly string[]): boolean {
  const fold = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const hay = texts.map(fold);
  const digits = hay.map((text) => text.replace(/[^\d+]/g, "")).filter((text) => text.length >= LEAST);
  return fold(q)
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => hay.some((text) => text.split(/[\s@._-]+/).some((part) => part.startsWith(word)) || text.includes(word)) || (/^[+\d]{3,}$/.test(word) && digits.some((d) => d.includes(word))));
}
