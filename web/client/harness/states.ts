/** Every state that a page can be in, with its picture. */
import { refused } from "../fake/server";
import { DESK, PHONE } from "./look";
import { until, type Scene } from "./stage";

export const states: Scene[] = [
  {
    name: "sign-in page: pictures, a wrong password says so, no secret is kept",
    async play(stage) {
      const page = await stage.page();
      await page.goto(`${stage.base}/client/`);
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
      console.log(`    first paint of the sign-in page after ${Math.round(paint)} ms`);
      await stage.views(page, "sign-in");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("Enter your password.").waitFor();
      await page.getByLabel("Address").fill("anna@example.org");
      await page.getByLabel("Password").fill("wrong");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("alert").getByText("Address and password do not match, or the account is disabled.").waitFor();
      await stage.views(page, "sign-in-refused");
      await page.getByLabel("Password").fill("secret");
      await page.keyboard.press("Enter");
      await page.locator(".rail").waitFor();
      const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie + location.href);
      for (const token of [...stage.fake.tokens.keys(), ...stage.fake.cookies.keys(), "secret"]) if (kept.includes(token)) throw new Error(`the page keeps ${token}`);
    },
  },
  {
    name: "a page loaded anew is signed in again by its cookie; signed out it is not",
    async play(stage) {
      const page = await stage.signIn("anna");
      await page.reload();
      await page.locator(".rail").waitFor();
      await page.getByRole("button", { name: /Your status/ }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await page.reload();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
    },
  },
  {
    name: "nothing yet: a new person is told what belongs here",
    async play(stage) {
      const page = await stage.signIn("new");
      await page.getByText("No conversations yet").waitFor();
      await stage.views(page, "empty-chats");
      await page.goto(`${stage.base}/client/#/people`);
      await page.getByText("Nobody here yet").waitFor();
      await stage.views(page, "empty-people");
    },
  },
  {
    name: "still coming: bones, and words after a second",
    async play(stage) {
      const page = await stage.signIn("anna");
      stage.fake.delay = 2500;
      await page.goto(`${stage.base}/client/#/people`);
      await page.reload();
      await page.getByText("Signing you in again").waitFor();
      await stage.picture(page, "starting");
      await page.getByText("Your contacts are being read").waitFor({ state: "visible", timeout: 8000 });
      await stage.picture(page, "loading-people");
      stage.fake.delay = 0;
      await page.getByText("Ben Brandt").first().waitFor({ timeout: 8000 });
    },
  },
  {
    name: "gone wrong: what, what to do, the code with its page, and trying again",
    async play(stage) {
      stage.fake.refuse.set("/contacts", refused(503, "store-unavailable", "The contact list cannot be read.", "Try again in a minute."));
      stage.fake.refuse.set("/conversations", refused(503, "store-unavailable", "The history cannot be read.", "Try again in a minute."));
      const page = await stage.signIn("anna");
      await page.getByText("The server cannot read or store anything at the moment.").waitFor();
      await stage.views(page, "error-chats");
      // What comes live is shown beside it: a part is better than nothing.
      stage.fake.registrar.say("ben@example.org", "anna@example.org", "I am here");
      await page.locator(".list-row", { hasText: "I am here" }).waitFor();
      await page.getByText("The server cannot read or store anything at the moment.").waitFor();
      await stage.views(page, "partial-chats");
      await page.goto(`${stage.base}/client/#/people`);
      await page.getByText("The server cannot read or store anything at the moment.").waitFor();
      await stage.views(page, "error-people");
      stage.fake.refuse.clear();
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByText("Ben Brandt").first().waitFor();
      await page.goto(`${stage.base}/client/#/help/error/store-unavailable`);
      await page.getByRole("heading", { name: "What the code store-unavailable means" }).waitFor();
      await stage.views(page, "help-error");
    },
  },
  {
    name: "not allowed: says who can grant it",
    async play(stage) {
      const page = await stage.signIn("anna");
      stage.fake.refuse.set("/search", refused(403, "policy-forbids", "Your policy does not let you search the address book.", "Ask for the client policy's address-book search."));
      await page.goto(`${stage.base}/client/#/people`);
      await page.getByLabel("Search people").fill("hen");
      await page.getByText("Your administrator can grant it.").waitFor();
      await stage.views(page, "no-permission");
    },
  },
  {
    name: "help and settings, light and dark by choice",
    async play(stage) {
      const page = await stage.signIn("anna");
      await page.goto(`${stage.base}/client/#/help`);
      await page.getByText("First steps").waitFor();
      await stage.views(page, "help");
      await page.goto(`${stage.base}/client/#/settings`);
      await page.getByRole("heading", { name: "Settings" }).waitFor();
      await stage.views(page, "settings");
      await page.getByLabel("Dark", { exact: true }).check();
      await until(() => page.evaluate(() => document.documentElement.dataset.theme === "dark"), "the page is dark");
      await page.reload();
      await until(() => page.evaluate(() => document.documentElement.dataset.theme === "dark"), "the page stays dark");
    },
  },
  {
    name: "German from one catalogue, chosen or as the browser says",
    async play(stage) {
      const page = await stage.signIn("anna", { locale: "de-DE" });
      await page.getByRole("heading", { name: "Chats" }).waitFor();
      await page.goto(`${stage.base}/client/#/people/clara%40example.org`);
      await page.getByText("Was Clara Čapek von Ihnen sieht").waitFor();
      await stage.views(page, "german-person");
      await page.goto(`${stage.base}/client/#/help`);
      await page.getByText("Erste Schritte").waitFor();
      await page.goto(`${stage.base}/client/#/settings`);
      await page.getByLabel("English").check();
      await page.getByRole("heading", { name: "Settings" }).waitFor();
      if ((await page.locator("html").getAttribute("lang")) !== "en") throw new Error("the page's language is not named");
    },
  },
  {
    name: "a second tab says so and can take over",
    async play(stage) {
      const first = await stage.signIn("anna");
      const second = await first.context().newPage();
      await second.goto(`${stage.base}/client/`);
      await second.getByText("Lyceum is open in another tab").waitFor();
      await stage.views(second, "other-tab");
      await second.getByRole("button", { name: "Use it here" }).click();
      await second.locator(".rail").waitFor();
      await first.getByText("Lyceum is open in another tab").waitFor();
    },
  },
  {
    name: "200 % zoom: nothing is cut off and nothing scrolls sideways",
    async play(stage) {
      const page = await stage.signIn("anna", { size: { width: DESK.width / 2, height: DESK.height / 2 } });
      for (const place of ["chats", "people/farid%40example.org", "settings", "help"]) {
        await page.goto(`${stage.base}/client/#/${place}`);
        await page.locator("h1:visible").first().waitFor();
        await stage.picture(page, `zoom-${place.split("/")[0]}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
        if (wide) throw new Error(`${place} scrolls sideways`);
      }
      await page.setViewportSize(PHONE);
    },
  },
];
