// `node client/build/plan.mjs --base https://HOST:PORT --name ADMINISTRATOR --password TEXT --out FOLDER`: the planning page in a
// real browser against a real server; what it gives to take along and its pictures lie in the folder afterwards.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const given = (name) => process.argv[process.argv.indexOf(`--${name}`) + 1];
const [base, name, password] = ["base", "name", "password"].map(given);
const out = resolve(given("out"));
mkdirSync(out, { recursive: true });
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const faults = [];

/** A page that complains of everything that is wrong with it, and that may speak with the server alone. */
async function opened(locale) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale, reducedMotion: "reduce", viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (line) => {
    if (line.type() === "error" && !/Failed to load resource/.test(line.text())) faults.push(line.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${base}/`) && !/^(blob|data):/.test(request.url())) faults.push(`it asks ${request.url()}`);
  });
  await page.goto(`${base}/plan`);
  return page;
}

async function signIn(page, label, button) {
  await page.getByLabel(label).fill(name);
  await page.locator('input[type="password"]').fill(password);
  await page.getByRole("button", { name: button }).click();
  await page.locator(".plan-totals").waitFor();
}

/** The figures that the next change brings. */
async function after(page, change) {
  const answer = page.waitForResponse((each) => each.url().includes("/api/v1/plan?") && each.request().method() === "POST");
  await change();
  const figures = await (await answer).json();
  await page.locator('.plan-outcome[aria-busy="false"]').waitFor();
  return figures;
}

const servers = (figures) => figures.servers.reduce((sum, row) => sum + row.servers, 0);
const total = async (page, what) => Number((await page.locator(".plan-totals div", { hasText: what }).locator("dd").innerText()).replace(/\D/g, ""));

function hold(condition, what) {
  if (!condition) throw new Error(what);
}

async function views(page, what) {
  for (const [view, colorScheme, size] of [["light", "light", [1280, 900]], ["dark", "dark", [1280, 900]], ["phone", "light", [360, 740]], ["phone-dark", "dark", [360, 740]]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width: size[0], height: size[1] });
    await page.waitForTimeout(80);
    await page.screenshot({ path: join(out, `${what}-${view}.png`), fullPage: true, animations: "disabled", caret: "hide" });
    await page.evaluate(axeSource);
    const found = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ["violations"] })).violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary ?? ""}`).slice(0, 3).join("; ")}`));
    hold(found.length === 0, `axe-core, ${what} ${view}: ${found.join("\n")}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    hold(wide <= 0, `${what} ${view}: the page is ${wide} px wider than the screen`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize({ width: 1280, height: 900 });
}

async function refused() {
  const page = await opened("en-GB");
  await page.getByLabel("Administrator").fill(name);
  await page.locator('input[type="password"]').fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Name and password do not match.").waitFor();
  await views(page, "sign-in");
  await page.context().close();
}

async function live(page) {
  await signIn(page, "Administrator", "Sign in");
  const before = await total(page, "Servers");
  const users = page.getByLabel("Users", { exact: true }).first();
  const figures = await after(page, () => users.fill("60000"));
  hold(servers(figures) > before, `${servers(figures)} servers for more users, ${before} before`);
  hold((await total(page, "Servers")) === servers(figures), "the page shows other figures than the server gave");
  hold(figures.picture.svg.includes("60,000 users"), "the picture is of another plan");
  const size = await page.locator(".plan-picture img").evaluate((img) => img.decode().then(() => img.naturalWidth));
  hold(size > 300, `the picture is ${size} px wide`);
  const link = figures.links.find((each) => each.from === "Leeds");
  hold(link.verdict === "over-share", `the link to Leeds ${link.verdict}`);
  const wider = await after(page, () => page.getByLabel("Mbps").nth(1).fill("2000"));
  hold(wider.links.find((each) => each.from === "Leeds").verdict === "fits", "a wide link does not fit");
  const drawn = await after(page, () => page.getByLabel("Which picture").selectOption("site-london"));
  hold(drawn.picture.id === "site-london", `the picture is ${drawn.picture.id}`);
  await after(page, () => page.getByLabel("Which picture").selectOption("topology"));
  await views(page, "plan");
}

async function faulty(page) {
  const field = page.getByLabel("Length of a call (minutes)");
  const answer = await after(page, () => field.fill("three"));
  hold(answer.code === "plan-invalid" && answer.problems[0].path === "voice.minutes", JSON.stringify(answer));
  hold((await field.getAttribute("aria-invalid")) === "true", "the field does not say that it is wrong");
  await page.locator(".field", { has: field }).getByText(/expected a number from 0 to 600/).waitFor();
  await page.getByText("These are the figures before the faults on the left.").waitFor();
  await views(page, "fault");
  await after(page, () => field.fill("4,5"));
  hold((await field.getAttribute("aria-invalid")) === null, "the field is still wrong");
}

async function taken(page) {
  for (const [button, file] of [["Report (HTML)", "plan.html"], ["Report (XLSX)", "plan.xlsx"], ["Plan file", "plan.toml"], ["Topology document", "topology.yaml"]]) {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: button }).click();
    const found = await download;
    hold(found.suggestedFilename() === file, `${button} gives ${found.suggestedFilename()}`);
    await found.saveAs(join(out, file));
  }
}

async function byFile(page) {
  await page.getByText("Plan file", { exact: true }).first().click();
  const text = page.getByLabel("The plan file");
  const plan = await text.inputValue();
  const figures = await after(page, () => text.fill(`${plan}\n[[site]]\nname = "Rome"\nusers = 20\nhub = "Paris"\n`));
  hold(figures.picture.svg.includes("Rome"), "a site of the file is not drawn");
  await page.getByText("You work in the plan file; the form is set aside.").waitFor();
  const back = await after(page, () => page.getByRole("button", { name: "Back to the form" }).click());
  hold(!back.picture.svg.includes("Rome"), "the form has a site of the file");
  const added = await after(page, () => page.getByRole("button", { name: "Add a site" }).click());
  hold(added.picture.svg.includes("Site 4"), "a site that was added is not drawn");
  await after(page, () => page.getByRole("button", { name: "Remove Site 4" }).click());
}

async function german() {
  const page = await opened("de-DE");
  await signIn(page, "Administrator", "Anmelden");
  await page.getByText("Was die Organisation braucht").waitFor();
  hold((await page.locator("html").getAttribute("lang")) === "de", "the page is not in German");
  hold((await page.locator(".plan-totals").innerText()).includes("45.800"), "numbers are not in the reader's form");
  const keys = await page.evaluate(() => document.body.innerText.match(/\b(plan|sites|links|group|total|get|file|verdict|bandwidth)\.(?!toml|html|xlsx)[a-z]+/g));
  hold(keys === null, `texts are missing: ${keys}`);
  await views(page, "german");
  await page.context().close();
}

let fault;
try {
  await refused();
  const page = await opened("en-GB");
  await live(page);
  await faulty(page);
  await taken(page);
  await byFile(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Planning: sign in" }).waitFor();
  await german();
  if (faults.length > 0) fault = `the page complained: ${faults.join("; ")}`;
} catch (error) {
  fault = error.message.split("\n").slice(0, 12).join(" ");
}
await browser.close();
console.log(fault ?? "ok");
process.exit(fault ? 1 : 0);
