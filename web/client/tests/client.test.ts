import { Client } from "../src/core/client";
import { Session } from "../src/core/session";
import type { Link, LinkEvent, LinkOptions, Outcome, Outgoing } from "../src/sip/link";
import type { SessionBody } from "../src/api/types";
import { equal, holds, test } from "./kit";
import { silentStudio } from "./studio";

const ANNA = "anna@example.org";
const BEN = "ben@example.org";

/** A server that answers from a table and remembers what it was asked. */
class Answers {
  readonly asked: { line: string; token: string | null; body: unknown }[] = [];
  readonly table = new Map<string, () => Response>();
  tokens = 0;
  expires_in = 600;

  constructor() {
    const session = () => this.json({ token: `token-${++this.tokens}`, expires_in: this.expires_in, user: { address: ANNA }, sip: { ws: ["wss://x/ws"], domain: "example.org" }, policies: {}, server: { name: "s", version: "1" } } satisfies SessionBody);
    this.table.set("POST /session", session).set("POST /session/refresh", session);
    this.table.set("GET /contacts", () => this.json({ version: 3, groups: [], contacts: [], relationships: [] }));
    this.table.set("GET /conversations", () => this.json({ items: [] }));
    this.table.set("GET /presence", () => this.json({ choice: "automatic" }));
  }

  json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
  refuse = (status: number, code: string) => this.json({ code, status, what: `${code}.`, where: "", fix: "" }, status);

  fetch = (async (input: string, init: RequestInit) => {
    const path = input.replace("/api/v1/client", "").replace(/\?.*/, "");
    const headers = init.headers as Record<string, string>;
    this.asked.push({ line: `${init.method ?? "GET"} ${path}`, token: headers.Authorization ?? null, body: init.body ? JSON.parse(String(init.body)) : undefined });
    holds(!input.includes("token-"), `a token stands in the address ${input}`);
    if (input.includes("/presence?of=")) return this.json({ items: [] });
    const answer = this.table.get(`${init.method} ${path}`);
    if (!answer) return new Response("", { status: 204 });
    return answer();
  }) as typeof fetch;

  count = (line: string) => this.asked.filter((a) => a.line === line).length;
}

class Shelf extends Map<string, string> {
  getItem = (key: string) => this.get(key) ?? null;
  setItem = (key: string, value: string) => void this.set(key, value);
  removeItem = (key: string) => void this.delete(key);
}

class ScriptedLink implements Link {
  readonly sent: Outgoing[] = [];
  readonly watched: string[] = [];
  readonly ended: string[] = [];
  token = "";
  outcome: () => Outcome = () => ({ ok: true, status: 200, reason: "" });
  constructor(readonly options: LinkOptions) {
    this.token = options.token;
  }
  start(): void {}
  stop(): void {}
  retry(): void {}
  useToken(token: string): void {
    this.token = token;
  }
  async send(message: Outgoing): Promise<Outcome> {
    this.sent.push(message);
    return this.outcome();
  }
  call(): never {
    throw new Error("nobody is called here");
  }
  watch(target: { uri: string }) {
    this.watched.push(target.uri);
    return { end: () => void this.ended.push(target.uri), again: () => undefined };
  }
  say = (event: LinkEvent) => this.options.onEvent(event);
  texts = () => this.sent.filter((m) => m.contentType.startsWith("text/")).map((m) => m.body);
  message(from: string, body: string, headers: Record<string, string> = {}): void {
    this.say({ kind: "message", message: { from, to: ANNA, contentType: "text/plain", body, header: (name) => headers[name] } });
  }
}

const settled = () => new Promise<void>((done) => setTimeout(done, 20));

async function signedIn(answers = new Answers()) {
  const shelf = new Shelf();
  const session = new Session(shelf, answers.fetch);
  await session.signIn(ANNA, "secret", "Test");
  let link: ScriptedLink | undefined;
  const client = new Client(session, async (options) => (link = new ScriptedLink(options)), silentStudio);
  await client.start();
  holds(link, "the client connects");
  link.say({ kind: "up" });
  await settled();
  return { answers, shelf, session, client, link, end: () => (client.stop(), void session.signOut()) };
}

test("the token is in memory and in a header; storage holds the device and that somebody is signed in", async () => {
  const { answers, shelf, session, end } = await signedIn();
  equal([...shelf.keys()].sort(), ["lyceum.address", "lyceum.device", "lyceum.signed-in"]);
  holds(![...shelf.values()].some((v) => v.includes("token-") || v.includes("secret")), "a secret is kept");
  holds(!JSON.stringify(session.state.get()).includes("token-"), "the state shows the token");
  equal(answers.asked.filter((a) => a.line === "GET /contacts").map((a) => a.token), ["Bearer token-1"]);
  end();
});

