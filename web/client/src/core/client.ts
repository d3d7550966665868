/**
 * Everything a signed-in person works with: contacts, presence, conversations and the connection beneath them.
 *
 * | connection | event                | next       | what follows |
 * |------------|----------------------|------------|--------------|
 * | connecting | registered           | online     | everything is read once |
 * | online     | socket lost          | offline    | what is known stays, marked with its time; what is written waits |
 * | offline    | registered           | online     | lists are read anew, waiting messages leave, the page says how long it took |
 * | any        | registration refused | refused    | tried again with a new token; the page says why |
 */
import { problem, problemOf } from "../api/api";
import { Calls } from "../calls/calls";
import { choices } from "../calls/devices";
import { Ice } from "../calls/ice";
import { CallLog } from "../calls/log";
import type { Call } from "../calls/state";
import type { Studio } from "../calls/studio";
import type { Choice, DistributionGroup, OwnPresence, Person, PresenceView, Problem } from "../api/types";
import { type Incoming, type Link, type LinkEvent, type LinkFactory } from "../sip/link";
import { mediaType } from "../sip/multipart";
import { COMPOSING, IMDN, readComposing, readNotices, writeComposing, writeNotice } from "../sip/notices";
import { readNotice } from "../sip/rlmi";
import { document } from "../sip/trusted";
import { Chats, type Chat } from "./chats";
import { Contacts } from "./contacts";
import { Files, fileOf, textOf } from "./files";
import { kindOf, PresenceBook } from "./presence";
import type { Session, SignedIn } from "./session";
import { Store } from "./store";

export interface LinkState {
  phase: "connecting" | "online" | "offline" | "refused";
  since: number;
  /** How long the last interruption took, until it was read or its time is over. */
  restoredAfter?: number | undefined;
  problem?: Problem | undefined;
}

export interface OwnState extends OwnPresence {
  known: boolean;
}

/** Somebody wrote, and nobody was looking. */
export interface Knock {
  chat: Chat;
  from: string;
  id: string;
  text: string;
}

const PRESENCE_ACCEPT = "application/pidf+xml, application/rlmi+xml, multipart/related";
/** Text of a message in a list or a notification. */
export const LONGEST_TEXT = 60_000;
const COMPOSING_REFRESH_S = 60;
const COMPOSING_IDLE_MS = 15_000;
const RESTORED_SHOWN_MS = 12_000;
const POLL_MS = 20_000;
const MOST_POLLED = 50;
/** People of the latest conversations whose state is watched though they are no contacts. */
const MOST_WATCHED = 50;
const ASK_AFTER_MS = 60;

/** What the page says for the server's diagnostics codes; others go by their status. */
const OF_DIAGNOSTICS: Record<string, string> = {
  LYS0002: "sign-in-throttled",
  LYS0003: "sign-in-throttled",
  LYS0004: "sign-in-throttled",
  LYS0008: "too-many-endpoints",
  LYS0025: "account-disabled",
  LYS0056: "client-blocked",
};

export class Client {
  readonly contacts: Contacts;
  readonly presence = new PresenceBook();
  readonly chats: Chats;
  readonly files: Files;
  readonly calls: Calls;
  readonly log: CallLog;
  readonly link = new Store<LinkState>({ phase: "connecting", since: Date.now() });
  readonly own = new Store<OwnState>({ choice: "automatic", known: false });
  readonly people = new Store<ReadonlyMap<string, Person>>(new Map());
  readonly me: SignedIn;
  readonly address: string;
  onKnock: (knock: Knock) => void = () => undefined;
  onRing: (call: Call) => void = () => undefined;
  /** Whether the person looks at the page now. */
  looking: () => boolean = () => true;

