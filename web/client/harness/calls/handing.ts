/** Handing over: at once, and after asking. */
import { picture, views } from "../look";
import type { Hands } from "./people";
import type { Step } from "./main";
import { hears } from "./measure";

export const handing: Step[] = [
  {
    name: "blind transfer: the other is called by who was handed over, and who handed over is free",
    async play(hands) {
      const { anna, ben, clara } = hands.pages;
      await hands.call("anna", "ben");
      await hands.answer("ben");
      await hands.talking("anna", "ben");
      await choose(hands, "Hand over now");
      await clara.locator(".incoming", { hasText: hands.user("anna") }).waitFor();
      await hands.bar("ben").filter({ hasText: "Being handed over" }).waitFor();
      await picture(ben, hands.options.out, "handing-over");
      await hands.answer("clara");
      await Promise.all([hears(anna, "Anna"), hears(clara, "Clara")]);
      await ben.locator(".call-bar.ended", { hasText: "Handed over" }).waitFor();
      await hands.bar("anna", "clara").waitFor();
    },
  },
  {
    name: "a blind transfer that is declined: the call is still there, and is told why",
    async play(hands) {
      const { ben, clara } = hands.pages;
      await hands.call("anna", "ben");
      await hands.answer("ben");
      await hands.talking("anna", "ben");
      await choose(hands, "Hand over now");
      await clara.locator(".incoming").getByRole("button", { name: "Decline" }).click();
      await ben.locator(".call-trouble", { hasText: "did not work (603)" }).waitFor();
      await hands.press("ben", /^Resume/);
      await Promise.all([hears(hands.pages.anna, "Anna"), hears(ben, "Ben")]);
    },
  },
  {
    name: "attended transfer: asked first, then both are connected",
    async play(hands) {
      const { anna, ben, clara } = hands.pages;
      await hands.call("anna", "ben");
      await hands.answer("ben");
      await hands.talking("anna", "ben");
      await choose(hands, "Ask first");
      await hands.answer("clara");
      await Promise.all([hears(ben, "Ben"), hears(clara, "Clara")]);
      await hands.bar("anna").filter({ hasText: "The other end holds the call" }).waitFor();
      await views(ben, hands.options.out, "asking-first");
      await ben.getByRole("button", { name: "Connect the two" }).click();
      await hands.bar("anna", "clara").waitFor();
      await ben.locator(".call-bar.ended").first().waitFor();
      await Promise.all([hears(anna, "Anna"), hears(clara, "Clara")]);
      await hands.bar("clara", "anna").waitFor();
    },
  },
];

/** Ben hands Anna over to Clara. */
async function choose(hands: Hands, how: string): Promise<void> {
  const { ben } = hands.pages;
  await hands.press("ben", /^Transfer/);
  const dialog = ben.getByRole("dialog");
  await dialog.locator("input").fill(hands.user("clara"));
  await dialog.locator(".offered button", { hasText: hands.user("clara") }).click();
  if (how === "Ask first") await views(ben, hands.options.out, "transfer");
  await dialog.getByRole("button", { name: how }).click();
}
