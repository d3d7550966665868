/**
 * Conversations and their messages, from three sources that overlap: history, live messages, and what we send.
 *
 * A message is what its Message-ID says: however often and by whatever path it comes, it is shown once. Marks only
 * grow: waiting → sending → sent → delivered → read; `failed` leaves by sending again.
 */
import type { ConversationSummary, HistoryMessage, HistoryPage, Problem } from "../api/types";
import { Store } from "./store";

export type Mark = "waiting" | "sending" | "failed" | "sent" | "delivered" | "read" | "received";
const RANK: Record<Mark, number> = { waiting: 0, failed: 1, sending: 2, sent: 3, delivered: 4, read: 5, received: 6 };

export interface ChatMessage {
  id: string;
  from: string;
  text: string;
  at: number;
  mark: Mark;
  delivered: readonly string[];
  read: readonly string[];
  /** The server's own name for it, known from history. */
  stored?: string | undefined;
  /** Why it failed, in the server's words. */
  reason?: string | undefined;
}

export interface Chat {
  /** The other's address, or the conversation's id when there are several. */
  key: string;
  /** The server's id, once it has one. */
  id?: string | undefined;
  uri?: string | undefined;
  with: readonly string[];
  title?: string | undefined;
  messages: readonly ChatMessage[];
  last?: { from: string; text: string; at: number } | undefined;
  unread: number;
  history: "none" | "loading" | "part" | "whole" | "failed";
  /** Where older history begins. */
  next?: string | undefined;
  problem?: Problem | undefined;
  /** Who is typing, until when. */
  typing: ReadonlyMap<string, number>;
}

export interface ChatsState {
  phase: "loading" | "ready" | "failed";
  problem?: Problem | undefined;
  chats: ReadonlyMap<string, Chat>;
  /** The conversation on the screen. */
  open?: string | undefined;
}

/** Written so recently that it came live. */
const JUST_NOW_MS = 30_000;
/** Messages held of one conversation; older ones are asked for again when scrolled to. */
const MOST_HELD = 2000;

export class Chats {
  readonly state = new Store<ChatsState>({ phase: "loading", chats: new Map() });

  constructor(readonly me: string) {}

  get = (key: string): Chat | undefined => this.state.get().chats.get(key);

  /** The server's list: its unread counts win over ours, its conversations join those begun here. */
  list(items: ConversationSummary[]): void {
    this.state.set((state) => {
      const chats = new Map(state.chats);
      for (const item of items) {
        const others = item.with.map((a) => a.toLowerCase()).filter((a) => a !== this.me);
        const key = item.uri || others.length !== 1 ? item.id : (others[0] as string);
        const before = chats.get(key) ?? blank(key, others);
        const last = item.last ? { from: item.last.from.toLowerCase(), text: item.last.text, at: Date.parse(item.last.at) } : before.last;
        const newer = last && (!before.last || last.at >= before.last.at) ? last : before.last;
        chats.set(key, {
          ...before,
          id: item.id,
          uri: item.uri ?? before.uri,
          title: item.title ?? before.title,
          with: others,
          unread: item.unread,
          last: newer,
        });
      }
      return { ...state, phase: "ready", problem: undefined, chats };
    });
  }

  failed(problem: Problem): void {
    this.state.set((state) => (state.phase === "ready" ? state : { ...state, phase: "failed", problem }));
  }

  /** A conversation with one person, begun if there is none. */
  withPerson(address: string): Chat {
    return this.get(address) ?? this.#put(blank(address, [address]));
  }

  open(key: string | undefined): void {
    this.state.set({ open: key });
  }

  history(key: string, state: Chat["history"], problem?: Problem): void {
    this.#change(key, (chat) => ({ ...chat, history: state, problem }));
  }

