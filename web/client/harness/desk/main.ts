/** One person at a page, with the hands that orders give: each line of the input is one, each is answered with one line. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Page } from "playwright-core";
import { DEVICES } from "../calls/people";
import { look, watchConnections } from "../calls/measure";
import { signIn } from "../calls/people";
import { flowSince, watchFlow } from "../crowd/flow";
import { DESK } from "../look";
import { forPages, launch, servePages, until } from "../stage";
import { talking } from "./talking";
import { begin, end, plainMicrophone, tapSound, wave } from "./tap";

export interface Options {
  base: string;
  address: string;
  password: string;
  /** What is said into the microphone, again and again; else it beeps. */
  speaks: string | undefined;
  pages: string | undefined;
  out: string;
}

export interface Order {
  do: string;
  to?: string;
  video?: boolean;
  keys?: string;
  path?: string;
  /** What is written, or shown beside a name. */
  text?: string;
  /** Milliseconds since 1970. */
  since?: number;
  /** How long it may take. */
  ms?: number;
}

const SOON = 10_000;
const tell = (line: string) => process.stdout.write(`${line}\n`);

export async function main(options: Options): Promise<void> {
  const speaks = options.speaks === undefined ? [] : [`--use-file-for-fake-audio-capture=${options.speaks}`];
  const browser = await launch([...DEVICES, ...speaks, ...forPages(options.pages)]);
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: DESK, locale: "en-GB", reducedMotion: "reduce", permissions: ["microphone", "camera", "notifications"] });
  await servePages(context, options.base, options.pages);
  for (const script of [watchConnections, tapSound, plainMicrophone, watchFlow]) await context.addInitScript(script);
  const page = await context.newPage();
  page.setDefaultTimeout(SOON);
  page.on("pageerror", (error) => tell(`FAULT the page complained: ${error.message}`));
  const hands = doing(page, options);
  try {
    await signIn(page, options.base, options);
    tell("registered");
  } catch (error) {
    tell(`unregistered ${first(error)}`);
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as Order;
    if (order.do === "quit") break;
    try {
      const said = await hands[order.do]?.(order);
      tell(said ?? `done ${order.do}`);
    } catch (error) {
      await page.screenshot({ path: join(options.out, `fault-${order.do}.png`) });
      tell(`FAULT ${order.do}: ${first(error)}`);
    }
  }
  await browser.close();
}

const first = (error: unknown): string => (error instanceof Error ? error.message.split("\n").slice(0, 3).join(" ") : String(error));

function doing(page: Page, { base, out }: Options): Record<string, (order: Order) => Promise<string | void>> {
  const button = (name: string | RegExp) => page.locator(".call-controls").getByRole("button", { name });
  const bar = (more = "") => page.locator(`.call-bar${more}`);
  const who = (to = "") => `[data-with="${to}"]:not(.ended)`;
  const says = async (words: RegExp, { to, ms }: Order) => bar(to === undefined ? ".talking" : who(to)).filter({ hasText: words }).first().waitFor({ timeout: ms ?? SOON });
  const transfer = async (to: string, how: string) => {
    await button(/^Transfer/).first().click();
    const dialog = page.getByRole("dialog");
    const user = to.replace(/@.*/, "");
    await dialog.locator("input").fill(user);
    await dialog.locator(".offered button", { hasText: user }).click();
    await dialog.getByRole("button", { name: how }).click();
  };
  return {
    ...talking(page, base),
    async dial({ to = "", video }) {
      await page.goto(`${base}/client/#/people/${encodeURIComponent(to)}`);
      await page.locator(".card").getByRole("button", { name: video ? "Video call" : "Call", exact: true }).click();
    },
    incoming: async ({ ms }) => page.locator(".incoming").waitFor({ timeout: ms ?? SOON }),
    answer: ({ video }) => page.locator(".incoming").getByRole("button", { name: video ? "With video" : "Answer", exact: true }).click(),
    decline: () => page.locator(".incoming").getByRole("button", { name: "Decline" }).click(),
    established: (order) => says(/\d:\d\d/, order),
    hold: async () => (await button(/^Hold/).click(), says(/On hold/, { do: "" })),
    resume: async () => (await button(/^Resume/).click(), until(async () => (await bar(".talking").filter({ hasText: "On hold" }).count()) === 0, "no longer on hold", SOON)),
    held: (order) => says(/The other end holds the call/, order),
    resumed: ({ ms }) => until(async () => (await bar(".talking").filter({ hasText: "The other end holds the call" }).count()) === 0, "no longer held by the other end", ms ?? SOON),
    async keys({ keys = "" }) {
      await button(/^Keypad/).click();
      for (const key of keys) await page.locator(".keypad-key", { has: page.locator(".digit", { hasText: key }) }).click();
      await page.keyboard.press("Escape");
    },
    refer: ({ to = "" }) => transfer(to, "Hand over now"),
    consult: ({ to = "" }) => transfer(to, "Ask first"),
    connect: () => page.getByRole("button", { name: "Connect the two" }).click(),
    handed: async ({ ms }) => bar(".ended").filter({ hasText: "Handed over" }).first().waitFor({ timeout: ms ?? SOON }),
    hangup: () => page.getByRole("button", { name: "Hang up" }).last().click(),
    async ended({ ms }) {
      await until(async () => (await page.locator(".call-bar:not(.ended), .incoming").count()) === 0, "the call is over", ms ?? SOON);
    },
    async quiet() {
      for (let n = 0; n < 6 && (await page.locator(".call-bar:not(.ended), .incoming").count()) > 0; n++) {
        await page.getByRole("button", { name: /Hang up|Decline/ }).last().click({ timeout: 1000 }).catch(() => undefined);
        await page.waitForTimeout(200);
      }
    },
    record: () => page.evaluate(begin),
    async save({ path = "" }) {
      writeFileSync(path, wave(await page.evaluate(end)));
      return "saved";
    },
    async bars() {
      const seen = await page.locator("video.main").evaluate((video: HTMLVideoElement) => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
        const pen = canvas.getContext("2d");
        pen?.drawImage(video, 0, 0);
        const at = (part: number) => [...(pen?.getImageData(Math.floor(canvas.width * part), canvas.height >> 1, 1, 1).data ?? [])].slice(0, 3);
        return { width: canvas.width, height: canvas.height, bars: [at(1 / 6), at(1 / 2), at(5 / 6)] };
      });
      return `bars ${JSON.stringify(seen)}`;
    },
    flow: async ({ since = 0 }) => `flow ${JSON.stringify(await page.evaluate(flowSince, since))}`,
    stats: async () => `stats ${JSON.stringify(await look(page))}`,
    picture: async ({ path = "" }) => void (await page.screenshot({ path: join(out, path), animations: "disabled" })),
  };
}
