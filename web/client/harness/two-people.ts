/**
 * Two people in two pages against a real server: what a person would try first, in order, one line for each.
 *
 * Unlike the scenes it cannot look into the server; it believes what the other page shows.
 */
import { execSync } from "node:child_process";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { report, type Result } from "../tests/kit";
import { bring, choose as chooseFile, picked, png, saved } from "./files";
import { launch, until } from "./stage";

interface Person {
  address: string;
  password: string;
}
export interface Options {
  base: string;
  anna: Person;
  ben: Person;
  restart: string | undefined;
  /** What the server's virus scanner finds, where it has one. */
  virus: string | undefined;
  out: string;
}

/** What the server promises for a change of state. */
const PRESENCE_MS = 2000;
const SOON = 8000;
const RESTART_MS = 40_000;

export async function main(options: Options): Promise<boolean> {
  const browser = await launch();
  const results: Result[] = [];
  const open = async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1180, height: 760 }, locale: "en-GB", reducedMotion: "reduce" });
    const page = await context.newPage();
    page.setDefaultTimeout(SOON);
    page.on("console", (line) => line.type() === "error" && !/Failed to load resource|WebSocket connection/.test(line.text()) && results.push({ name: "no complaint of the page", fault: line.text() }));
    return page;
  };
  const [anna, ben] = [await open(), await open()];
  const pair: Pair = { anna, ben, options };
  let picture = 0;
  for (const [name, act] of steps(pair)) {
    const begun = Date.now();
    try {
      await act();
      results.push({ name });
      console.log(`    ${Date.now() - begun} ms  ${name}`);
    } catch (error) {
      results.push({ name, fault: error instanceof Error ? error.message.split("\n").slice(0, 4).join(" ") : String(error) });
      console.log(`… ${name}`);
    }
    picture++;
    for (const [who, page] of [["anna", anna], ["ben", ben]] as const) await page.screenshot({ path: join(options.out, `${String(picture).padStart(2, "0")}-${who}.png`) });
  }
  await browser.close();
  return report(results, console.log);
}

interface Pair {
  anna: Page;
  ben: Page;
  options: Options;
}

