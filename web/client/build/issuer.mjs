// `node client/build/issuer.mjs --base https://HOST:PORT --name NAME --expect button|no-button|signed-in|TEXT [--picture FILE]`:
// the sign-in page in a real browser: whether it has the issuer's button, and what comes of pressing it.
import { chromium } from "playwright-core";

const given = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : undefined;
};
const [base, name, wanted] = ["base", "name", "expect"].map(given);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", reducedMotion: "reduce" });
const page = await context.newPage();
page.setDefaultTimeout(10_000);
const button = page.getByRole("button", { name: `Sign in with ${name}` });
const addresses = [];
page.on("framenavigated", (frame) => addresses.push(frame.url()));

/** What is wrong; nothing when all is well. */
async function judged() {
  const asked = page.waitForResponse((answer) => answer.url().endsWith("/client/sign-in"));
  await page.goto(`${base}/client/`);
  await asked;
  await page.getByLabel("Password").waitFor();
  if (wanted === "no-button") return (await button.count()) === 0 ? undefined : "there is a button";
  await button.waitFor();
  if (wanted === "button") return undefined;
  await button.click();
  if (wanted === "signed-in") {
    await page.locator(".rail").waitFor();
    // After a reload the cookie alone brings the page back.
    await page.reload();
    await page.locator(".rail").waitFor();
  } else {
    await page.getByText(wanted).waitFor();
    if (new URL(page.url()).search !== "") return `the reason stays in the address: ${page.url()}`;
  }
  const told = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  const token = /eyJ[\w-]{20,}/;
  if (token.test(told) || addresses.some((address) => token.test(address))) return "a token is in an address or a store";
  return undefined;
}

let fault;
try {
  fault = await judged();
} catch (error) {
  fault = error.message.split("\n").slice(0, 3).join(" ");
}
if (given("picture")) await page.screenshot({ path: given("picture") });
await browser.close();
console.log(fault ?? "ok");
process.exit(fault ? 1 : 0);
