/** The connection goes and comes back. */
import { count, until, type Scene } from "./stage";

const BEN = "ben@example.org";

export const connection: Scene[] = [
  {
    name: "the server restarts: said, worked on, said again; what was written leaves once and in order",
    async play(stage) {
      const [anna, ben] = [await stage.signIn("anna"), await stage.signIn("ben")];
      await anna.goto(`${stage.base}/client/#/chats/ben%40example.org`);
      await ben.goto(`${stage.base}/client/#/chats/anna%40example.org`);
      await anna.getByLabel("Message to Ben Brandt").fill("before");
      await anna.keyboard.press("Enter");
      await anna.locator(".mark-read").waitFor();
      stage.fake.cut();
      await anna.locator(".banner").getByText("No connection to the server since").waitFor();
      for (const text of ["during 1", "during 2"]) {
        await anna.getByLabel("Message to Ben Brandt").fill(text);
        await anna.keyboard.press("Enter");
      }
      await count(anna, ".mark-waiting", 2, "both wait");
      await anna.getByText(/as of \d\d:\d\d/).first().waitFor();
      await stage.views(anna, "offline");
      stage.fake.restart();
      await anna.locator(".banner").getByText(/Connected again after .* Everything is up to date\./).waitFor({ timeout: 20_000 });
      await stage.views(anna, "restored");
      await until(async () => (await ben.locator(".message .text").allTextContents()).join() === "before,during 1,during 2", "Ben has all three, in order", 20_000);
      await count(ben, ".message", 3, "each once");
      await anna.getByText(/as of \d\d:\d\d/).first().waitFor({ state: "detached" });
      // States live on after it.
      stage.fake.world.account(BEN).inCall = true;
      stage.fake.registrar.changed(BEN);
      await anna.getByText("In a call").first().waitFor();
    },
  },
  {
    name: "a message that comes while one is away from the network is there afterwards, counted as unread",
    async play(stage) {
      const anna = await stage.signIn("anna");
      stage.fake.cut();
      await anna.locator(".banner").getByText("No connection to the server since").waitFor();
      stage.fake.world.write(stage.fake.world.talk(["anna@example.org", BEN]), BEN, "did you hear?", "missed-1");
      stage.fake.restart();
      await anna.locator(".banner").getByText(/Connected again/).waitFor({ timeout: 20_000 });
      await anna.locator(".list-row.unread", { hasText: "did you hear?" }).waitFor();
      await anna.locator(".list-row .count", { hasText: "1" }).waitFor();
    },
  },
  {
    name: "tokens are renewed before they end, and a disabled person is signed out with a sentence",
    async play(stage) {
      stage.fake.expires_in = 2;
      const anna = await stage.signIn("anna");
      const first = stage.fake.tokens.size;
      await until(() => stage.fake.tokens.size > first, "a newer token");
      stage.fake.cookies.clear();
      stage.fake.tokens.clear();
      stage.fake.registrar.cut();
      await anna.getByText("You have been signed out").waitFor({ timeout: 10_000 });
      await stage.views(anna, "signed-out");
    },
  },
];
