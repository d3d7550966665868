// `npm run desk -- --base https://HOST:PORT --person ADDRESS:PASSWORD [--speaks FILE.wav] [--pages FOLDER] [--out FOLDER]`: one person
// at a page of a real server, who does what a JSON object a line on the standard input says, and tells when it is done.
// `cargo xtask test interop` calls desk phones with it.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { forNode, here } from "./bundle.mjs";

const words = process.argv.slice(2);
const given = (name) => {
  const at = words.indexOf(`--${name}`);
  return at >= 0 ? words[at + 1] : undefined;
};
const [address, ...password] = (given("person") ?? "").split(":");
if (!address || password.length === 0) throw new Error("--person ADDRESS:PASSWORD");
const out = resolve(process.env.INIT_CWD ?? ".", given("out") ?? here("out/desk"));
mkdirSync(out, { recursive: true });
mkdirSync(here("out"), { recursive: true });
const { main } = await import(await forNode("harness/desk/main.ts", "desk"));
await main({ base: given("base"), address, password: password.join(":"), speaks: given("speaks"), pages: given("pages"), out });
