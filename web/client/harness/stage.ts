/** Browser, people with pages, pictures and checks: what every scene of the harness stands on. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { Fake } from "../fake/server";
import { DOMAIN } from "../fake/world";

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

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** How long a page may take for what it should do at once. */
export const SOON = 5_000;
export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1180, height: 760 };

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

  async picture(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: join(this.options.out, `${name}.png`), animations: "disabled", caret: "hide" });
  }

  /** The page in light, dark and phone width, and what axe finds in each. */
  async views(page: Page, name: string): Promise<void> {
    for (const [view, theme, size] of [["light", "light", DESK], ["dark", "dark", DESK], ["phone", "light", PHONE]] as const) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.setViewportSize(size);
      await page.waitForTimeout(80);
      await this.picture(page, `${name}-${view}`);
      await this.accessible(page, `${name} ${view}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) throw new Error(`${name} ${view}: the page is ${wide} px wider than the screen`);
    }
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.setViewportSize(DESK);
  }

  async accessible(page: Page, name: string): Promise<void> {
    await page.evaluate(axeSource);
    const found = await page.evaluate(async () => {
      const axe = (globalThis as unknown as { axe: { run(what: Document, how: unknown): Promise<{ violations: { id: string; help: string; nodes: { target: unknown[]; failureSummary?: string }[] }[] }> } }).axe;
      const { violations } = await axe.run(document, { resultTypes: ["violations"] });
      return violations.map((v) => `${v.id} (${v.help}): ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary ?? ""}`).slice(0, 4).join("; ")}`);
    });
    if (found.length > 0) throw new Error(`axe-core, ${name}: ${found.join("\n    ")}`);
  }
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

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}
