// `npm run harness -- --out FOLDER`: the built client in Chromium against the fake server.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { forBrowser, forNode, here, tests } from "./bundle.mjs";

const at = process.argv.indexOf("--out");
const out = at > 0 ? resolve(process.env.INIT_CWD ?? ".", process.argv[at + 1]) : here("out/pictures");
mkdirSync(out, { recursive: true });
mkdirSync(here("out"), { recursive: true });
const inPage = await forBrowser([...tests("tests/browser")], `\nimport { run } from ${JSON.stringify(here("tests/kit.ts"))};\nglobalThis.lyceumTests = run;`);
const { main } = await import(await forNode("harness/main.ts", "harness"));
process.exit((await main({ dist: here("dist"), out, inPage, only: process.argv.slice(2).filter((word, n, all) => !word.startsWith("--") && all[n - 1] !== "--out") })) ? 0 : 1);
