/** The network: another one in the middle of a call, the server away in the middle of a call, the relay alone. */
import { exec } from "node:child_process";
import { views } from "../look";
import { until } from "../stage";
import type { Step } from "./main";
import { hears, look, sees } from "./measure";
import type { Options } from "./people";

const RESTART_MS = 40_000;

export function network(options: Options): Step[] {
  return [
    {
      name: "the network changes: the media is set up anew by an ICE restart, and the call goes on",
      async play(hands) {
        const { anna, ben } = hands.pages;
        await hands.call("anna", "ben");
        await hands.answer("ben");
        await Promise.all([hears(anna, "Anna"), hears(ben, "Ben")]);
        const fragment = async () => (await look(anna)).paths[0]?.fragment;
        const before = await fragment();
        await anna.evaluate(() => dispatchEvent(new Event("online")));
        await until(async () => ![before, undefined].includes(await fragment()), "Anna's side has new ICE credentials", 10_000);
        await Promise.all([hears(anna, "Anna"), hears(ben, "Ben")]);
        await hands.talking("anna", "ben");
      },
    },
    {
      name: "sound and picture: microphone, speaker and camera are chosen and tested in the settings",
      async play(hands) {
        const { anna } = hands.pages;
        await hands.go(anna, "settings");
        await anna.getByRole("button", { name: "Test", exact: true }).click();
        await anna.getByText("You are heard.").waitFor();
        await anna.locator("video.mirror").waitFor();
        await anna.getByLabel("Microphone", { exact: true }).selectOption({ index: 1 });
        await anna.getByLabel("Speaker", { exact: true }).selectOption({ index: 1 });
        await anna.locator(".devices").scrollIntoViewIfNeeded();
        await views(anna, hands.options.out, "devices");
        await anna.getByRole("button", { name: "End the test" }).click();
        const kept = await anna.evaluate(() => JSON.parse(localStorage.getItem("lyceum.devices") ?? "{}") as { microphone?: string; speaker?: string });
        if (!kept.microphone || !kept.speaker) throw new Error(`kept: ${JSON.stringify(kept)}`);
      },
    },
    ...(options.relay ? [relay] : []),
    ...(options.restart === undefined ? [] : [restarted(options.restart)]),
  ];
}

const relay: Step = {
  name: "through the relay only: both ends use relayed addresses, sound and picture on ports of their own",
  async play(hands) {
    const { anna, ben } = hands.pages;
    for (const page of [anna, ben]) {
      await hands.go(page, "settings");
      await page.getByLabel("Send sound and picture through the server’s relay only").check();
    }
    await hands.call("anna", "ben", true);
    await hands.answer("ben", "With video");
    await Promise.all([hears(anna, "Anna"), hears(ben, "Ben"), sees(anna, "Anna"), sees(ben, "Ben")]);
    for (const page of [anna, ben]) {
      const { paths } = await look(page);
      if (paths.length < 4 || paths.some((path) => path.localType !== "relay" || path.remoteType !== "relay")) throw new Error(JSON.stringify(paths));
      if (new Set(paths.map((path) => path.localPort)).size !== 2) throw new Error(`ports ${JSON.stringify(paths)}`);
    }
    await anna.locator(".stage .network").click();
    await anna.locator(".popover", { hasText: "through a relay" }).waitFor();
    await hands.quiet();
    for (const page of [anna, ben]) {
      await hands.go(page, "settings");
      await page.getByLabel("Send sound and picture through the server’s relay only").uncheck();
    }
  },
};

const restarted = (command: string): Step => ({
  name: "the server goes away and comes back in the middle of a call: the call goes on, and its end is heard afterwards",
  async play(hands) {
    const { anna, ben } = hands.pages;
    await hands.call("anna", "ben");
    await hands.answer("ben");
    await Promise.all([hears(anna, "Anna"), hears(ben, "Ben")]);
    const done = new Promise<void>((up, fail) => exec(command, (error) => (error ? fail(error) : up())));
    await anna.locator(".banner", { hasText: "No connection to the server" }).waitFor({ timeout: RESTART_MS });
    await Promise.all([hears(anna, "Anna meanwhile"), hears(ben, "Ben meanwhile")]);
    await done;
    for (const page of [anna, ben]) await page.locator(".banner", { hasText: "Connected again" }).waitFor({ timeout: RESTART_MS });
    await Promise.all([hears(anna, "Anna"), hears(ben, "Ben")]);
    await hands.talking("anna", "ben");
    await hands.hangUp("anna");
    await ben.locator(".call-bar.ended", { hasText: "Call ended" }).waitFor();
  },
});
