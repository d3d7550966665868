/** Sound: ringing, answering, declining, holding, muting, keys, a second call, and what the history says of it. */
import { picture, views } from "../look";
import { until } from "../stage";
import type { Step } from "./main";
import { hears, hearsNothing } from "./measure";

export const calling: Step[] = [
  {
    name: "a call rings with a name, is answered, and both hear each other",
    async play(hands) {
      const { anna, ben } = hands.pages;
      await hands.go(anna, `chats/${encodeURIComponent(hands.address("ben"))}`);
      await anna.getByRole("button", { name: /^Call / }).first().click();
      await ben.locator(".incoming", { hasText: hands.user("anna") }).waitFor();
      await anna.locator(".call-bar", { hasText: "It rings there" }).waitFor();
      await views(ben, hands.options.out, "incoming");
      // It is reachable by keyboard: the focus is on it, for nobody writes.
      await until(() => ben.evaluate(() => document.activeElement?.textContent?.includes("Answer") ?? false), "the focus is on Answer");
      await ben.keyboard.press("Enter");
      await hands.talking("anna", "ben");
      await Promise.all([hears(anna, "Anna"), hears(ben, "Ben")]);
      await views(anna, hands.options.out, "in-call");
      await anna.locator(".network.good, .network.fair").first().waitFor();
      await anna.locator(".call-bar .network").click();
      await anna.locator(".popover", { hasText: "opus" }).waitFor();
      await picture(anna, hands.options.out, "network");
      await anna.keyboard.press("Escape");
      await hands.go(anna, "calls/now");
      await anna.locator(".stage").waitFor();
      await views(anna, hands.options.out, "in-call-stage");
      await hands.hangUp("anna");
      await ben.locator(".call-bar.ended", { hasText: "Call ended" }).waitFor();
    },
  },
  {
    name: "mute: the far side hears nothing, and hears again; the letter M does it too",
    async play(hands) {
      const { anna, ben } = hands.pages;
      await begin(hands);
      await hears(ben, "Ben");
      await hands.press("anna", /^Mute/);
      await hearsNothing(ben, "Ben");
      await hears(anna, "Anna");
      await anna.keyboard.press("m");
      await hears(ben, "Ben again");
    },
  },
  {
    name: "hold and resume: who holds is shown at both ends, and no sound passes",
    async play(hands) {
      const { anna, ben } = hands.pages;
      await begin(hands);
      await hears(ben, "Ben");
      await hands.press("anna", /^Hold/);
      await hands.bar("anna").filter({ hasText: "On hold" }).waitFor();
      await hands.bar("ben").filter({ hasText: "The other end holds the call" }).waitFor();
      await Promise.all([hearsNothing(ben, "Ben"), hearsNothing(anna, "Anna")]);
      await views(ben, hands.options.out, "held");
      await hands.press("anna", /^Resume/);
      await Promise.all([hears(ben, "Ben"), hears(anna, "Anna")]);
      await hands.press("ben", /^Hold/);
      await hands.bar("anna").filter({ hasText: "The other end holds the call" }).waitFor();
      await hands.press("ben", /^Resume/);
      await Promise.all([hears(ben, "Ben"), hears(anna, "Anna")]);
    },
  },
  {
    name: "keypad in a call: the tones leave with the sound (RFC 4733)",
    async play(hands) {
      const { anna } = hands.pages;
      await begin(hands);
      await hands.press("anna", /^Keypad/);
      for (const key of ["4", "7", "#"]) await anna.locator(".keypad-key", { has: anna.locator(".digit", { hasText: key }) }).click();
      await views(anna, hands.options.out, "keypad");
      await anna.keyboard.press("1");
      await until(async () => (await anna.evaluate(() => (globalThis as unknown as { tonesSent: string[] }).tonesSent.join(""))) === "47#1", "four tones were sent");
      const offered = await anna.evaluate(() => (globalThis as unknown as { made: RTCPeerConnection[] }).made.slice(-1)[0]?.remoteDescription?.sdp.includes("telephone-event") ?? false);
      if (!offered) throw new Error("the other end takes no telephone-event");
    },
  },
  {
    name: "declined: who called reads it, and the history has both sides",
    async play(hands) {
      const { anna, ben } = hands.pages;
      await hands.call("anna", "ben");
      await ben.locator(".incoming").getByRole("button", { name: "Decline" }).click();
      await anna.locator(".call-bar.ended", { hasText: "Declined" }).waitFor();
      await picture(anna, hands.options.out, "declined");
      await hands.go(ben, "calls");
      await ben.locator(".list-row", { hasText: hands.user("anna") }).first().locator("text=Declined").waitFor();
    },
  },
  {
    name: "a missed call is marked until it is seen, and the history has length and direction",
    async play(hands) {
      const { anna, ben } = hands.pages;
      await hands.go(ben, "chats");
      await hands.call("anna", "ben");
      await ben.locator(".incoming").waitFor();
      await hands.hangUp("anna");
      await ben.locator(".incoming").waitFor({ state: "detached" });
      await ben.locator(".rail-item.calls .count", { hasText: "1" }).waitFor();
      await hands.go(ben, "calls");
      await ben.locator(".list-row.unread", { hasText: "Missed" }).waitFor();
      await ben.locator(".rail-item.calls .count").waitFor({ state: "detached" });
      await views(ben, hands.options.out, "history");
      await hands.go(anna, "calls");
      await anna.locator(".list-row", { hasText: "Given up" }).first().waitFor();
      await anna.locator(".list-row", { hasText: /Outgoing · \d:\d\d/ }).first().click();
      await anna.locator(".card", { hasText: "Length" }).waitFor();
      await views(anna, hands.options.out, "history-one");
    },
  },
  {
    name: "a second call comes in: answering holds the first, and one can go back",
    async play(hands) {
      const { anna, ben } = hands.pages;
      await begin(hands);
      await hands.call("clara", "anna");
      await anna.locator(".incoming", { hasText: "puts the other call on hold" }).waitFor();
      await picture(anna, hands.options.out, "second-call");
      await hands.answer("anna");
      await hands.bar("ben").filter({ hasText: "The other end holds the call" }).waitFor();
      await hears(hands.pages.clara, "Clara");
      await views(anna, hands.options.out, "two-calls");
      await hands.bar("anna", "ben").getByRole("button", { name: "Resume" }).click();
      await hands.bar("clara").filter({ hasText: "The other end holds the call" }).waitFor();
      await hears(ben, "Ben");
    },
  },
  {
    name: "a number is dialled with the keypad; one that nobody has is told in words",
    async play(hands) {
      const { anna } = hands.pages;
      await hands.go(anna, "calls");
      await anna.locator(".dial").getByRole("button", { name: "Keypad" }).click();
      for (const key of ["0", "3", "0", "9", "9"]) await anna.locator(".dial .keypad-key", { has: anna.locator(".digit", { hasText: key }) }).first().click();
      await anna.locator(".dial", { hasText: "Dialled as 03099" }).waitFor();
      await views(anna, hands.options.out, "dialling");
      await anna.locator(".dial").getByRole("button", { name: "Call", exact: true }).click();
      await anna.locator(".call-bar.ended").filter({ hasText: /no such number|may not call|No answer/ }).waitFor();
      await picture(anna, hands.options.out, "no-such-number");
    },
  },
];

async function begin(hands: Parameters<Step["play"]>[0]): Promise<void> {
  await hands.call("anna", "ben");
  await hands.answer("ben");
  await hands.talking("anna", "ben");
}