test("both presence subscriptions are made, the list first", async () => {
  const { link, end } = await signedIn();
  equal(link.watched, [`sip:${ANNA};list=contacts`, `sip:${ANNA}`]);
  end();
});

test("whom one talks to is watched though they are no contact, and no longer when they become one", async () => {
  const answers = new Answers();
  const talk = (address: string, at: string) => ({ id: address, with: [ANNA, address], unread: 0, last: { from: address, text: "x", at } });
  const many = Array.from({ length: 60 }, (_, n) => talk(`p${n}@example.org`, new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString()));
  answers.table.set("GET /conversations", () => answers.json({ items: many }));
  const { client, link, end } = await signedIn(answers);
  const people = link.watched.slice(2);
  equal([people.length, people[0], people[49]], [50, "sip:p59@example.org", "sip:p10@example.org"]);
  await client.openChat(BEN);
  await settled();
  equal([link.watched[52], link.ended], [`sip:${BEN}`, ["sip:p10@example.org"]]);
  answers.table.set("GET /contacts", () => answers.json({ version: 4, groups: [], contacts: [{ address: BEN, groups: [], favourite: false }], relationships: [] }));
  await client.contacts.load();
  equal(link.ended[1], `sip:${BEN}`, "the list says it now");
  end();
});

test("a refusal is told by the server's own code, not by its status alone", async () => {
  const { client, link, end } = await signedIn();
  for (const [code, shown] of [["LYS0008", "too-many-endpoints"], ["LYS0025", "account-disabled"], ["LYS0056", "client-blocked"], [undefined, "sip-403"]]) {
    link.say({ kind: "refused", status: 403, reason: "Forbidden", code });
    await settled();
    equal(client.link.get().problem?.code, shown);
  }
  end();
});

test("many refusals at once ask for one new token, and each question is asked again with it", async () => {
  const { answers, session, link, end } = await signedIn();
  let old = true;
  answers.table.set("GET /contacts", () => (old ? answers.refuse(401, "session-required") : answers.json({ version: 1, groups: [], contacts: [], relationships: [] })));
  const refresh = answers.table.get("POST /session/refresh");
  answers.table.set("POST /session/refresh", () => ((old = false), refresh?.() ?? answers.refuse(500, "x")));
  await Promise.all([session.api.contacts(), session.api.contacts(), session.api.contacts()]);
  equal(answers.count("POST /session/refresh"), 1);
  equal(link.token, "token-2", "the connection has it too");
  end();
});

test("a session that is over signs out with its reason; a server that is away does not", async () => {
  const { answers, session, client, end } = await signedIn();
  const states: [number, string, string][] = [[503, "server-busy", "signed-in"], [500, "internal-fault", "signed-in"], [403, "user-disabled", "signed-out"]];
  for (const [status, code, phase] of states) {
    answers.table.set("POST /session/refresh", () => answers.refuse(status, code));
    await session.renew().catch(() => undefined);
    equal(session.state.get().phase, phase, code);
  }
  equal(session.state.get().problem?.code, "user-disabled");
  equal(session.token(), undefined);
  client.stop();
  end();
});

test("restore: nothing is asked of a browser that nobody signed in with", async () => {
  const answers = new Answers();
  const session = new Session(new Shelf(), answers.fetch);
  await session.restore();
  equal([session.state.get().phase, answers.asked.length], ["signed-out", 0]);
});

test("what is written without a connection waits, and leaves once, in order, under its own name", async () => {
  const { client, link, end } = await signedIn();
  await client.openChat(BEN);
  link.say({ kind: "down" });
  for (const text of ["one", "two", "three"]) client.send(BEN, text);
  await settled();
  equal(link.texts(), []);
  link.say({ kind: "up" });
  await settled();
  equal(link.texts(), ["one", "two", "three"]);
  const names = link.sent.map((m) => m.headers?.["Message-ID"]);
  equal(new Set(names).size, 3);
  equal(client.chats.get(BEN)?.messages.map((m) => m.mark), ["sent", "sent", "sent"]);
  end();
});

test("a message whose answer was lost leaves again under the same name, and nothing overtakes it", async () => {
  const { client, link, end } = await signedIn();
  await client.openChat(BEN);
  link.outcome = () => ({ ok: false, status: 0, reason: "" });
  client.send(BEN, "one");
  client.send(BEN, "two");
  await settled();
  equal(link.texts(), ["one"]);
  link.outcome = () => ({ ok: true, status: 200, reason: "" });
  link.say({ kind: "down" });
  link.say({ kind: "up" });
  await settled();
  equal(link.texts(), ["one", "one", "two"]);
  equal(link.sent[0]?.headers?.["Message-ID"], link.sent[1]?.headers?.["Message-ID"]);
  end();
});

