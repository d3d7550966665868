/** Three people in three pages of a browser with fake devices, and what they do with their hands. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page, WebSocket } from "playwright-core";
import { DESK } from "../look";
import { servePages, until } from "../stage";
import { watchConnections } from "./measure";

export interface Account {
  address: string;
  password: string;
}
export type Name = "anna" | "ben" | "clara";
export const NAMES: readonly Name[] = ["anna", "ben", "clara"];
export type Pages = Record<Name, Page>;

export interface Options {
  base: string;
  people: Record<Name, Account>;
  /** Cuts the server's power and returns when it is up again. */
  restart: string | undefined;
  /** The server has a relay that both ends may use. */
  relay: boolean;
  /** Pages of this folder instead of the server's: to try what is being written. */
  pages: string | undefined;
  out: string;
  only: string[];
}

/** A microphone that beeps, a camera with a moving picture, a screen; nobody has to allow them. */
export const DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required"];
const SOON = 10_000;

export interface Complaints {
  faults: string[];
}

export async function open(browser: Browser, complaints: Complaints, { base, pages, out }: Options, name: Name): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: DESK, locale: "en-GB", reducedMotion: "reduce", permissions: ["microphone", "camera", "notifications"] });
  await servePages(context, base, pages);
  await context.addInitScript(watchConnections);
  await context.addInitScript(watchTones);
  const page = await context.newPage();
  page.setDefaultTimeout(SOON);
  page.on("websocket", (socket) => keepTrace(socket, join(out, `sip-${name}.log`)));
  page.on("pageerror", (error) => complaints.faults.push(error.message));
  page.on("console", (line) => line.type() === "error" && !/Failed to load resource|WebSocket connection/.test(line.text()) && complaints.faults.push(line.text()));
  return page;
}

/** Of each SIP message the lines that tell its way; no body, no token. */
function keepTrace(socket: WebSocket, file: string): void {
  const keep = (mark: string) => (frame: { payload: string | Buffer }) => {
    const [first = "", ...lines] = (String(frame.payload).split("\r\n\r\n")[0] ?? "").split("\r\n");
    if (/REGISTER|PUBLISH|NOTIFY|SUBSCRIBE/.test(`${first} ${lines.join(" ")}`)) return;
    appendFileSync(file, `${new Date().toISOString()} ${mark} ${first}\n${lines.filter((line) => /^(CSeq|Call-ID|Contact|Route|Record-Route|To|From|Reason|Refer-To|Replaces|Lyceum-Diagnostics):/i.test(line)).map((line) => `    ${line.slice(0, 200)}\n`).join("")}`);
  };
  socket.on("framesent", keep(">"));
  socket.on("framereceived", keep("<"));
}

/** Remembers which keypad tones the browser sent, when it has sent them. */
function watchTones(): void {
  const sent: string[] = [];
  const insert = RTCDTMFSender.prototype.insertDTMF;
  RTCDTMFSender.prototype.insertDTMF = function (this: RTCDTMFSender & { heard?: boolean }, ...given) {
    if (!this.heard) this.addEventListener("tonechange", (event) => event.tone !== "" && sent.push(event.tone));
    this.heard = true;
    return insert.apply(this, given);
  };
  Object.assign(globalThis, { tonesSent: sent });
}

export async function signIn(page: Page, base: string, who: Account): Promise<void> {
  await page.goto(`${base}/client/`);
  await page.locator('input[autocomplete="username"]').fill(who.address);
  await page.locator('input[type="password"]').fill(who.password);
  await page.locator('button[type="submit"]').click();
  await page.locator(".own-button").waitFor();
  await page.locator(".own-word", { hasNotText: "Not connected" }).waitFor();
}

export class Hands {
  constructor(
    readonly pages: Pages,
    readonly options: Options,
  ) {}

  address = (name: Name): string => this.options.people[name].address;
  user = (name: Name): string => this.address(name).replace(/@.*/, "");
  go = (page: Page, hash: string): Promise<unknown> => page.goto(`${this.options.base}/client/#/${hash}`);

  /** From the other's card. */
  async call(from: Name, to: Name, video = false): Promise<void> {
    const page = this.pages[from];
    await this.go(page, `people/${encodeURIComponent(this.address(to))}`);
    await page.locator(".card").getByRole("button", { name: video ? "Video call" : "Call", exact: true }).click();
  }

  async answer(name: Name, how: "Answer" | "With video" = "Answer"): Promise<void> {
    await this.pages[name].locator(".incoming").getByRole("button", { name: how }).click();
  }

  /** Both speak: the time runs in both pages. */
  async talking(...names: Name[]): Promise<void> {
    for (const name of names) await this.bar(name).filter({ hasText: /\d:\d\d/ }).first().waitFor();
  }

  bar = (name: Name, other?: Name) => this.pages[name].locator(other === undefined ? ".call-bar.talking" : `.call-bar[data-with="${this.address(other)}"]:not(.ended)`);

  async press(name: Name, label: string | RegExp): Promise<void> {
    await this.pages[name].locator(".call-controls").getByRole("button", { name: label }).click();
  }

  async hangUp(name: Name): Promise<void> {
    const button = this.pages[name].getByRole("button", { name: "Hang up" }).last();
    await button.click();
  }

  /** Nobody has a call any more. */
  async quiet(): Promise<void> {
    for (const name of NAMES) {
      const page = this.pages[name];
      for (let n = 0; n < 4 && (await page.locator(".call-bar:not(.ended), .incoming").count()) > 0; n++) {
        await page.getByRole("button", { name: /Hang up|Decline/ }).last().click({ timeout: 1000 }).catch(() => undefined);
        await page.waitForTimeout(200);
      }
    }
    for (const name of NAMES) await until(async () => (await this.pages[name].locator(".call-bar, .incoming").count()) === 0, `${name} has no call`, 15_000);
  }
}
