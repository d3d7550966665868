/** Contacts, states, search, groups, privacy: two people and their pages. */
import { until, type Scene } from "./stage";

const BEN = "ben@example.org";

export const people: Scene[] = [
  {
    name: "the contact list shows states by shape, colour and word, live and in under two seconds both ways",
    async play(stage) {
      const anna = await stage.signIn("anna");
      await anna.goto(`${stage.base}/client/#/people`);
      const row = anna.locator(".list-row", { hasText: "Ben Brandt" });
      await row.getByText("Offline").waitFor();
      const ben = await stage.signIn("ben");
      await row.getByText("Available").waitFor({ timeout: 2000 });
      await ben.goto(`${stage.base}/client/#/people`);
      await anna.getByRole("button", { name: /Your status/ }).click();
      await stage.views(anna, "own-state-menu");
      await anna.getByRole("menuitemradio", { name: "Do not disturb" }).click();
      const annaAtBens = ben.locator(".list-row", { hasText: "Anna Ahrens" });
      await annaAtBens.getByText("Do not disturb").waitFor({ timeout: 2000 });
      await annaAtBens.locator(".presence.dnd").waitFor();
      await anna.getByText("Do not disturb").first().waitFor();
      stage.fake.world.account(BEN).inCall = true;
      stage.fake.registrar.changed(BEN);
      await row.getByText("In a call").waitFor({ timeout: 2000 });
      await row.locator(".presence.busy").waitFor();
      await stage.views(anna, "people");
      await anna.goto(`${stage.base}/client/#/people/farid%40example.org`);
      await anna.getByText("Working from home").first().waitFor();
      await stage.views(anna, "person");
    },
  },
  {
    name: "own note, and the out-of-office note above it",
    async play(stage) {
      const [anna, ben] = [await stage.signIn("anna"), await stage.signIn("ben")];
      await ben.goto(`${stage.base}/client/#/people`);
      await anna.getByRole("button", { name: /Your status/ }).click();
      await anna.getByRole("menuitem", { name: "Edit note" }).click();
      await anna.getByLabel("What others see beside your name").fill("At the <b>fair</b> & back on Monday");
      await anna.getByLabel("Out of office", { exact: true }).check();
      await anna.getByLabel("Out-of-office note").fill("Back on the 3rd");
      await stage.views(anna, "note");
      await anna.getByRole("button", { name: "Save" }).click();
      await ben.getByText("– Back on the 3rd").first().waitFor();
      await anna.getByRole("button", { name: /Your status/ }).click();
      await anna.getByRole("menuitem", { name: "Edit note" }).click();
      await anna.getByLabel("Out of office", { exact: true }).uncheck();
      await anna.getByRole("button", { name: "Save" }).click();
      await ben.getByText("– At the <b>fair</b> & back on Monday").first().waitFor();
    },
  },
  {
    name: "three letters find a person; added, starred, grouped, and removed again",
    async play(stage) {
      const page = await stage.signIn("anna");
      await page.goto(`${stage.base}/client/#/people`);
      await page.getByLabel("Search people").fill("hol");
      await page.getByText("Henrik Holm").waitFor();
      await stage.views(page, "search");
      await page.getByRole("button", { name: "Add Henrik Holm to contacts" }).click();
      await page.getByLabel("Search people").fill("");
      await page.locator(".list-row", { hasText: "Henrik Holm" }).click();
      await page.getByRole("button", { name: "Favourite" }).click();
      await page.getByRole("region", { name: "Favourites" }).getByText("Henrik Holm").waitFor();
      await page.getByRole("button", { name: "Groups" }).click();
      await page.getByRole("menuitem", { name: "New group" }).click();
      await page.getByLabel("Name of the group").fill("Project South");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("region", { name: "Project South" }).getByText("Henrik Holm").waitFor();
      await page.getByRole("button", { name: "More for the group Project South" }).click();
      await page.getByRole("menuitem", { name: "Remove group" }).click();
      await page.getByRole("region", { name: "Project South" }).waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Remove from contacts" }).click();
      await stage.views(page, "confirm");
      await page.getByRole("dialog").getByRole("button", { name: "Remove from contacts" }).click();
      await page.locator(".list-pane").getByText("Henrik Holm").waitFor({ state: "detached" });
      // A number finds its person, and a group its members.
      await page.getByLabel("Search people").fill("4502");
      await page.locator(".list-pane").getByText("Ben Brandt").waitFor();
      await page.getByLabel("Search people").fill("sal");
      await page.getByText("3 members").click();
      await page.getByRole("button", { name: "Chat with everybody" }).waitFor();
      await page.getByText("Clara Čapek").first().waitFor();
      await stage.views(page, "distribution-group");
      // On one's own list it opens, and shows its people with their states.
      await page.locator(".card").getByRole("button", { name: "Add to contacts" }).click();
      await page.locator(".card").getByRole("button", { name: "Add to contacts" }).waitFor({ state: "detached" });
      await page.getByLabel("Search people").fill("");
      const section = page.getByRole("region", { name: "Sales" });
      await section.getByRole("button", { name: "Sales", exact: true }).click();
      await section.getByText("Clara Čapek").waitFor();
      await section.locator(".list-row", { hasText: "Clara Čapek" }).getByText("Busy").waitFor();
      await stage.views(page, "distribution-group-listed");
      await section.getByRole("button", { name: "More for the group Sales" }).click();
      await page.getByRole("menuitem", { name: "Remove group" }).click();
      await section.waitFor({ state: "detached" });
    },
  },
  {
    name: "a change made elsewhere in between is not lost",
    async play(stage) {
      const page = await stage.signIn("anna");
      await page.goto(`${stage.base}/client/#/people/ben%40example.org`);
      await page.getByRole("button", { name: "No longer a favourite" }).click();
      await page.getByRole("region", { name: "Favourites" }).waitFor({ state: "detached" });
      const { contacts } = stage.fake.world.account("anna@example.org");
      if (contacts.version < 2 || contacts.contacts.some((c) => c.favourite)) throw new Error("the server did not hear it");
    },
  },
  {
    name: "Ctrl-K by keyboard alone: find, open, command",
    async play(stage) {
      const page = await stage.signIn("anna");
      await page.getByText("No conversations yet").waitFor();
      await page.keyboard.press("Control+k");
      await page.keyboard.type("gre");
      await page.getByRole("option", { name: /^(?!Call ).*Greta Groß/ }).waitFor();
      await stage.views(page, "palette");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Greta Groß" }).waitFor();
      await page.keyboard.press("Control+k");
      await page.keyboard.type("status busy");
      await page.getByRole("option", { name: "Set status: Busy" }).waitFor();
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: /Your status: Busy/ }).waitFor();
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      // The list by arrows.
      await page.goto(`${stage.base}/client/#/people`);
      await page.locator(".list-row").first().focus();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      const focused = await page.evaluate(() => document.activeElement?.textContent ?? "");
      if (!/Dmitri/.test(focused)) throw new Error(`the arrows led to ${focused}`);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Dmitri Dahl" }).waitFor();
    },
  },
  {
    name: "blocking: asked first; then one is offline to them and their messages do not come",
    async play(stage) {
      const [anna, ben] = [await stage.signIn("anna"), await stage.signIn("ben")];
      await ben.goto(`${stage.base}/client/#/people/anna%40example.org`);
      await ben.locator(".card").getByText("Available").waitFor();
      await anna.goto(`${stage.base}/client/#/people/ben%40example.org`);
      await anna.getByLabel("Blocked").click();
      await anna.getByRole("button", { name: "Block", exact: true }).click();
      await anna.getByText("You have blocked Ben Brandt.").waitFor();
      await stage.views(anna, "blocked");
      await ben.locator(".card-head").getByText("Offline").waitFor({ timeout: 2000 });
      await ben.getByRole("button", { name: "Chat", exact: true }).click();
      await ben.getByLabel("Message to Anna Ahrens").fill("are you there?");
      await ben.keyboard.press("Enter");
      await ben.locator(".mark-sent").waitFor();
      await anna.goto(`${stage.base}/client/#/chats`);
      await anna.waitForTimeout(300);
      if ((await anna.getByText("are you there?").count()) > 0) throw new Error("a blocked person's message came");
      await anna.goto(`${stage.base}/client/#/people/ben%40example.org`);
      await anna.getByLabel("Colleagues").click();
      await ben.goto(`${stage.base}/client/#/people/anna%40example.org`);
      await ben.locator(".card").getByText("Available").waitFor({ timeout: 2000 });
    },
  },
  {
    name: "a new watcher is asked about once, and privacy mode is one switch",
    async play(stage) {
      stage.fake.world.account("anna@example.org").contacts.pending_watchers = ["henrik@example.org"];
      const page = await stage.signIn("anna");
      await page.goto(`${stage.base}/client/#/people`);
      await page.getByText("One person would like to see your status").waitFor();
      await stage.views(page, "watchers");
      await page.getByRole("button", { name: "Allow and add" }).click();
      await page.getByText("One person would like to see your status").waitFor({ state: "detached" });
      await until(() => stage.fake.world.account("anna@example.org").contacts.contacts.some((c) => c.address === "henrik@example.org"), "Henrik is a contact");
      await page.goto(`${stage.base}/client/#/settings`);
      await page.getByLabel("Only my contacts see my status").click();
      await until(() => stage.fake.world.account("anna@example.org").contacts.privacy_mode === true, "privacy mode is on");
    },
  },
];