test("a token that ended under way is renewed, and the message leaves again once; a second refusal is shown", async () => {
  const { answers, client, link, end } = await signedIn();
  await client.openChat(BEN);
  const outcomes = [401, 200, 401, 401];
  link.outcome = () => {
    const status = outcomes.shift() ?? 200;
    return { ok: status === 200, status, reason: "Unauthorized" };
  };
  client.send(BEN, "one");
  client.send(BEN, "two");
  await settled();
  equal(link.texts(), ["one", "one", "two", "two"]);
  equal(client.chats.get(BEN)?.messages.map((m) => m.mark), ["sent", "failed"]);
  equal(answers.count("POST /session/refresh"), 2);
  end();
});

test("a refusal is shown at its message and holds up nobody", async () => {
  const { client, link, end } = await signedIn();
  await client.openChat(BEN);
  const outcomes: Outcome[] = [{ ok: false, status: 403, reason: "Filtered" }, { ok: true, status: 200, reason: "" }];
  link.outcome = () => outcomes.shift() ?? { ok: true, status: 200, reason: "" };
  client.send(BEN, "bad");
  client.send(BEN, "good");
  await settled();
  equal(client.chats.get(BEN)?.messages.map((m) => [m.mark, m.reason]), [["failed", "Filtered (403)"], ["sent", undefined]]);
  end();
});

test("the same message twice is shown, counted, knocked and confirmed once", async () => {
  const { client, link, end } = await signedIn();
  const knocks: string[] = [];
  client.onKnock = ({ text }) => knocks.push(text);
  client.looking = () => false;
  const headers = { "Message-ID": "m1", "Disposition-Notification": "positive-delivery, display" };
  link.message(BEN, "hello", headers);
  link.message(BEN, "hello", headers);
  equal([client.chats.get(BEN)?.messages.length, client.chats.get(BEN)?.unread, knocks], [1, 1, ["hello"]]);
  equal(link.sent.filter((m) => m.contentType === "message/imdn+xml").length, 1);
  end();
});

test("read is told when the conversation is on the screen and looked at, not before", async () => {
  const { client, link, end } = await signedIn();
  let looking = false;
  client.looking = () => looking;
  await client.openChat(BEN);
  link.message(BEN, "hello", { "Message-ID": "m1" });
  const read = () => link.sent.filter((m) => m.body.includes("<displayed/>")).length;
  equal(read(), 0);
  looking = true;
  client.readOpen();
  client.readOpen();
  equal([read(), client.chats.get(BEN)?.unread], [1, 0]);
  end();
});

test("an interruption is told with its length once the connection is back, and everything is read anew", async () => {
  const { answers, client, link, end } = await signedIn();
  const before = answers.count("GET /conversations");
  link.say({ kind: "down" });
  equal(client.link.get().phase, "offline");
  holds(client.presence.state.get().staleSince !== undefined, "states are as of then");
  await settled();
  link.say({ kind: "up" });
  await settled();
  const { phase, restoredAfter } = client.link.get();
  holds(phase === "online" && restoredAfter !== undefined && restoredAfter >= 10, `${phase} ${restoredAfter}`);
  equal(client.presence.state.get().staleSince, undefined);
  holds(answers.count("GET /conversations") > before, "conversations are read anew");
  end();
});

test("a client that the server does not let in says so", async () => {
  const { client, link, end } = await signedIn();
  link.say({ kind: "refused", status: 403, reason: "Client Version Blocked" });
  await settled();
  equal([client.link.get().phase, client.link.get().problem?.code], ["refused", "sip-403"]);
  end();
});

test("a change made elsewhere first: the same change once more on what stands now", async () => {
  const { answers, client, end } = await signedIn();
  const lists = [{ version: 7, groups: [{ id: 4, name: "Other" }], contacts: [], relationships: [] }];
  let tries = 0;
  answers.table.set("PUT /contacts", () => {
    const sent = answers.asked[answers.asked.length - 1]?.body as { version: number };
    return ++tries === 1 ? answers.refuse(409, "contacts-conflict") : answers.json({ ...sent, version: 8 });
  });
  answers.table.set("GET /contacts", () => answers.json(lists[0]));
  await client.contacts.newGroup("Mine");
  const { groups, version } = client.contacts.state.get().list;
  equal([tries, version, groups.map((g) => g.name)], [2, 8, ["Other", "Mine"]]);
  end();
});
