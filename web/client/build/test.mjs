// `npm test`: the tests that need no browser. One line for each, and the count as the last.
import { webcrypto } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { forNode, here, tests } from "./bundle.mjs";

// Browsers have it, Node 18 has not yet.
globalThis.crypto ??= webcrypto;
mkdirSync(here("out"), { recursive: true });
const all = here("out/all.ts");
writeFileSync(all, tests("tests").map((file) => `import ${JSON.stringify(here(file))};`).join("\n") + `\nexport { run, report } from ${JSON.stringify(here("tests/kit.ts"))};\n`);
const { run, report } = await import(await forNode("out/all.ts", "tests"));
process.exit(report(await run(), console.log) ? 0 : 1);
