// `npm run crowd -- --base https://HOST:PORT --person ADDRESS:PASSWORD --person … [--pages FOLDER]`: people at pages of one browser, set
// to use the relay only, call each other in pairs, as JSON objects on the standard input say. `cargo xtask test interop` restarts
// an Edge under them.
import { mkdirSync } from "node:fs";
import { forNode, here } from "./bundle.mjs";

const words = process.argv.slice(2);
const given = (name) => words.filter((_, n) => words[n - 1] === `--${name}`);
const people = given("person").map((text) => {
  const [address, ...password] = text.split(":");
  if (!address || password.length === 0) throw new Error("--person ADDRESS:PASSWORD");
  return { address, password: password.join(":") };
});
mkdirSync(here("out"), { recursive: true });
const { main } = await import(await forNode("harness/crowd/main.ts", "crowd"));
await main({ base: given("base")[0], people, pages: given("pages")[0] });
