// `npm run calls -- --base https://HOST:PORT --anna ADDRESS:PASSWORD --ben … --clara … [--restart COMMAND] [--relay yes] [--out FOLDER] [WORD …]`:
// three people call each other in a real browser with fake devices, against a real server. A word plays the steps whose name has it.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { forNode, here } from "./bundle.mjs";

const words = process.argv.slice(2);
const given = (name) => {
  const at = words.indexOf(`--${name}`);
  return at >= 0 ? words[at + 1] : undefined;
};
const person = (name) => {
  const [address, ...password] = (given(name) ?? "").split(":");
  if (!address || password.length === 0) throw new Error(`--${name} ADDRESS:PASSWORD`);
  return { address, password: password.join(":") };
};
const out = resolve(process.env.INIT_CWD ?? ".", given("out") ?? here("out/calls"));
mkdirSync(out, { recursive: true });
mkdirSync(here("out"), { recursive: true });
const only = words.filter((word, n) => !word.startsWith("--") && !words[n - 1]?.startsWith("--"));
const { main } = await import(await forNode("harness/calls/main.ts", "calls"));
process.exit((await main({ base: given("base"), people: { anna: person("anna"), ben: person("ben"), clara: person("clara") }, restart: given("restart"), relay: given("relay") !== undefined, pages: given("pages"), out, only })) ? 0 : 1);