  #link: Link | undefined;
  #lists: { again(): void } | undefined;
  #watches = new Map<string, { end(): void }>();
  #unhear: (() => void)[] = [];
  #timers = new Set<ReturnType<typeof setInterval>>();
  #composing = new Map<string, { sentAt: number; idle: ReturnType<typeof setTimeout> }>();
  #asked = new Set<string>();
  #asking: ReturnType<typeof setTimeout> | undefined;
  #sending = false;
  #everUp = false;
  #stopped = false;

  constructor(
    readonly session: Session,
    private readonly connect: LinkFactory,
    studio: Studio,
  ) {
    const body = session.state.get().body;
    if (!body) throw new Error("nobody is signed in");
    this.me = body;
    this.address = body.user.address.toLowerCase();
    this.contacts = new Contacts(session.api);
    this.chats = new Chats(this.address);
    this.files = new Files(session.api, (body.policies.file_transfer ?? {}) as ConstructorParameters<typeof Files>[1]);
    this.log = new CallLog(session.api, this.address);
    const ice = new Ice(session.api, () => choices.get().relayOnly);
    this.calls = new Calls({
      link: () => (this.link.get().phase === "online" ? this.#link : undefined),
      studio,
      configuration: () => ice.configuration(),
      domain: body.sip.domain,
      now: Date.now,
      onRing: (call) => this.onRing(call),
      onOver: () => void this.log.changed(),
      quiet: () => kindOf(this.presence.state.get().of.get(this.address)) === "dnd",
    });
    this.know([body.user]);
  }

  async start(): Promise<void> {
    void this.#readAll();
    this.#every(1000, () => this.chats.sweepTyping(Date.now()));
    this.#every(POLL_MS, () => void this.#poll());
    this.#every(POLL_MS, () => this.#watchFiles());
    const { user, sip, server } = this.me;
    const link = await this.connect({
      ws: sip.ws,
      address: this.address,
      displayName: user.display_name ?? undefined,
      device: this.session.device,
      token: this.session.token() ?? "",
      userAgent: `Lyceum-Web/${server.version}`,
      onEvent: (event) => this.#onLink(event),
      onCall: this.calls.arrive,
    });
    if (this.#stopped) return;
    this.#link = link;
    this.session.onToken = (token) => link.useToken(token);
    const heard = (body: { contentType: string; body: string }) => {
      const notice = readNotice(body.contentType, body.body);
      if (!notice) return;
      this.#hearOwn(notice.people.find((person) => person.address === this.address)?.view);
      this.know(notice.people.flatMap((person) => person.card ?? []));
      if (!this.presence.hear(notice)) this.#lists?.again();
    };
    const target = { event: "presence", accept: PRESENCE_ACCEPT };
    this.#lists = link.watch({ ...target, uri: `sip:${this.address};list=contacts`, headers: ["Supported: eventlist"] }, heard);
    link.watch({ ...target, uri: `sip:${this.address}` }, heard);
    const follow = () => this.#follow((address) => link.watch({ ...target, uri: `sip:${address}` }, heard));
    this.#unhear = [this.chats.state.subscribe(follow), this.contacts.state.subscribe(follow)];
    link.start();
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#asking);
    this.files.stop();
    this.calls.stop();
    for (const unhear of this.#unhear) unhear();
    for (const { idle } of this.#composing.values()) clearTimeout(idle);
    this.session.onToken = () => undefined;
    this.#link?.stop();
  }

  /** The browser has a network again, or the person is tired of waiting. */
  retry = (): void => this.#link?.retry();
  restoredSeen = (): void => this.link.set({ restoredAfter: undefined });

  // People.

  know(found: readonly Person[]): void {
    if (found.length === 0) return;
    this.people.set((before) => {
      const people = new Map(before);
      for (const person of found) people.set(person.address.toLowerCase(), { ...people.get(person.address.toLowerCase()), ...person });
      return people;
    });
  }

  /** What a person is called here: the name one gave them, their own, or their address. */
  nameOf = (address: string): string =>
    this.contacts.entry(address)?.display_name || this.people.get().get(address)?.display_name || address;

  async search(q: string, signal?: AbortSignal) {
    const found = await this.session.api.search(q, signal);
    this.know(found.people);
    return found;
  }

  /** A distribution group with its people, asked for when somebody looks into it. */
  async group(address: string): Promise<DistributionGroup> {
    const group = await this.session.api.group(address);
    this.know(group.people ?? []);
    return group;
  }

  // Own state.

  async choose(choice: Choice): Promise<void> {
    await this.#setOwn({ choice });
  }
  async setNote(note: string | null, out_of_office: OwnPresence["out_of_office"]): Promise<void> {
    await this.#setOwn({ note, out_of_office: out_of_office ?? null });
  }

  /** What another of one's devices chose shows here too. */
  #hearOwn(view: PresenceView | undefined): void {
    if (view?.choice) this.own.set({ choice: view.choice, note: view.note ?? null });
  }

  async #setOwn(change: Partial<OwnPresence>): Promise<void> {
    const { known: _known, ...before } = this.own.get();
    const next = { ...before, ...change };
    this.own.set({ ...next, known: true });
    try {
      const answer = await this.session.api.setPresence(next);
      this.own.set({ ...next, ...answer, known: true });
    } catch (error) {
      this.own.set({ ...before, known: true });
      throw error;
    }
  }

  // Conversations.

  async openChat(key: string): Promise<void> {
    if (key.includes("@")) this.chats.withPerson(key);
    this.chats.open(key);
    const chat = this.chats.get(key);
    if (!this.files.state.get().asked || key.includes("@")) void this.files.load();
    if (chat && (chat.history === "none" || chat.history === "failed")) await this.#readHistory(key);
    this.readOpen();
  }

  async older(key: string): Promise<void> {
    if (this.chats.get(key)?.history === "part") await this.#readHistory(key, true);
  }

  async startGroup(members: string[], subject: string | undefined): Promise<string> {
    const made = await this.session.api.newConversation(members, subject);
    this.chats.list([made]);
    return made.id;
  }

  send(key: string, text: string): void {
    const trimmed = text.trim();
    if (trimmed === "") return;
    this.chats.write(key, { id: crypto.randomUUID(), text: trimmed, at: Date.now() });
    this.#stopComposing(key, false);
    void this.#flush();
  }

  /** Sends files to the one person of a conversation; `size` says a file's size in the writer's form. */
  async sendFiles(key: string, files: readonly File[], size: (bytes: number) => string): Promise<void> {
    const to = this.chats.get(key)?.with[0];
    if (to !== undefined) await this.files.send(to, files, (item) => this.send(key, textOf(item, size(item.size))));
  }

  async fileAgain(key: string, id: string, size: (bytes: number) => string): Promise<void> {
    await this.files.again(id, (item) => this.send(key, textOf(item, size(item.size))));
  }

  /** What the other did with a file is asked for while the page shows one that waits for them. */
  #watchFiles(): void {
    const open = this.chats.state.get().open;
    const files = [...this.files.state.get().known.values()];
    if (open !== undefined && this.link.get().phase === "online" && files.some((file) => file.from === this.address && file.to === open && file.state === "offered")) void this.files.load();
  }

  again(key: string, id: string): void {
    this.chats.mark(key, id, "waiting");
    void this.#flush();
  }

  /** The person types: said once a minute, and that they stopped after a quarter of one. */
  compose(key: string): void {
    const chat = this.chats.get(key);
    if (!chat || this.link.get().phase !== "online") return;
    const before = this.#composing.get(key);
    if (before) clearTimeout(before.idle);
    const due = !before || Date.now() - before.sentAt > COMPOSING_REFRESH_S * 1000;
    if (due) void this.#tell(chat, COMPOSING, writeComposing(true, COMPOSING_REFRESH_S));
    const idle = setTimeout(() => this.#stopComposing(key, true), COMPOSING_IDLE_MS);
    this.#composing.set(key, { sentAt: due ? Date.now() : (before?.sentAt ?? 0), idle });
  }

  #stopComposing(key: string, say: boolean): void {
    const before = this.#composing.get(key);
    if (!before) return;
    clearTimeout(before.idle);
    this.#composing.delete(key);
    const chat = this.chats.get(key);
    if (say && chat) void this.#tell(chat, COMPOSING, writeComposing(false, 0));
  }

  /** What is on the screen was read: the server counts, and who wrote it may know. */
  readOpen(): void {
    const key = this.chats.state.get().open;
    const chat = key === undefined ? undefined : this.chats.get(key);
    if (!chat || chat.unread === 0 || !this.looking()) return;
    const received = chat.messages.filter((m) => m.mark === "received");
    const newest = received[received.length - 1];
    if (!newest) return;
    for (const message of received.slice(-chat.unread)) {
      void this.#link?.send({ to: `sip:${message.from}`, contentType: IMDN, body: writeNotice("read", message.id, new Date()), headers: this.#conversation(chat) });
    }
    this.chats.seen(chat.key);
    if (chat.id) void this.session.api.markRead(chat.id, newest.id).catch(() => undefined);
    else void this.#readConversations().then(() => this.#markReadLate(chat.key, newest.id));
  }

  async #markReadLate(key: string, upto: string): Promise<void> {
    const id = this.chats.get(key)?.id;
    if (!id) return;
    await this.session.api.markRead(id, upto).catch(() => undefined);
    this.chats.seen(key);
  }

