// `npm run two-people -- --base https://HOST:PORT --anna ADDRESS:PASSWORD --ben ADDRESS:PASSWORD [--restart COMMAND] [--virus TEXT] [--out FOLDER]`:
// two people in two pages against a real server. The command must return when the server is up again.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { forNode, here } from "./bundle.mjs";

const given = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : undefined;
};
const person = (name) => {
  const [address, ...password] = (given(name) ?? "").split(":");
  if (!address || password.length === 0) throw new Error(`--${name} ADDRESS:PASSWORD`);
  return { address, password: password.join(":") };
};
const out = resolve(process.env.INIT_CWD ?? ".", given("out") ?? here("out/two-people"));
mkdirSync(out, { recursive: true });
mkdirSync(here("out"), { recursive: true });
const { main } = await import(await forNode("harness/two-people.ts", "two-people"));
process.exit((await main({ base: given("base"), anna: person("anna"), ben: person("ben"), restart: given("restart"), virus: given("virus"), out })) ? 0 : 1);
