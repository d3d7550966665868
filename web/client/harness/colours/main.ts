/** A page of a real server in light and dark, and what it asks about who watches: one line for each step. */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { report, type Result } from "../../tests/kit";
import { DESK, picture } from "../look";
import { forPages, launch, servePages, until } from "../stage";
import { brightness, colours, type Colours } from "./contrast";

interface Person {
  address: string;
  password: string;
}
export interface Options {
  base: string;
  anna: Person;
  ben: Person;
  /** Pages of this folder instead of the server's: to try what is being written. */
  pages: string | undefined;
  out: string;
  only: string[];
}
type Scheme = "light" | "dark";
type Step = [name: string, act: () => Promise<void>];

const SOON = 10_000;
const SCHEMES: readonly Scheme[] = ["light", "dark"];
/** A page with hardly any text says nothing. */
const TEXTS = 8;

export async function main(options: Options): Promise<boolean> {
  const browser = await launch(forPages(options.pages));
  const complaints: string[] = [];
  const open = async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: DESK, locale: "en-GB", reducedMotion: "reduce", colorScheme: "light" });
    await servePages(context, options.base, options.pages);
    const page = await context.newPage();
    page.setDefaultTimeout(SOON);
    page.on("pageerror", (error) => complaints.push(error.message));
    return page;
  };
  const pages: Pair = { anna: await open(), ben: await open(), options };
  const results: Result[] = [];
  for (const [name, act] of [...inColours(pages), ...watched(pages)]) {
    if (options.only.length > 0 && !name.startsWith("sign in") && !options.only.some((word) => name.includes(word))) continue;
    try {
      await act();
      const said = complaints.splice(0).join("; ");
      results.push(said === "" ? { name } : { name, fault: `the page complained: ${said}` });
    } catch (error) {
      results.push({ name, fault: error instanceof Error ? error.message.split("\n").slice(0, 4).join(" ") : String(error) });
      for (const who of ["anna", "ben"] as const) await pages[who].screenshot({ path: join(options.out, `fault-${results.length}-${who}.png`) });
    }
    console.log(`    ${name}`);
  }
  await browser.close();
  return report(results, console.log);
}

interface Pair {
  anna: Page;
  ben: Page;
  options: Options;
}

const isOf = (found: Colours, scheme: Scheme): boolean => (scheme === "dark" ? brightness(found) < 0.3 : brightness(found) > 0.7);

/** Looks at the page as it is now: dark is dark, light is light, and all of it can be read. */
async function judged(page: Page, scheme: Scheme, out: string, name: string, texts = TEXTS): Promise<Colours> {
  await until(async () => isOf(await colours(page), scheme), `${name} is ${scheme}`);
  await picture(page, out, `${name}-${scheme}`);
  const found = await colours(page);
  if (found.texts < texts) throw new Error(`${name}, ${scheme}: ${found.texts} texts`);
  if (found.faint.length > 0) throw new Error(`${name}, ${scheme}: too faint: ${found.faint.join("; ")}`);
  return found;
}

async function signIn(page: Page, who: Person): Promise<void> {
  await page.locator('input[autocomplete="username"]').fill(who.address);
  await page.locator('input[type="password"]').fill(who.password);
  await page.locator('button[type="submit"]').click();
  await page.locator(".own-button").waitFor();
  await page.locator(".own-word", { hasNotText: "Not connected" }).waitFor();
}

