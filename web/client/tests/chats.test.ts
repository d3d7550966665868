import { Chats, type ChatMessage, type Mark } from "../src/core/chats";
import { equal, test } from "./kit";

const ME = "anna@example.org";
const BEN = "ben@example.org";
const CLARA = "clara@example.org";
const at = (n: number) => Date.UTC(2026, 0, 5, 9, n);
/** Hours after all of it was written. */
const NOW = Date.UTC(2026, 0, 6);
const texts = (chats: Chats, key = BEN) => chats.get(key)?.messages.map((m) => m.text);
const mark = (chats: Chats, id: string, key = BEN) => chats.get(key)?.messages.find((m) => m.id === id)?.mark;

test("a message that comes again, live or from history, is shown once", () => {
  const chats = new Chats(ME);
  chats.withPerson(BEN);
  equal(chats.receive(BEN, { id: "1", from: BEN, text: "hello", at: at(1) }, NOW), true);
  equal(chats.receive(BEN, { id: "1", from: BEN, text: "hello", at: at(1) }, NOW), false);
  chats.page(BEN, { items: [{ id: "00a", message_id: "1", from: BEN, text: "hello", at: new Date(at(1)).toISOString(), to: [{ address: ME }] }] });
  equal(texts(chats), ["hello"]);
  equal(chats.get(BEN)?.unread, 1);
});

test("messages stand in the order of their time, whatever order they came in", () => {
  const chats = new Chats(ME);
  for (const n of [3, 1, 2]) chats.receive(BEN, { id: `${n}`, from: BEN, text: `${n}`, at: at(n) }, NOW);
  equal(texts(chats), ["1", "2", "3"]);
  equal(chats.get(BEN)?.last?.text, "3");
});

test("what comes live stands below what is there, though its second began before", () => {
  const chats = new Chats(ME);
  chats.withPerson(BEN);
  const now = at(5) + 900;
  chats.write(BEN, { id: "1", text: "question", at: now });
  chats.receive(BEN, { id: "2", from: BEN, text: "answer", at: at(5) }, now + 50);
  chats.receive(BEN, { id: "0", from: BEN, text: "stored before", at: at(1) }, now + 60);
  chats.write(BEN, { id: "3", text: "thanks", at: now + 10 });
  equal(texts(chats), ["stored before", "question", "answer", "thanks"]);
});

test("marks only grow", () => {
  const steps: [string, (c: Chats) => void, Mark][] = [
    ["written", (c) => c.write(BEN, { id: "1", text: "x", at: at(1) }), "waiting"],
    ["being sent", (c) => c.mark(BEN, "1", "sending"), "sending"],
    ["connection lost", (c) => c.mark(BEN, "1", "waiting"), "waiting"],
    ["being sent again", (c) => c.mark(BEN, "1", "sending"), "sending"],
    ["delivered before the answer came", (c) => c.notice(BEN, "1", "delivered"), "delivered"],
    ["the answer", (c) => c.mark(BEN, "1", "sent"), "delivered"],
    ["read", (c) => c.notice(BEN, "1", "read"), "read"],
    ["delivered at another device", (c) => c.notice(BEN, "1", "delivered"), "read"],
  ];
  const chats = new Chats(ME);
  chats.withPerson(BEN);
  for (const [name, step, expected] of steps) {
    step(chats);
    equal(mark(chats, "1"), expected, name);
  }
});

test("a refused message can be sent again", () => {
  const chats = new Chats(ME);
  chats.withPerson(BEN);
  chats.write(BEN, { id: "1", text: "x", at: at(1) });
  chats.mark(BEN, "1", "sending");
  chats.mark(BEN, "1", "failed", "403 Forbidden");
  equal(chats.outbox().length, 0);
  chats.mark(BEN, "1", "waiting");
  equal(chats.outbox().map((o) => o.message.id), ["1"]);
});

test("among several, delivered and read mean everybody", () => {
  const chats = new Chats(ME);
  chats.list([{ id: "c1", with: [BEN, CLARA], uri: "sip:c1@example.org", unread: 0 }]);
  chats.write("c1", { id: "1", text: "x", at: at(1) });
  chats.mark("c1", "1", "sending");
  chats.mark("c1", "1", "sent");
  chats.notice(BEN, "1", "read");
  equal(mark(chats, "1", "c1"), "sent");
  chats.notice(CLARA, "1", "delivered");
  equal(mark(chats, "1", "c1"), "delivered");
  chats.notice(CLARA, "1", "read");
  equal(mark(chats, "1", "c1"), "read");
});

test("a notice of a stranger about a message not sent to them changes nothing but their own mark", () => {
  const chats = new Chats(ME);
  chats.withPerson(BEN);
  chats.write(BEN, { id: "1", text: "x", at: at(1) });
  chats.notice("mallory@example.org", "1", "read");
  equal(mark(chats, "1"), "waiting");
});

test("the server's conversation with one person is the one begun here", () => {
  const chats = new Chats(ME);
  chats.withPerson(BEN);
  chats.write(BEN, { id: "1", text: "x", at: at(1) });
  chats.list([{ id: "c9", with: [BEN], unread: 2, last: { from: BEN, text: "y", at: new Date(at(2)).toISOString() } }]);
  equal([...chats.state.get().chats.keys()], [BEN]);
  const chat = chats.get(BEN);
  equal({ id: chat?.id, unread: chat?.unread, last: chat?.last?.text }, { id: "c9", unread: 2, last: "y" });
});

test("what waits leaves in the order it was written, over all conversations", () => {
  const chats = new Chats(ME);
  chats.withPerson(BEN);
  chats.withPerson(CLARA);
  chats.write(CLARA, { id: "2", text: "second", at: at(2) });
  chats.write(BEN, { id: "1", text: "first", at: at(1) });
  equal(chats.outbox().map((o) => o.message.text), ["first", "second"]);
});

test("typing ends with the message, with 'idle', and with its time", () => {
  const chats = new Chats(ME);
  chats.withPerson(BEN);
  const typing = () => [...(chats.get(BEN)?.typing.keys() ?? [])];
  chats.typing(BEN, BEN, 1000);
  equal(typing(), [BEN]);
  chats.sweepTyping(999);
  equal(typing(), [BEN]);
  chats.sweepTyping(1000);
  equal(typing(), []);
  chats.typing(BEN, BEN, 1000);
  chats.receive(BEN, { id: "1", from: BEN, text: "x", at: at(1) }, NOW);
  equal(typing(), []);
});

test("older pages join above, and the first page read again does not forget how far back one looked", () => {
  const chats = new Chats(ME);
  chats.withPerson(BEN);
  const page = (ids: number[], next?: string) => ({ items: ids.map((n) => ({ id: `0${n}`, message_id: `${n}`, from: BEN, text: `${n}`, at: new Date(at(n)).toISOString(), to: [{ address: ME }] })), ...(next ? { next } : {}) });
  chats.page(BEN, page([6, 5], "05"));
  chats.page(BEN, page([4, 3], "03"), "05");
  equal(texts(chats), ["3", "4", "5", "6"]);
  chats.page(BEN, page([7, 6], "06"));
  equal(texts(chats), ["3", "4", "5", "6", "7"]);
  equal(chats.get(BEN)?.next, "03");
  const messages: readonly ChatMessage[] | undefined = chats.get(BEN)?.messages;
  equal(messages?.every((m) => m.mark === "received"), true);
});