function steps({ anna, ben, options }: Pair): [name: string, act: () => Promise<void>][] {
  const a = options.anna.address;
  const b = options.ben.address;
  const place = (page: Page, hash: string) => page.goto(`${options.base}/client/#/${hash}`);
  const chat = (page: Page, other: string) => place(page, `chats/${encodeURIComponent(other)}`);
  const said = (page: Page, text: string) => page.locator(".message", { hasText: text });
  // Unlike earlier runs against the same data folder.
  const run = Date.now().toString(36);
  const say = async (page: Page, text: string) => {
    await page.locator(".composer textarea").fill(`${text} ${run}`);
    await page.keyboard.press("Enter");
  };
  const choose = async (page: Page, word: string) => {
    await page.locator(".own-button").click();
    await page.getByRole("menuitemradio", { name: word, exact: true }).click();
  };
  const shows = (page: Page, word: string, ms = PRESENCE_MS) => page.locator(".card-head").getByText(word).first().waitFor({ timeout: ms });
  const add = async (page: Page, other: string) => {
    await place(page, `people/${encodeURIComponent(other)}`);
    const button = page.locator(".card").getByRole("button", { name: "Add to contacts" });
    await page.locator(".card").waitFor();
    if (await button.isVisible()) await button.click();
    await page.getByRole("button", { name: "Remove from contacts" }).waitFor();
  };

  const list: [string, () => Promise<void>][] = [
    ["sign in, both", async () => void (await Promise.all([signIn(anna, options.base, options.anna), signIn(ben, options.base, options.ben)]))],
    ["each is a contact of the other", async () => void (await Promise.all([add(anna, b), add(ben, a)]))],
    ["each sees the other available", async () => void (await Promise.all([shows(anna, "Available", SOON), shows(ben, "Available", SOON)]))],
    ["a chosen state is seen within 2 s", async () => (await choose(anna, "Busy"), shows(ben, "Busy"))],
    ["and the other way", async () => (await choose(ben, "Be right back"), shows(anna, "Be right back"))],
    ["automatic again, both", async () => (await choose(anna, "Automatic"), await choose(ben, "Automatic"), await shows(ben, "Available"), shows(anna, "Available"))],
    ["a message arrives and is delivered", async () => (await chat(anna, b), await say(anna, "hello"), await ben.locator(".rail-item.chats .count").waitFor(), anna.locator(".message", { hasText: `hello ${run}` }).locator(".mark-delivered, .mark-read").waitFor())],
    ["read is told", async () => (await chat(ben, a), await said(ben, `hello ${run}`).waitFor(), said(anna, `hello ${run}`).locator(".mark-read").waitFor())],
    ["typing is seen", async () => (await ben.locator(".composer textarea").pressSequentially("I am "), await anna.locator(".typing", { hasText: "typing" }).waitFor(), say(ben, "I am here"))],
    ["the answer ends it", async () => (await said(anna, `I am here ${run}`).waitFor(), anna.locator(".typing", { hasText: "typing" }).waitFor({ state: "detached" }))],
    ["history is there after loading anew", async () => (await anna.reload(), said(anna, `I am here ${run}`).waitFor())],
    ["written while the other is away, delivered later in order", async () => (await signOut(ben), await say(anna, "first"), await say(anna, "second"), await signIn(ben, options.base, options.ben), await chat(ben, a), await until(async () => (await ben.locator(".message .text").allTextContents()).filter((t) => t === `first ${run}` || t === `second ${run}`).join() === `first ${run},second ${run}`, "both, in order, each once", SOON))],
    ["a file is chosen, the other saves it whole, and the first sees that", async () => {
      await Promise.all([chat(anna, b), chat(ben, a)]);
      const text = `line of ${run}\n`.repeat(20_000);
      await chooseFile(anna, picked(`report-${run}.txt`, text));
      const found = await saved(ben, `report-${run}.txt`);
      if (found.name !== `report-${run}.txt` || found.text !== text) throw new Error(`${found.name}, ${found.text.length} characters`);
      await anna.reload();
      await anna.locator('.file-card[data-state="fetched"]', { hasText: `report-${run}.txt` }).waitFor();
    }],
    ["a file is dropped and declined; another is pasted and taken back", async () => {
      await bring(anna, ".conversation", "drop", `dropped-${run}.txt`, "dropped");
      await ben.locator(".file-card", { hasText: `dropped-${run}.txt` }).getByRole("button", { name: "Decline" }).click();
      await bring(anna, ".composer textarea", "paste", `pasted-${run}.txt`, "pasted");
      await anna.locator(".file-card", { hasText: `pasted-${run}.txt` }).getByRole("button", { name: "Take back" }).click();
      await anna.reload();
      for (const [name, state] of [["dropped", "declined"], ["pasted", "withdrawn"]]) await anna.locator(`.file-card[data-state="${state}"]`, { hasText: `${name}-${run}.txt` }).waitFor();
    }],
    ["a program and a virus are refused with a sentence", async () => {
      await chooseFile(anna, picked(`setup-${run}.exe`, "MZ"));
      await anna.locator(".upload", { hasText: "Files of this kind cannot be sent" }).waitFor();
      if (options.virus === undefined) return;
      await chooseFile(anna, picked(`notes-${run}.txt`, options.virus));
      await anna.locator(".upload", { hasText: "The virus scanner stopped this file" }).waitFor();
    }],
    ["one's own picture is cut, seen by the other in list and conversation, and removed", async () => {
      await place(anna, "settings");
      await anna.locator('section:has-text("Your picture") input[type="file"]').setInputFiles(picked("me.png", png(900, 600), "image/png"));
      await anna.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await anna.locator(".page-text .avatar img").waitFor();
      await ben.reload();
      await chat(ben, a);
      await ben.locator(".conversation .person-head .avatar img").waitFor();
      await place(ben, `people/${encodeURIComponent(a)}`);
      await ben.locator(".list-row .avatar img").first().waitFor();
      await anna.getByRole("button", { name: "Remove picture" }).click();
      await anna.locator(".page-text .avatar img").waitFor({ state: "detached" });
    }],
    ["blocked: offline to them, and nothing comes", async () => (await place(anna, `people/${encodeURIComponent(b)}`), await anna.getByLabel("Blocked").click(), await anna.getByRole("button", { name: "Block", exact: true }).click(), await place(ben, `people/${encodeURIComponent(a)}`), await shows(ben, "Offline"), await chat(ben, a), await say(ben, "blocked?"), await ben.waitForTimeout(700), await chat(anna, b), await anna.waitForTimeout(300), none(anna, `blocked? ${run}`))],
    ["unblocked: seen again", async () => (await place(anna, `people/${encodeURIComponent(b)}`), await anna.getByLabel("Colleagues").click(), await place(ben, `people/${encodeURIComponent(a)}`), shows(ben, "Available"))],
  ];
  const { restart } = options;
  if (restart === undefined) return list;
  return [
    ...list,
    ["the server restarts: the page says so, and that it is back; what was written meanwhile arrives once", async () => {
      await Promise.all([chat(anna, b), chat(ben, a)]);
      await anna.locator(".composer textarea").waitFor();
      const done = new Promise<void>((up) => setTimeout(() => (execSync(restart, { stdio: "ignore" }), up()), 0));
      await done;
      await say(anna, "meanwhile");
      await anna.locator(".banner", { hasText: "Connected again" }).waitFor({ timeout: RESTART_MS });
      await said(ben, `meanwhile ${run}`).waitFor({ timeout: RESTART_MS });
      await until(async () => (await said(ben, `meanwhile ${run}`).count()) === 1, "once");
    }],
    ["states live on after it", async () => (await place(ben, `people/${encodeURIComponent(a)}`), await choose(anna, "Do not disturb"), await shows(ben, "Do not disturb"), choose(anna, "Automatic"))],
  ];
}

async function signIn(page: Page, base: string, who: Person): Promise<void> {
  await page.goto(`${base}/client/`);
  await page.locator('input[autocomplete="username"]').fill(who.address);
  await page.locator('input[type="password"]').fill(who.password);
  await page.locator('button[type="submit"]').click();
  await page.locator(".own-button").waitFor();
  // Connected once one's own state is known.
  await page.locator(".own-word", { hasNotText: "Not connected" }).waitFor();
}

async function signOut(page: Page): Promise<void> {
  await page.locator(".own-button").click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.locator('input[type="password"]').waitFor();
}

async function none(page: Page, text: string): Promise<void> {
  if ((await page.locator(".message", { hasText: text }).count()) > 0) throw new Error(`${text} came`);
}
