/** Many people, each at a page of one browser, who call each other in pairs: each line of the input is an order, answered with one line. */
import { createInterface } from "node:readline";
import type { BrowserContext, Page, WebSocket } from "playwright-core";
import { watchConnections } from "../calls/measure";
import { DEVICES, signIn, type Account } from "../calls/people";
import { DESK } from "../look";
import { forPages, launch, servePages, until } from "../stage";
import { flowSince, watchFlow } from "./flow";

export interface Options {
  base: string;
  /** The first calls the second, the third the fourth. */
  people: Account[];
  pages: string | undefined;
}

const SOON = 20_000;
const tell = (line: string) => process.stdout.write(`${line}\n`);
const first = (error: unknown): string => (error instanceof Error ? error.message.split("\n").slice(0, 3).join(" ") : String(error));

export async function main(options: Options): Promise<void> {
  const browser = await launch([...DEVICES, ...forPages(options.pages)]);
  const pages: Page[] = [];
  try {
    for (const person of options.people) {
      const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: DESK, locale: "en-GB", reducedMotion: "reduce", permissions: ["microphone", "camera", "notifications"] });
      pages.push(await enter(context, options, person));
    }
    tell("registered");
  } catch (error) {
    tell(`unregistered ${first(error)}`);
  }
  const hands = doing(pages, options);
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as { do: string; since?: number };
    if (order.do === "quit") break;
    try {
      tell((await hands[order.do]?.(order.since ?? 0)) ?? `done ${order.do}`);
    } catch (error) {
      tell(`FAULT ${order.do}: ${first(error)}`);
    }
  }
  await browser.close();
}

/** Signed in, and set to use the relay only. */
async function enter(context: BrowserContext, { base, pages }: Options, person: Account): Promise<Page> {
  await servePages(context, base, pages);
  for (const script of [watchConnections, watchFlow]) await context.addInitScript(script);
  const page = await context.newPage();
  page.setDefaultTimeout(SOON);
  page.on("websocket", (socket) => trace(socket, person.address));
  page.on("pageerror", (error) => tell(`FAULT the page complained: ${error.message}`));
  await signIn(page, base, person);
  await page.goto(`${base}/client/#/settings`);
  await page.getByLabel("Send sound and picture through the server’s relay only").check();
  return page;
}

/** Of each message of a call its first line, for the log. */
function trace(socket: WebSocket, who: string): void {
  const keep = (mark: string) => (frame: { payload: string | Buffer }) => {
    const text = String(frame.payload);
    const cseq = /^CSeq: (\d+ \w+)/m.exec(text)?.[1] ?? "";
    const relays = text.match(/ typ relay/g)?.length ?? 0;
    if (/INVITE|ACK|BYE|OPTIONS|UPDATE/.test(cseq)) tell(`trace ${new Date().toISOString().slice(17, 23)} ${who} ${mark} ${text.split("\r\n")[0]} ${cseq} ${relays}`);
  };
  socket.on("framesent", keep(">"));
  socket.on("framereceived", keep("<"));
}

function doing(pages: Page[], { base, people }: Options): Record<string, (since: number) => Promise<string | void>> {
  const talking = (page: Page) => page.locator(".call-bar.talking").filter({ hasText: /\d:\d\d/ });
  return {
    async call() {
      for (let n = 0; n + 1 < pages.length; n += 2) {
        const [caller, callee] = [pages[n]!, pages[n + 1]!];
        await caller.goto(`${base}/client/#/people/${encodeURIComponent(people[n + 1]!.address)}`);
        await caller.locator(".card").getByRole("button", { name: "Call", exact: true }).click();
        await callee.locator(".incoming").getByRole("button", { name: "Answer", exact: true }).click();
        for (const page of [caller, callee]) await talking(page).first().waitFor();
      }
    },
    /** How many pages show a call that goes on. */
    talking: async () => `talking ${(await Promise.all(pages.map((page) => talking(page).count()))).filter((count) => count === 1).length}`,
    flow: async (since) => `flow ${JSON.stringify(await Promise.all(pages.map((page) => page.evaluate(flowSince, since))))}`,
    async hangup() {
      for (let n = 0; n < pages.length; n += 2) await pages[n]!.getByRole("button", { name: "Hang up" }).last().click();
      await until(async () => (await Promise.all(pages.map((page) => page.locator(".call-bar:not(.ended), .incoming").count()))).every((count) => count === 0), "every call is over", SOON);
    },
  };
}
