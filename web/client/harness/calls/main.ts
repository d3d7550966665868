/** Plays the steps of every scene of calls, in order, one line for each; what a step leaves behind is cleared. */
import { join } from "node:path";
import { report, type Result } from "../../tests/kit";
import { forPages, launch } from "../stage";
import { calling } from "./calling";
import { handing } from "./handing";
import { DEVICES, Hands, NAMES, open, signIn, type Options } from "./people";
import { network } from "./network";
import { pictures } from "./pictures";

export interface Step {
  name: string;
  play(hands: Hands): Promise<void>;
}

/** Three pictures in software on a busy machine take their time. */
const LONGEST_MS = 150_000;

export async function main(options: Options): Promise<boolean> {
  const browser = await launch([...DEVICES, ...forPages(options.pages)]);
  const complaints = { faults: [] as string[] };
  const [anna, ben, clara] = [await open(browser, complaints, options, "anna"), await open(browser, complaints, options, "ben"), await open(browser, complaints, options, "clara")];
  const hands = new Hands({ anna, ben, clara }, options);
  const results: Result[] = [];
  await Promise.all(NAMES.map((name) => signIn(hands.pages[name], options.base, options.people[name])));
  const steps = [...calling, ...pictures, ...handing, ...network(options)].filter((step) => options.only.length === 0 || options.only.some((word) => step.name.includes(word)));
  for (const step of steps) {
    const begun = Date.now();
    const fault = await played(step, hands);
    const complaint = complaints.faults.splice(0).join("; ");
    const said = fault ?? (complaint === "" ? undefined : `the page complained: ${complaint}`);
    results.push(said === undefined ? { name: step.name } : { name: step.name, fault: said });
    console.log(`${said === undefined ? "   " : "…"} ${Date.now() - begun} ms  ${step.name}`);
    if (said !== undefined) for (const name of NAMES) await hands.pages[name].screenshot({ path: join(options.out, `fault-${results.length}-${name}.png`) });
    await hands.quiet().catch((error: unknown) => console.log(`… afterwards: ${String(error)}`));
  }
  await browser.close();
  return report(results, console.log);
}

async function played(step: Step, hands: Hands): Promise<string | undefined> {
  const late = new Promise<never>((_, stop) => setTimeout(() => stop(new Error(`not done after ${LONGEST_MS} ms`)), LONGEST_MS).unref());
  try {
    await Promise.race([step.play(hands), late]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n").slice(0, 5).join(" ") : String(error);
  }
}