  // The connection.

  #onLink(event: LinkEvent): void {
    if (this.#stopped) return;
    const { phase, since } = this.link.get();
    if (event.kind === "message") return this.#onMessage(event.message);
    if (event.kind === "up") return this.#onUp(phase, since);
    if (event.kind === "down" && phase !== "offline" && phase !== "connecting") {
      this.link.set({ phase: "offline", since: Date.now(), restoredAfter: undefined, problem: undefined });
      this.presence.stale(Date.now());
    }
    if (event.kind === "down" && phase === "connecting") {
      this.link.set({ phase: "offline", since });
      this.presence.stale(since);
    }
    if (event.kind === "refused") void this.#onRefused(event.status, event.reason, event.code);
  }

  #onUp(phase: LinkState["phase"], since: number): void {
    const interrupted = phase === "offline" && this.#everUp;
    this.link.set({ phase: "online", since: Date.now(), problem: undefined, restoredAfter: interrupted ? Date.now() - since : undefined });
    this.presence.fresh();
    if (interrupted) this.calls.back();
    if (interrupted) setTimeout(() => this.restoredSeen(), RESTORED_SHOWN_MS);
    if (this.#everUp || phase === "offline") void this.#readAll();
    this.#everUp = true;
    void this.#flush();
  }

  async #onRefused(status: number, reason: string, diagnostics: string | undefined): Promise<void> {
    if (status === 0) return;
    if (status === 401) {
      // The token is over, or the server has forgotten it: a new one registers by itself.
      await this.session.renew().catch(() => undefined);
      return;
    }
    // The server's own code tells apart what one status stands for.
    const code = (diagnostics && OF_DIAGNOSTICS[diagnostics]) ?? (status === 503 ? "server-busy" : `sip-${status}`);
    this.link.set({ phase: "refused", since: Date.now(), problem: problem(code, status, reason, "SIP") });
  }

  #onMessage(message: Incoming): void {
    const from = message.from;
    const key = this.#keyOf(message);
    const type = mediaType(message.contentType);
    if (type === COMPOSING) {
      const state = readComposing(message.body);
      if (state) this.chats.typing(key, from, state.active ? Date.now() + state.refreshSeconds * 1000 : undefined);
    } else if (type === IMDN) {
      const notice = readNotices(message.body);
      if (notice) this.chats.notice(from, notice.messageId, notice.kind);
    } else {
      this.#onText(key, from, type, message);
    }
  }

  #onText(key: string, from: string, type: string, message: Incoming): void {
    const text = (type === "text/html" ? plainText(message.body) : message.body).slice(0, LONGEST_TEXT);
    const id = message.header("Message-ID") ?? requestName(message) ?? crypto.randomUUID();
    const date = Date.parse(message.header("Date") ?? "");
    const seen = this.looking() && this.chats.state.get().open === key;
    const fresh = this.chats.receive(key, { id, from, text, at: Number.isNaN(date) ? Date.now() : date }, Date.now());
    const wanted = message.header("Disposition-Notification") ?? "";
    const chat = this.chats.get(key);
    if (!fresh || !chat) return;
    if (fileOf(text)) void this.files.load();
    if (chat.history === "none" && !chat.id) void this.#readConversations();
    if (from !== this.address && wanted.includes("positive-delivery")) {
      void this.#link?.send({ to: `sip:${from}`, contentType: IMDN, body: writeNotice("delivered", id, new Date()), headers: this.#conversation(chat) });
    }
    if (seen) this.readOpen();
    else if (from !== this.address) this.onKnock({ chat, from, id, text });
  }

  /** Which conversation a message belongs to: the one it names, or the one with its sender. */
  #keyOf(message: Incoming): string {
    const id = message.header("Conversation-ID");
    if (id) {
      const known = [...this.chats.state.get().chats.values()].find((chat) => chat.id === id);
      if (known) return known.key;
      if (message.header("Conversation-Members")) return id;
    }
    return message.from === this.address ? message.to : message.from;
  }

  // Sending.

  /** Sends what waits, one after the other: a person's messages keep their order. */
  async #flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    let renewed = false;
    try {
      for (let next = this.chats.outbox()[0]; next && this.link.get().phase === "online"; next = this.chats.outbox()[0]) {
        const { key, message } = next;
        const chat = this.chats.get(key);
        if (!chat) return;
        this.chats.mark(key, message.id, "sending");
        const headers = { "Message-ID": message.id, "Disposition-Notification": "positive-delivery, display" };
        const outcome = await this.#tell(chat, "text/plain;charset=UTF-8", message.text, headers);
        // Nothing heard: the connection went. It waits, and leaves again under the same Message-ID.
        if (!outcome || (outcome.status === 0 && !outcome.ok)) return this.chats.mark(key, message.id, "waiting");
        if (outcome.status === 401 && !renewed) {
          // The token ended under way; the message leaves again with the next one.
          renewed = true;
          this.chats.mark(key, message.id, "waiting");
          if (await this.session.renew().catch(() => false)) continue;
          return;
        }
        renewed = false;
        this.chats.mark(key, message.id, outcome.ok ? "sent" : "failed", outcome.ok ? undefined : `${outcome.reason} (${outcome.status})`);
      }
    } finally {
      this.#sending = false;
    }
  }

  #tell(chat: Chat, contentType: string, body: string, headers: Record<string, string> = {}) {
    const to = chat.uri ?? `sip:${chat.with[0] ?? chat.key}`;
    return this.#link?.send({ to, contentType, body, headers: { ...this.#conversation(chat), ...headers } });
  }

  #conversation(chat: Chat): Record<string, string> {
    return chat.id && chat.uri ? { "Conversation-ID": chat.id } : {};
  }

  // Reading from the API.

  async #readAll(): Promise<void> {
    await Promise.all([this.contacts.load(), this.#readConversations(), this.#readOwn(), this.log.load()]);
    const open = this.chats.state.get().open;
    if (open !== undefined) await this.#readHistory(open);
    this.readOpen();
    await this.#poll();
  }

  async #readConversations(): Promise<void> {
    try {
      this.chats.list((await this.session.api.conversations()).items);
    } catch (error) {
      this.chats.failed(problemOf(error));
    }
  }

  reloadConversations = (): void => {
    this.chats.state.set((state) => (state.phase === "failed" ? { ...state, phase: "loading" } : state));
    void this.#readConversations();
  };

  async #readOwn(): Promise<void> {
    try {
      this.own.set({ ...(await this.session.api.ownPresence()), known: true });
    } catch {
      // The corner keeps what it shows; a change made there will say what is wrong.
    }
  }

  async #readHistory(key: string, older = false): Promise<void> {
    const chat = this.chats.get(key);
    if (!chat?.id) {
      // Nothing was ever said here, as far as the server told.
      if (chat && this.chats.state.get().phase === "ready") this.chats.history(key, "whole");
      return;
    }
    const before = older ? chat.next : undefined;
    if (chat.messages.length === 0) this.chats.history(key, "loading");
    try {
      this.chats.page(key, await this.session.api.history(chat.id, before), before);
    } catch (error) {
      const offline = problemOf(error).status === 0 && chat.messages.length > 0;
      if (!offline) this.chats.history(key, "failed", problemOf(error));
    }
  }

  /** Watches whom one talks to and who is no contact: those of the latest conversations, the open one first. */
  #follow(watch: (address: string) => { end(): void }): void {
    const contacts = this.contacts.state.get();
    // Before the lists are known nobody can be told apart from a contact.
    if (contacts.phase !== "ready" || this.#stopped) return;
    const listed = new Set(contacts.list.contacts.map((c) => c.address));
    const { chats, open } = this.chats.state.get();
    const rank = (chat: Chat) => (chat.key === open ? Infinity : (chat.last?.at ?? 0));
    const people = [...chats.values()].sort((a, b) => rank(b) - rank(a)).flatMap((chat) => chat.with);
    const wanted = new Set([...new Set(people)].filter((a) => a.includes("@") && a !== this.address && !listed.has(a)).slice(0, MOST_WATCHED));
    for (const [address, watching] of this.#watches) {
      if (wanted.has(address)) continue;
      watching.end();
      this.#watches.delete(address);
    }
    for (const address of wanted) if (!this.#watches.has(address)) this.#watches.set(address, watch(address));
  }

  /** States of people on the screen who are neither contacts nor of the latest conversations, and so are not watched. */
  async #poll(): Promise<void> {
    if (this.link.get().phase !== "online") return;
    const watched = new Set(this.contacts.state.get().list.contacts.map((c) => c.address));
    const others = new Set([...[...this.#asked].reverse(), ...[...this.chats.state.get().chats.values()].flatMap((chat) => chat.with)]);
    const seen = this.presence.state.get().of;
    const known = (a: string) => watched.has(a) || (this.#watches.has(a) && seen.has(a));
    const wanted = [...others].filter((a) => a.includes("@") && a !== this.address && !known(a)).slice(0, MOST_POLLED);
    if (wanted.length === 0) return;
    const found: { items: PresenceView[] } | undefined = await this.session.api.presence(wanted).catch(() => undefined);
    if (!found) return;
    this.know(found.items.flatMap(({ address, display_name }) => (display_name ? [{ address, display_name }] : [])));
    this.presence.put(found.items);
  }

  /** Somebody on the screen whose state is wanted though they are no contact; a list of them is one question. */
  ask(address: string): void {
    this.#asked.delete(address);
    this.#asked.add(address);
    for (const oldest of [...this.#asked].slice(0, -MOST_POLLED)) this.#asked.delete(oldest);
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => void this.#poll(), ASK_AFTER_MS);
  }

  #every(ms: number, act: () => void): void {
    this.#timers.add(setInterval(act, ms));
  }
}

/** What a message is called whose sender gave it no name: its Call-ID and the number of its CSeq, as in the history. */
function requestName(message: Incoming): string | undefined {
  const [callId, cseq] = [message.header("Call-ID"), message.header("CSeq")];
  return callId && `${callId} ${cseq?.trim().split(/\s+/)[0] ?? ""}`.trim();
}

/** The text of a page's worth of HTML; its markup is not shown and its scripts never run. */
function plainText(html: string): string {
  return document(html, "text/html").body.textContent ?? "";
}