  page(key: string, page: HistoryPage, before?: string): void {
    this.#change(key, (chat) => {
      const messages = page.items.map((item) => this.#fromHistory(item));
      // The first page, read again after an interruption, says nothing about how far back we have looked.
      const older = before !== undefined || chat.history === "none" || chat.history === "loading" || chat.history === "failed";
      const next = older ? (page.next ?? undefined) : chat.next;
      return { ...merge(chat, messages), history: next === undefined ? "whole" : "part", next, problem: undefined };
    });
  }

  /**
   * A message that came in. False when it was here before. `at` is when it was written; of one written just now, by
   * another clock and in whole seconds, only its coming is known exactly: it stands below what is there.
   */
  receive(key: string, message: { id: string; from: string; text: string; at: number }, now: number): boolean {
    const before = this.get(key) ?? this.#put(blank(key, [message.from]));
    if (before.messages.some((m) => m.id === message.id)) return false;
    const at = Math.abs(now - message.at) < JUST_NOW_MS ? below(before, now) : message.at;
    this.#change(key, (chat) => {
      const typing = new Map(chat.typing);
      typing.delete(message.from);
      const mark: Mark = message.from === this.me ? "sent" : "received";
      const next = merge({ ...chat, typing }, [{ ...message, at, mark, delivered: [], read: [] }]);
      return { ...next, unread: mark === "received" ? chat.unread + 1 : chat.unread };
    });
    return true;
  }

  /** What we write, before anybody has it. */
  write(key: string, message: { id: string; text: string; at: number }): void {
    this.#change(key, (chat) => merge(chat, [{ ...message, at: below(chat, message.at), from: this.me, mark: "waiting", delivered: [], read: [] }]));
  }

  mark(key: string, id: string, mark: Mark, reason?: string): void {
    this.#message(key, id, (m) => (RANK[mark] > RANK[m.mark] || m.mark === "sending" || m.mark === "failed" ? { ...m, mark, reason } : m));
  }

  /** Somebody's client says that a message arrived or was read. */
  notice(from: string, id: string, kind: "delivered" | "read" | "failed"): void {
    for (const chat of this.state.get().chats.values()) {
      // Who is not in the conversation has nothing to say about it.
      if (!chat.with.includes(from) || !chat.messages.some((m) => m.id === id && m.from === this.me)) continue;
      this.#message(chat.key, id, (m) => {
        if (kind === "failed") return { ...m, mark: m.mark === "sent" ? "failed" : m.mark };
        const delivered = add(m.delivered, from);
        const read = kind === "read" ? add(m.read, from) : m.read;
        return marked({ ...m, delivered, read }, chat.with);
      });
      return;
    }
  }

  typing(key: string, from: string, until: number | undefined): void {
    if (!this.get(key)) return;
    this.#change(key, (chat) => {
      const typing = new Map(chat.typing);
      if (until === undefined) typing.delete(from);
      else typing.set(from, until);
      return { ...chat, typing };
    });
  }

  /** Drops who said that they type and then said nothing more. */
  sweepTyping(now: number): void {
    for (const chat of this.state.get().chats.values()) {
      for (const [from, until] of chat.typing) if (until <= now) this.typing(chat.key, from, undefined);
    }
  }

  seen(key: string): void {
    this.#change(key, (chat) => (chat.unread === 0 ? chat : { ...chat, unread: 0 }));
  }

  /** What still has to leave, oldest first. */
  outbox(): { key: string; message: ChatMessage }[] {
    const all = [...this.state.get().chats.values()].flatMap((chat) =>
      chat.messages.filter((m) => m.mark === "waiting").map((message) => ({ key: chat.key, message })),
    );
    return all.sort((a, b) => a.message.at - b.message.at);
  }

  #fromHistory(item: HistoryMessage): ChatMessage {
    const from = item.from.toLowerCase();
    const who = (when: "delivered" | "read") => item.to.filter((person) => person[when]).map((person) => person.address.toLowerCase());
    const mark: Mark = from !== this.me ? "received" : "sent";
    return { id: item.message_id ?? item.id, stored: item.id, from, text: item.text, at: Date.parse(item.at), mark, delivered: who("delivered"), read: who("read") };
  }

  #put(chat: Chat): Chat {
    this.state.set((state) => ({ ...state, chats: new Map(state.chats).set(chat.key, chat) }));
    return chat;
  }

  #change(key: string, change: (chat: Chat) => Chat): void {
    const before = this.get(key);
    if (!before) return;
    const after = change(before);
    if (after !== before) this.#put(after);
  }

  #message(key: string, id: string, change: (message: ChatMessage) => ChatMessage): void {
    this.#change(key, (chat) => ({ ...chat, messages: chat.messages.map((m) => (m.id === id ? change(m) : m)) }));
  }
}

const blank = (key: string, others: readonly string[]): Chat => ({ key, with: others, messages: [], unread: 0, history: "none", typing: new Map() });
const below = (chat: Chat, now: number) => Math.max(now, (chat.messages[chat.messages.length - 1]?.at ?? 0) + 1);
const add = (list: readonly string[], one: string) => (list.includes(one) ? list : [...list, one]);

/** Delivered or read means by everybody. */
function marked(m: ChatMessage, others: readonly string[]): ChatMessage {
  if (m.mark === "received") return m;
  const by = (list: readonly string[]) => others.length > 0 && others.every((o) => list.includes(o));
  const mark: Mark = by(m.read) ? "read" : by(m.delivered) || by(add([...m.delivered, ...m.read], "")) ? "delivered" : m.mark;
  return RANK[mark] > RANK[m.mark] ? { ...m, mark } : m;
}

/** Both lists as one, each message once, by time; what two sources say of one is put together. */
function merge(chat: Chat, more: readonly ChatMessage[]): Chat {
  const all = new Map(chat.messages.map((m) => [m.id, m]));
  for (const m of more) {
    const before = all.get(m.id);
    const together = before
      ? {
          ...before,
          stored: m.stored ?? before.stored,
          at: m.at || before.at,
          mark: RANK[m.mark] > RANK[before.mark] ? m.mark : before.mark,
          delivered: m.delivered.reduce(add, before.delivered),
          read: m.read.reduce(add, before.read),
        }
      : m;
    all.set(m.id, marked(together, chat.with));
  }
  const messages = [...all.values()].sort((a, b) => a.at - b.at).slice(-MOST_HELD);
  const newest = messages[messages.length - 1];
  const last = newest && (!chat.last || newest.at >= chat.last.at) ? { from: newest.from, text: newest.text, at: newest.at } : chat.last;
  return { ...chat, messages, last };
}
