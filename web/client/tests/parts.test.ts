import { words, type Text } from "@shared/text";
import { initials } from "@shared/avatar";
import { relationshipOf, sections } from "../src/core/contacts";
import { matches } from "../src/core/find";
import { PresenceBook, kindOf, wordOf } from "../src/core/presence";
import { href, parse } from "../src/core/route";
import { mediaType, split } from "../src/sip/multipart";
import { addressOf } from "../src/sip/address";
import { de } from "../src/texts/de";
import { en } from "../src/texts/en";
import { equal, holds, test } from "./kit";

test("both catalogues name the same places", () => {
  const places = (text: Text) => [...new Set([...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map((m) => m[1]))].sort();
  for (const key of Object.keys(en) as (keyof typeof en)[]) equal(places(de[key]), places(en[key]), key);
});

test("numbers choose their form, places are filled, a missing text shows its key", () => {
  const { t } = words(en, "en");
  equal(t("rail.unread", { count: 1 }), "1 unread");
  equal(t("people.group-members", { count: 1200 }), "1,200 members");
  equal(words(de, "de").t("people.group-members", { count: 1200 }), "1.200 Mitglieder");
  equal(t("no.such.key"), "no.such.key");
});

test("times in plain words", () => {
  const { ago, duration } = words(en, "en");
  const now = Date.UTC(2026, 0, 5, 12);
  const table: [number, string][] = [[0, "this minute"], [5 * 60_000, "5 minutes ago"], [3 * 3600_000, "3 hours ago"], [2 * 86_400_000, "2 days ago"]];
  for (const [before, expected] of table) equal(ago(now - before, now), expected);
  equal([duration(400), duration(14_000), duration(600_000)], ["1 sec", "14 sec", "10 min"]);
});

test("initials", () => {
  const table: [string, string][] = [["Anna Ahrens", "AA"], ["Elif Nur Ergün", "EE"], ["ben@example.org", "B"], ["max.muster@example.org", "MM"], ["", "?"]];
  for (const [name, expected] of table) equal(initials(name), expected, name);
});

test("each band of availability has its shape and its word", () => {
  const view = (availability: number, activity: string) => ({ address: "a@b", availability, activity });
  const table: [number, string, string, string][] = [
    [0, "unknown", "unknown", "presence.unknown"],
    [3500, "available", "available", "presence.available"],
    [5000, "inactive", "idle", "presence.inactive"],
    [6500, "on-the-phone", "busy", "presence.on-the-phone"],
    [6500, "word-of-a-newer-server", "busy", "presence.busy"],
    [7500, "busy", "busy", "presence.busy"],
    [9500, "do-not-disturb", "dnd", "presence.do-not-disturb"],
    [12500, "be-right-back", "away", "presence.be-right-back"],
    [15500, "off-work", "away", "presence.off-work"],
    [18500, "offline", "offline", "presence.offline"],
  ];
  for (const [n, activity, kind, word] of table) equal([kindOf(view(n, activity)), wordOf(view(n, activity))], [kind, word], `${n} ${activity}`);
  equal(kindOf(undefined), "unknown");
});

test("a partial list after a gap asks for the whole one", () => {
  const book = new PresenceBook();
  const notice = (version: number, full: boolean) => ({ version, full, people: [] });
  equal([notice(0, true), notice(1, false), notice(2, false)].map((n) => book.hear(n)), [true, true, true]);
  equal(book.hear(notice(4, false)), false);
  equal(book.hear(notice(5, true)), true);
});

test("a person who leaves the list of states is unknown, not offline", () => {
  const book = new PresenceBook();
  const person = (state: string) => ({ version: 0, full: true, people: [{ address: "a@b", view: state === "active" ? { address: "a@b", availability: 3500, activity: "available" } : undefined, card: undefined, state }] });
  for (const [state, known] of [["active", true], ["pending", true], ["terminated", false]] as const) {
    book.hear(person(state));
    equal(book.state.get().of.has("a@b"), known, state);
  }
});

test("contacts stand under favourites, their groups, or the rest, by name", () => {
  const entry = (address: string, groups: number[], favourite = false, display_name?: string) => ({ address, groups, favourite, ...(display_name ? { display_name } : {}) });
  const list = { version: 1, groups: [{ id: 2, name: "North" }, { id: 3, name: "Empty" }], contacts: [entry("z@x", [2]), entry("m@x", [], true), entry("b@x", [], false, "Öner"), entry("c@x", [9]), entry("p@x", [])], relationships: [] };
  equal(
    sections(list, "de").map((s) => [s.name ?? s.id, s.contacts.map((c) => c.address)]),
    [["favourites", ["m@x"]], ["North", ["z@x"]], ["Empty", []], ["others", ["c@x", "b@x", "p@x"]]],
  );
});

test("a relationship is that of the address, else of the domain, else of where one belongs", () => {
  const relationships = [{ who: "eva@partner.org", relationship: "workgroup" as const }, { who: "@partner.org", relationship: "colleagues" as const }];
  const list = { version: 1, groups: [], contacts: [], relationships };
  const table = [["eva@partner.org", "workgroup"], ["max@partner.org", "colleagues"], ["ben@example.org", "colleagues"], ["x@elsewhere.org", "external"]];
  for (const [address, expected] of table) equal(relationshipOf(list, address ?? "", "example.org"), expected as never, address);
});

test("search by beginnings of words, parts of the address, and digits; accents do not count", () => {
  const texts = ["Clara Čapek", "clara@example.org", "tel:+49 30 1234503"];
  const table: [string, boolean][] = [["cap", true], ["cla cap", true], ["čAP", true], ["ample", true], ["4503", true], ["+4930", true], ["xyz", false], ["cla xyz", false]];
  for (const [q, expected] of table) equal(matches(q, texts), expected, q);
});

test("addresses of pages go there and back", () => {
  for (const of of ["ben@example.org", "a/b", "ü ?#"]) equal(parse(href("people", of)), { area: "people", of }, of);
  equal(parse(""), { area: "chats" });
  equal(parse("#/nonsense/x"), { area: "chats" });
  equal(parse("#/help/%E0%A4%A"), { area: "help" });
});

test("an address out of a SIP URI", () => {
  const table: [string, string][] = [["sip:Ben@Example.org;transport=ws", "ben@example.org"], ["<sip:ben@example.org>", "ben@example.org"], ["sips:b%40c@example.org?x=y", "b@c@example.org"], ["sip:%zz@example.org", "%zz@example.org"]];
  for (const [uri, expected] of table) equal(addressOf(uri), expected, uri);
});

test("parts of a multipart body", () => {
  const body = "--b1\r\nContent-Type: application/rlmi+xml;charset=\"UTF-8\"\r\nContent-ID: <list@x>\r\n\r\n<list/>\r\n--b1\r\ncontent-id: <0@x>\r\nCONTENT-TYPE:\r\n application/pidf+xml\r\n\r\nline 1\r\n\r\n--b2 is no boundary\r\n--b1--\r\nafter";
  const parts = split('multipart/related;type="application/rlmi+xml";boundary="b1"', body);
  equal(parts.map((p) => [mediaType(p.contentType), p.contentId, p.body]), [["application/rlmi+xml", "list@x", "<list/>"], ["application/pidf+xml", "0@x", "line 1\r\n\r\n--b2 is no boundary"]]);
  equal(split("multipart/related", body), []);
  holds(split("multipart/mixed; boundary=none", body).length === 0, "a boundary that is not there gives no part");
});
