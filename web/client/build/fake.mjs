// `npm run fake`: the fake server on port 8787, for `npx vite client` or the built page at /client/.
import { mkdirSync } from "node:fs";
import { forNode, here } from "./bundle.mjs";

mkdirSync(here("out"), { recursive: true });
const { Fake } = await import(await forNode("fake/server.ts", "fake"));
const fake = new Fake(here("dist"));
console.log(`${await fake.listen(8787)}/client/  anna@example.org or ben@example.org, password secret`);