function inColours({ anna, ben, options }: Pair): Step[] {
  const { base, out } = options;
  const place = async (hash: string, what: string) => {
    await anna.goto(`${base}/client/#/${hash}`);
    await anna.locator(what).first().waitFor();
  };
  const shown: [name: string, hash: string, what: string][] = [
    ["chats", `chats/${encodeURIComponent(options.ben.address)}`, ".message"],
    ["people", `people/${encodeURIComponent(options.ben.address)}`, ".card"],
    ["calls", "calls", ".dial"],
    ["settings", "settings", "fieldset.choice"],
    ["help", "help", "h2"],
  ];
  const both = async (name: string) => {
    const grounds: string[] = [];
    for (const scheme of SCHEMES) {
      await anna.emulateMedia({ colorScheme: scheme });
      grounds.push((await judged(anna, scheme, out, name)).ground.join(" "));
    }
    if (grounds[0] === grounds[1]) throw new Error(`${name}: the ground is ${grounds[0]} in both`);
  };
  const ground = async () => (await colours(anna)).ground.join(" ");
  return [
    ["the sign-in page is light and dark as the system wishes, and readable in both", async () => {
      await anna.goto(`${base}/client/`);
      await anna.locator('button[type="submit"]').waitFor();
      for (const scheme of SCHEMES) {
        await anna.emulateMedia({ colorScheme: scheme });
        await judged(anna, scheme, out, "sign-in", 3);
      }
    }],
    ["sign in, both", async () => {
      await ben.goto(`${base}/client/`);
      await Promise.all([signIn(anna, options.anna), signIn(ben, options.ben)]);
      for (const [page, other] of [[anna, options.ben], [ben, options.anna]] as const) {
        await page.goto(`${base}/client/#/chats/${encodeURIComponent(other.address)}`);
        await page.locator(".composer textarea").fill(`hello from the other side of the river`);
        await page.keyboard.press("Enter");
        await page.locator(".message").first().waitFor();
      }
    }],
    ...shown.map(([name, hash, what]): Step => [`${name}: light and dark as the system wishes, and readable in both`, async () => (await place(hash, what), both(name))]),
    ["the menu of one's own state is readable in both", async () => {
      await place("people", ".list-pane");
      await anna.locator(".own-button").click();
      await anna.getByRole("menuitem", { name: "Edit note" }).waitFor();
      await both("menu");
      await anna.keyboard.press("Escape");
    }],
    ["the page's own switch overrules the system, both ways, and is kept when the page is loaded anew", async () => {
      await anna.emulateMedia({ colorScheme: "light" });
      await place("settings", "fieldset.choice");
      const colour = (word: string) => anna.locator("fieldset.choice", { hasText: "Colours" }).getByLabel(word, { exact: true });
      await colour("Dark").check();
      const dark = (await judged(anna, "dark", out, "own-switch")).ground.join(" ");
      await anna.reload();
      await anna.locator("fieldset.choice").first().waitFor();
      if ((await ground()) !== dark) throw new Error(`after loading anew the ground is ${await ground()}`);
      await anna.emulateMedia({ colorScheme: "dark" });
      await colour("Light").check();
      await judged(anna, "light", out, "own-switch");
      await colour("As the system").check();
      await judged(anna, "dark", out, "as-the-system");
      await anna.emulateMedia({ colorScheme: "light" });
      await judged(anna, "light", out, "as-the-system");
    }],
    ["the switch in the menu turns it over, and back", async () => {
      for (const scheme of ["dark", "light"] as const) {
        await anna.locator(".own-button").click();
        await anna.getByRole("menuitem", { name: "Switch between light and dark" }).click();
        await judged(anna, scheme, out, "menu-switch");
      }
      await place("settings", "fieldset.choice");
      await anna.locator("fieldset.choice", { hasText: "Colours" }).getByLabel("As the system", { exact: true }).check();
    }],
  ];
}

function watched({ anna, ben, options }: Pair): Step[] {
  const { base, out } = options;
  return [
    ["somebody's page adds a contact, and the page of that one asks what they may see", async () => {
      await anna.goto(`${base}/client/#/people`);
      await ben.goto(`${base}/client/#/people/${encodeURIComponent(options.anna.address)}`);
      await ben.locator(".card").getByRole("button", { name: "Add to contacts" }).click();
      await ben.getByRole("button", { name: "Remove from contacts" }).waitFor();
      await until(async () => {
        await anna.reload();
        await anna.locator(".list-pane").waitFor();
        return anna.getByText("One person would like to see your status").first().waitFor({ timeout: 1500 }).then(() => true, () => false);
      }, "Anna is asked about Ben", SOON);
      for (const scheme of SCHEMES) {
        await anna.emulateMedia({ colorScheme: scheme });
        await judged(anna, scheme, out, "new-watcher");
      }
      await anna.emulateMedia({ colorScheme: "light" });
    }],
    ["she answers, and is not asked again", async () => {
      await anna.getByRole("region", { name: "One person would like to see your status" }).getByRole("button", { name: "Allow", exact: true }).click();
      await anna.getByText("One person would like to see your status").waitFor({ state: "detached" });
      await ben.reload();
      await ben.locator(".own-word", { hasNotText: "Not connected" }).waitFor();
      await anna.reload();
      await anna.locator(".own-word", { hasNotText: "Not connected" }).waitFor();
      if ((await anna.getByText("would like to see your status").count()) > 0) throw new Error("she is");
    }],
  ];
}
