/** Browser, people with pages, pictures and checks: what every scene of the harness stands on. */
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { Fake } from "../fake/server";
import { DOMAIN } from "../fake/world";
import { DESK, picture, views } from "./look";

export interface Options {
  dist: string;
  out: string;
  inPage: string;
  only: string[];
}

export interface Scene {
  name: string;
  play(stage: Stage): Promise<void>;
}

/** How long a page may take for what it should do at once. */
export const SOON = 5_000;

export interface Look {
  theme?: "light" | "dark";
  size?: { width: number; height: number };
  locale?: string;
}

export class Stage {
  readonly fake: Fake;
  base = "";
  readonly #contexts: BrowserContext[] = [];

  private constructor(
    private readonly browser: Browser,
    private readonly options: Options,
  ) {
    this.fake = new Fake(options.dist);
  }

  static async open(browser: Browser, options: Options): Promise<Stage> {
    const stage = new Stage(browser, options);
    stage.base = await stage.fake.listen();
    return stage;
  }

  async close(): Promise<void> {
    for (const context of this.#contexts) await context.close();
    this.fake.close();
  }

  /** A browser of one's own: cookies, storage and permissions are nobody else's. */
  async page({ theme = "light", size = DESK, locale = "en-GB" }: Look = {}): Promise<Page> {
    const context = await this.browser.newContext({ colorScheme: theme, viewport: size, locale, timezoneId: "Europe/Berlin", reducedMotion: "reduce" });
    this.#contexts.push(context);
    // What would be shown on the desktop, for the test to read.
    await context.addInitScript(() => {
      const shown: { title: string; body: string; tag: string }[] = [];
      class Shown {
        static permission = "granted";
        static requestPermission = () => Promise.resolve("granted");
        onclick: (() => void) | null = null;
        constructor(title: string, options: { body: string; tag: string }) {
          shown.push({ title, body: options.body, tag: options.tag });
        }
        close(): void {}
      }
      Object.assign(globalThis, { Notification: Shown, shown });
    });
    const page = await context.newPage();
    page.setDefaultTimeout(SOON);
    page.on("pageerror", (error) => this.faults.push(`${error.message}`));
    page.on("console", (line) => {
      // A refused request is part of many scenes; a broken policy or a React warning of none.
      if (line.type() === "error" && !/Failed to load resource|WebSocket connection/.test(line.text())) this.faults.push(line.text());
    });
    return page;
  }

  /** What the pages complained of. */
  readonly faults: string[] = [];

  async signIn(name: string, look: Look = {}): Promise<Page> {
    const page = await this.page(look);
    await page.goto(`${this.base}/client/`);
    await page.locator('input[autocomplete="username"]').fill(`${name}@${DOMAIN}`);
    await page.locator('input[type="password"]').fill("secret");
    await page.locator('button[type="submit"]').click();
    await page.locator(".rail").waitFor();
    await until(() => [...this.fake.registrar.flows].some((f) => f.address === `${name}@${DOMAIN}`), `${name} registers`);
    return page;
  }

  picture = (page: Page, name: string): Promise<void> => picture(page, this.options.out, name);
  views = (page: Page, name: string): Promise<void> => views(page, this.options.out, name);
}

export async function until(condition: () => boolean | Promise<boolean>, what: string, ms = SOON): Promise<void> {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((wake) => setTimeout(wake, 25));
  }
}

export async function count(page: Page, selector: string, expected: number, what: string): Promise<void> {
  await until(async () => (await page.locator(selector).count()) === expected, `${what}: ${expected} of ${selector}, found ${await page.locator(selector).count()}`);
}

/** What the browser needs for them: a page that comes from here may still speak to a server on this machine. */
export const forPages = (pages: string | undefined): string[] => (pages === undefined ? [] : ["--disable-features=LocalNetworkAccessChecks"]);

/** Lets the browser have the pages of a folder instead of the server's: to try what is being written. */
export async function servePages(context: BrowserContext, base: string, pages: string | undefined): Promise<void> {
  if (pages === undefined) return;
  await context.route(`${base}/client/**`, async (route) => {
    const name = new URL(route.request().url()).pathname.replace("/client/", "") || "index.html";
    const response = name === "index.html" ? await route.fetch() : undefined;
    await route.fulfill({ ...(response ? { response } : {}), path: join(pages, name) });
  });
}

export function launch(more: string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage", ...more] });
}
