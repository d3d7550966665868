// `npm run colours -- --base https://HOST:PORT --anna ADDRESS:PASSWORD --ben ADDRESS:PASSWORD [--pages FOLDER] [--out FOLDER] [WORD …]`:
// a page of a real server in light and dark, by the system's wish and by the page's own switch; and what it shows of who
// watches. A word plays the steps whose name has it.
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
const out = resolve(process.env.INIT_CWD ?? ".", given("out") ?? here("out/colours"));
mkdirSync(out, { recursive: true });
mkdirSync(here("out"), { recursive: true });
const only = words.filter((word, n) => !word.startsWith("--") && !words[n - 1]?.startsWith("--"));
const { main } = await import(await forNode("harness/colours/main.ts", "colours"));
process.exit((await main({ base: given("base"), anna: person("anna"), ben: person("ben"), pages: given("pages"), out, only })) ? 0 : 1);
