import type { Text } from "@shared/text";
import { GROUPS, begin, nextKey, renamed, toml, without, type Draft } from "../src/plan/draft";
import { de } from "../src/plan/texts.de";
import { en } from "../src/plan/texts.en";
import { equal, holds, test } from "./kit";

const empty: Draft = { answers: {}, sites: [], links: [] };

test("planning: both catalogues name the same places, and every question has a text", () => {
  const places = (text: Text) => [...new Set([...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map((m) => m[1]))].sort();
  for (const key of Object.keys(en) as (keyof typeof en)[]) equal(places(de[key]), places(en[key]), key);
  for (const group of GROUPS) {
    holds(`group.${group.id}` in en, group.id);
    for (const { field } of group.questions) holds(field in en, field);
  }
});

test("planning: an empty answer is none, a number may be in the reader's form, anything else goes as text", () => {
  equal(toml(empty), "");
  const answers = { "voice.minutes": "4,5", "voice.share": " 060 ", "meetings.share": "three", "access.edge": "no", "organisation.sip_domains": "a.org, b.org", "voice.bypass": "  " };
  equal(toml({ ...empty, answers }), '[organisation]\nsip_domains = ["a.org", "b.org"]\n\n[voice]\nshare = 60\nminutes = 4.5\n\n[meetings]\nshare = "three"\n\n[access]\nedge = false\n');
});

test("planning: no name ends its text", () => {
  const name = 'A "B" \\ \u007f\n[voice]';
  const text = toml({ ...empty, sites: [{ key: 1, name, users: "10", hub: "", pair: "" }] });
  equal(text, '[[site]]\nname = "A \\"B\\" \\\\ \\u007F\\n[voice]"\nusers = 10\n');
});

test("planning: who speaks of a site follows it", () => {
  const draft = renamed(begin(), 1, "Londinium");
  equal([draft.sites[2]?.hub, draft.links[0]?.from, draft.links[1]?.to], ["Londinium", "Londinium", "Londinium"]);
  const left = without(draft, 2);
  equal([left.sites.map((site) => site.pair), left.links.length], [["", ""], 1]);
  equal(nextKey(left), 6);
  equal(without(left, 1).sites[0]?.hub, "");
});
