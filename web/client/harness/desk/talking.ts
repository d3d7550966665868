/** What a person at a page does and sees beside calls: states of others, their own, messages. */
import type { Page } from "playwright-core";
import { until } from "../stage";
import type { Order } from "./main";

const SOON = 10_000;

/** What each contact's row said, and when: kept by the page itself, so that asking later does not make it late. */
interface Shown {
  at: number;
  row: string;
}

export function talking(page: Page, base: string): Record<string, (order: Order) => Promise<string | void>> {
  const chat = async (to = "") => {
    const there = `${base}/client/#/chats/${encodeURIComponent(to)}`;
    if (page.url() !== there) await page.goto(there);
    await page.locator(".composer textarea").waitFor();
  };
  return {
    async add({ to = "" }) {
      await page.goto(`${base}/client/#/people/${encodeURIComponent(to)}`);
      await page.locator(".card").getByRole("button", { name: "Add to contacts" }).click();
      await page.getByRole("button", { name: "Remove from contacts" }).waitFor();
    },
    /** From here on the list of contacts is watched. */
    async watch() {
      await page.goto(`${base}/client/#/people`);
      await page.locator("a.list-row").first().waitFor();
      await page.evaluate(() => {
        const shown: Shown[] = [];
        const look = () => {
          for (const row of document.querySelectorAll<HTMLElement>("a.list-row")) {
            const text = `${row.getAttribute("href")} ${row.innerText}`;
            if (shown.findLast((one) => one.row.split(" ")[0] === text.split(" ")[0])?.row !== text) shown.push({ at: Date.now(), row: text });
          }
        };
        new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
        look();
        Object.assign(globalThis, { shown });
      });
    },
    /** Says when a contact's row, as it is now, came to show the text. */
    async shows({ to = "", text = "", ms }) {
      let at = 0;
      let last = "nothing";
      const now = async () => {
        const all = await page.evaluate(() => (globalThis as unknown as { shown: Shown[] }).shown);
        const of = all.filter((one) => one.row.includes(encodeURIComponent(to)));
        last = of.at(-1)?.row ?? "nothing";
        at = of.at(-1)?.at ?? 0;
        return last.includes(text);
      };
      await until(now, `${to} shown as ${text}`, ms ?? SOON).catch((error: unknown) => {
        throw new Error(`${String(error)}; it says ${last.replaceAll("\n", " ")}`);
      });
      return `shows ${at}`;
    },
    async choose({ text = "" }) {
      await page.locator(".own-button").click();
      const at = Date.now();
      await page.getByRole("menuitemradio", { name: text, exact: true }).click();
      return `chose ${at}`;
    },
    async write({ to, text = "" }) {
      await chat(to);
      await page.locator(".composer textarea").fill(text);
      await page.keyboard.press("Enter");
      await page.locator(".message.mine", { hasText: text }).locator(".mark-sent, .mark-delivered, .mark-read").waitFor();
    },
    /** Loads the page anew, away from any conversation. */
    async anew() {
      await page.goto(`${base}/client/#/people`);
      await page.reload();
      await page.locator(".own-word", { hasNotText: "Not connected" }).waitFor();
    },
    knocked: ({ ms }) => page.locator(".rail-item.chats .count").waitFor({ timeout: ms ?? SOON }),
    /** How often it stands there. */
    async reads({ to, text = "", ms }) {
      await chat(to);
      const found = page.locator(".message:not(.mine)", { hasText: text });
      await found.first().waitFor({ timeout: ms ?? SOON });
      return `reads ${await found.count()}`;
    },
  };
}
