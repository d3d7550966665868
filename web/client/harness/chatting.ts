/** Messages between two pages and a telephone. */
import { writeComposing } from "../src/sip/notices";
import { count, until, type Scene } from "./stage";

const ANNA = "anna@example.org";
const BEN = "ben@example.org";
const CLARA = "clara@example.org";

export const chatting: Scene[] = [
  {
    name: "a message, typing, delivered, read; unread elsewhere; each once though it comes twice",
    async play(stage) {
      const [anna, ben] = [await stage.signIn("anna"), await stage.signIn("ben")];
      stage.fake.registrar.repeat = 2;
      await anna.goto(`${stage.base}/client/#/chats/ben%40example.org`);
      await anna.getByLabel("Message to Ben Brandt").fill("Shall we meet at ten? See https://example.org/plan.");
      await anna.keyboard.press("Enter");
      await ben.getByText("Shall we meet at ten?").first().waitFor();
      await ben.locator(".list-row .count", { hasText: "1" }).waitFor();
      await anna.locator(".mark-delivered").waitFor();
      if ((await ben.title()) !== "(1) Lyceum") throw new Error(`the title says ${await ben.title()}`);
      const shown = await ben.evaluate(() => (globalThis as unknown as { shown: { title: string; body: string }[] }).shown);
      if (shown.length !== 1 || shown[0]?.title !== "Anna Ahrens") throw new Error(`notifications: ${JSON.stringify(shown)}`);
      await ben.locator(".list-row", { hasText: "Anna Ahrens" }).click();
      await anna.locator(".mark-read").waitFor();
      await count(ben, ".message", 1, "shown once");
      await until(async () => (await ben.title()) === "Lyceum", "nothing unread");
      await ben.getByLabel("Message to Anna Ahrens").pressSequentially("Yes,");
      await anna.getByText("Ben Brandt is typing").first().waitFor();
      await stage.views(anna, "typing");
      await ben.getByLabel("Message to Anna Ahrens").pressSequentially(" at ten.");
      await ben.keyboard.press("Shift+Enter");
      await ben.getByLabel("Message to Anna Ahrens").pressSequentially("Room 4.");
      await ben.keyboard.press("Enter");
      await anna.locator(".message", { hasText: "Room 4." }).waitFor();
      await anna.locator(".conversation-foot").getByText("is typing").waitFor({ state: "detached" });
      await ben.locator(".mark-read").waitFor();
      await stage.views(ben, "chat");
      if ((await ben.locator(".message a").getAttribute("href")) !== "https://example.org/plan") throw new Error("the link is not the address");
    },
  },
  {
    name: "written while somebody is away: kept, then delivered in order, with marks",
    async play(stage) {
      const anna = await stage.signIn("anna");
      await anna.goto(`${stage.base}/client/#/chats/ben%40example.org`);
      await anna.getByText("Ben Brandt is offline. Your message is delivered when Ben Brandt signs in.").waitFor();
      for (const text of ["first", "second", "third"]) {
        await anna.getByLabel("Message to Ben Brandt").fill(text);
        await anna.keyboard.press("Enter");
      }
      await count(anna, ".mark-sent", 3, "the server has them");
      await stage.picture(anna, "to-offline");
      const ben = await stage.signIn("ben");
      await ben.locator(".list-row", { hasText: "Anna Ahrens" }).click();
      await count(ben, ".message", 3, "all are there");
      const texts = await ben.locator(".message .text").allTextContents();
      if (texts.join() !== "first,second,third") throw new Error(`the order is ${texts.join()}`);
      await count(anna, ".mark-read", 3, "read");
    },
  },
  {
    name: "history from all devices, with days, and older pages on demand",
    async play(stage) {
      const talk = stage.fake.world.talk([ANNA, CLARA]);
      const day = 86_400_000;
      for (let n = 0; n < 120; n++) stage.fake.world.write(talk, n % 3 === 0 ? ANNA : CLARA, `message ${n}${n % 10 === 0 ? " with a text that is long enough to be broken over two lines on a telephone's screen" : ""}`, `id-${n}`, [], "text/plain", Date.now() - (120 - n) * (day / 30));
      for (const written of stage.fake.world.written) stage.fake.world.mark(written.from === ANNA ? CLARA : ANNA, written.message_id, "read");
      const page = await stage.signIn("anna");
      await page.locator(".list-row", { hasText: "Clara Čapek" }).click();
      await page.getByText("message 119").last().waitFor();
      await count(page, ".message", 50, "one page");
      await page.getByRole("button", { name: "Show earlier messages" }).click();
      await count(page, ".message", 100, "two pages");
      await page.getByRole("button", { name: "Show earlier messages" }).click();
      await count(page, ".message", 120, "all");
      await page.getByRole("button", { name: "Show earlier messages" }).waitFor({ state: "detached" });
      await stage.views(page, "history");
    },
  },
  {
    name: "several people: begun with a subject, marks count people",
    async play(stage) {
      const [anna, ben] = [await stage.signIn("anna"), await stage.signIn("ben")];
      await anna.getByRole("button", { name: "New conversation" }).first().click();
      await anna.getByRole("dialog").getByText("Ben Brandt").click();
      await anna.getByRole("dialog").getByLabel("Add people").fill("cla");
      await anna.getByRole("dialog").getByText("Clara Čapek").click();
      await anna.getByLabel("Subject").fill("Quarter end");
      await stage.views(anna, "new-conversation");
      await anna.getByRole("button", { name: "Start", exact: true }).click();
      await anna.getByRole("heading", { name: "Quarter end" }).waitFor();
      await anna.getByLabel("Message to Quarter end").fill("Numbers by noon, please");
      await anna.keyboard.press("Enter");
      await ben.locator(".list-row", { hasText: "Quarter end" }).click();
      await ben.locator(".message", { hasText: "Numbers by noon" }).waitFor();
      await anna.getByText("Read by 1 of 2").waitFor();
      await ben.getByLabel("Message to Quarter end").fill("Will do");
      await ben.keyboard.press("Enter");
      await anna.locator(".author", { hasText: "Ben Brandt" }).waitFor();
      const clara = await stage.signIn("clara");
      await clara.locator(".list-row", { hasText: "Quarter end" }).click();
      await count(clara, ".message", 2, "Clara has both");
      await stage.views(anna, "group-chat");
    },
  },
  {
    name: "a telephone writes, types and confirms: marks and typing as from a page",
    async play(stage) {
      const anna = await stage.signIn("anna");
      stage.fake.registrar.say(CLARA, ANNA, "from the telephone");
      await anna.locator(".list-row", { hasText: "from the telephone" }).click();
      await until(() => Boolean(stage.fake.world.written[0]?.to[0]?.read), "Clara hears that it was read");
      stage.fake.registrar.type(CLARA, ANNA, writeComposing(true, 60));
      await anna.getByText("Clara Čapek is typing").first().waitFor();
      stage.fake.registrar.type(CLARA, ANNA, writeComposing(false, 0));
      await anna.locator(".conversation-foot").getByText("is typing").waitFor({ state: "detached" });
      await anna.getByLabel("Message to Clara Čapek").fill("heard");
      await anna.keyboard.press("Enter");
      await anna.locator(".mark-sent").waitFor();
      const sent = stage.fake.world.written.find((w) => w.text === "heard");
      stage.fake.registrar.notice(CLARA, ANNA, sent?.message_id ?? "", "delivered");
      await anna.locator(".mark-delivered").waitFor();
    },
  },
  {
    name: "a refused message says why and can be sent again; a too long one is held back",
    async play(stage) {
      const anna = await stage.signIn("anna");
      stage.fake.registrar.forbid = (text) => text.includes("http://bad");
      await anna.goto(`${stage.base}/client/#/chats/ben%40example.org`);
      await anna.getByLabel("Message to Ben Brandt").fill("see http://bad.example");
      await anna.keyboard.press("Enter");
      await anna.getByText("Not sent: The message filter refuses this link (403)").waitFor();
      await stage.views(anna, "refused-message");
      stage.fake.registrar.forbid = undefined;
      await anna.getByRole("button", { name: "Send again" }).click();
      await anna.locator(".mark-sent").waitFor();
      await anna.getByLabel("Message to Ben Brandt").fill("x".repeat(140_000));
      await anna.getByText("longer than your policy allows").waitFor();
      if (await anna.getByRole("button", { name: "Send", exact: true }).isEnabled()) throw new Error("it can be sent");
    },
  },
  {
    name: "in do-not-disturb nothing is shown on the desktop, and who writes is told",
    async play(stage) {
      const ben = await stage.signIn("ben");
      await ben.goto(`${stage.base}/client/#/settings`);
      await ben.getByRole("button", { name: /Your status/ }).click();
      await ben.getByRole("menuitemradio", { name: "Do not disturb" }).click();
      await ben.getByRole("button", { name: /Your status: Do not disturb/ }).waitFor();
      const anna = await stage.signIn("anna");
      await anna.goto(`${stage.base}/client/#/chats/ben%40example.org`);
      await anna.getByText("Ben Brandt does not want to be disturbed.").waitFor();
      await anna.getByLabel("Message to Ben Brandt").fill("no hurry");
      await anna.keyboard.press("Enter");
      await ben.locator(".rail-item.chats .count").waitFor();
      const shown = await ben.evaluate(() => (globalThis as unknown as { shown: unknown[] }).shown.length);
      if (shown !== 0) throw new Error("a notification was shown");
      await anna.goto(`${stage.base}/client/#/people/${encodeURIComponent(BEN)}`);
    },
  },
];
