/** Plays every scene, each with a server of its own, and counts. */
import type { Result } from "../tests/kit";
import { report } from "../tests/kit";
import { chatting } from "./chatting";
import { connection } from "./connection";
import { files } from "./files";
import { people } from "./people";
import { launch, Stage, type Options, type Scene } from "./stage";
import { states } from "./states";

/** The longest scene waits for a lost connection to come back. */
const LONGEST_MS = 60_000;

export async function main(options: Options): Promise<boolean> {
  const browser = await launch();
  const results: Result[] = [];
  const bodies: Scene = {
    name: "bodies of SIP messages, read by the browser",
    async play(stage) {
      const page = await stage.page();
      await page.goto(`${stage.base}/client/`);
      await page.evaluate(options.inPage);
      const found = await page.evaluate(() => (globalThis as unknown as { lyceumTests: () => Promise<Result[]> }).lyceumTests());
      results.push(...found);
      // What is no XML and what would run is what these tests read: the browser may complain of it.
      stage.faults.length = 0;
    },
  };
  for (const scene of [bodies, ...states, ...people, ...chatting, ...files, ...connection]) {
    if (options.only.length > 0 && !options.only.some((word) => scene.name.includes(word))) continue;
    results.push(await play(browser, options, scene));
    const last = results[results.length - 1];
    console.log(`${last?.fault ? "…" : "   "} ${scene.name}`);
  }
  await browser.close();
  return report(results, console.log);
}

async function play(browser: Awaited<ReturnType<typeof launch>>, options: Options, scene: Scene): Promise<Result> {
  const stage = await Stage.open(browser, options);
  try {
    const late = new Promise<never>((_, stop) => setTimeout(() => stop(new Error(`not done after ${LONGEST_MS} ms`)), LONGEST_MS).unref());
    await Promise.race([scene.play(stage), late]);
    return stage.faults.length === 0 ? { name: scene.name } : { name: scene.name, fault: `the page complained: ${stage.faults.join("; ")}` };
  } catch (error) {
    return { name: scene.name, fault: error instanceof Error ? error.message : String(error) };
  } finally {
    await stage.close();
  }
}
