/** Pictures: cameras, the screen, each kind of media on ports of its own. */
import { picture, views } from "../look";
import { until } from "../stage";
import type { Step } from "./main";
import { hears, look, sees, seesNothing } from "./measure";

const SCREEN = 'video.screen[aria-label^="Screen of"]';

export const pictures: Step[] = [
  {
    name: "a video call: pictures both ways; sound and picture on different ports at both ends",
    async play(hands) {
      const { anna, ben } = hands.pages;
      await hands.call("anna", "ben", true);
      await ben.locator(".incoming", { hasText: "Incoming video call" }).waitFor();
      await picture(ben, hands.options.out, "incoming-video");
      await hands.answer("ben", "With video");
      await Promise.all([sees(anna, "Anna"), sees(ben, "Ben"), hears(anna, "Anna"), hears(ben, "Ben")]);
      for (const page of [anna, ben]) {
        await page.locator(".stage video.main").waitFor();
        const { paths } = await look(page);
        const port = (kind: string) => new Set(paths.filter((path) => path.kind === kind).map((path) => path.localPort));
        const [sound, moving] = [port("audio"), port("video")];
        if (sound.size !== 1 || moving.size !== 1 || [...sound][0] === [...moving][0]) throw new Error(`ports ${JSON.stringify(paths)}`);
      }
      await views(anna, hands.options.out, "in-video-call");
    },
  },
  {
    name: "answered without video: the caller is seen, and sees when the camera comes on, and no longer when it goes off",
    async play(hands) {
      const { anna, ben } = hands.pages;
      await hands.call("anna", "ben", true);
      await hands.answer("ben");
      await sees(ben, "Ben");
      await seesNothing(anna, "Anna");
      await hands.press("ben", /^Camera on/);
      await sees(anna, "Anna");
      await hands.press("ben", /^Camera off/);
      await seesNothing(anna, "Anna");
      await anna.locator(".stage .stage-face").waitFor();
      await hears(anna, "Anna");
    },
  },
  {
    name: "the screen is shared and no longer shared, on a third port; the other can share afterwards",
    async play(hands) {
      const { anna, ben } = hands.pages;
      await hands.call("anna", "ben", true);
      await hands.answer("ben", "With video");
      await sees(anna, "Anna");
      await hands.press("anna", /^Share screen/);
      await ben.locator(SCREEN).waitFor();
      const mid = await until2(async () => (await look(ben)).flows.filter((flow) => flow.kind === "video").map((flow) => flow.mid).sort()[1]);
      await sees(ben, "Ben's view of the screen", mid);
      const { paths } = await look(anna);
      const ports = new Set(paths.map((path) => `${path.mid} ${path.localPort}`));
      if (ports.size !== 3 || new Set(paths.map((path) => path.localPort)).size !== 3) throw new Error(`ports ${[...ports].join(", ")}`);
      await views(ben, hands.options.out, "screen-seen");
      await views(anna, hands.options.out, "screen-shared");
      await hands.press("anna", /^Stop sharing/);
      await ben.locator(SCREEN).waitFor({ state: "detached" });
      await hands.press("ben", /^Share screen/);
      await anna.locator(SCREEN).waitFor();
      await hands.press("ben", /^Stop sharing/);
      await anna.locator(SCREEN).waitFor({ state: "detached" });
      await Promise.all([sees(anna, "Anna"), hears(ben, "Ben")]);
    },
  },
  {
    name: "the screen in a call that began with sound alone",
    async play(hands) {
      const { anna, ben } = hands.pages;
      await hands.call("ben", "anna");
      await hands.answer("anna");
      await hands.talking("anna", "ben");
      await hands.press("anna", /^Share screen/);
      await ben.locator(SCREEN).waitFor();
      await sees(ben, "Ben");
      await hands.press("ben", /^Camera on/);
      await anna.locator('video.main[aria-label^="Picture of"]').waitFor();
      await sees(anna, "Anna");
      await until(async () => (await ben.locator(SCREEN).count()) === 1, "the screen is still seen");
    },
  },
];

async function until2<V>(find: () => Promise<V | undefined>): Promise<V> {
  let found: V | undefined;
  await until(async () => (found = await find()) !== undefined, "a second picture comes");
  return found as V;
}
