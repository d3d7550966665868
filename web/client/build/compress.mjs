// After the build: a .br and a .gz beside every file that shrinks, and the budget of the first screen's script.
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
/** Script of the sign-in page, as the browser parses it: not compressed. */
const FIRST_SCREEN_BYTES = 250_000;
/** Script of the first screen of somebody signed in, the SIP connection included, as it travels. */
const SIGNED_IN_BYTES = 250_000;

function* files(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else yield path;
  }
}

const brotli = (data) => brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: data.length } });
const packedBytes = new Map();
for (const path of [...files(dist)]) {
  if (!/\.(js|css|html|svg|json)$/.test(path)) continue;
  const data = readFileSync(path);
  for (const [ending, packed] of [[".br", brotli(data)], [".gz", gzipSync(data, { level: 9 })]]) {
    if (packed.length < data.length) writeFileSync(path + ending, packed);
    if (ending === ".gz") packedBytes.set(relative(dist, path), packed.length);
  }
}

const html = readFileSync(join(dist, "index.html"), "utf8");
const scripts = [...html.matchAll(/(?:src|href)="\/client\/([^"]+\.js)"/g)].map((found) => found[1]);
const first = scripts.reduce((sum, name) => sum + statSync(join(dist, name)).size, 0);
const signedIn = [...packedBytes].filter(([name]) => scripts.includes(name) || /^assets\/(workspace|jssip-link)-[^/]*\.js$/.test(name));
const travelling = signedIn.reduce((sum, [, bytes]) => sum + bytes, 0);
console.log(`script of the sign-in page: ${first} bytes; of the signed-in page, gzipped: ${travelling} bytes`);
if (/<script(?![^>]*\bsrc=)/.test(html)) throw new Error("inline script in index.html: the page's policy forbids it");
if (first === 0 || first > FIRST_SCREEN_BYTES) throw new Error(`the sign-in page may have ${FIRST_SCREEN_BYTES} bytes of script`);
if (travelling > SIGNED_IN_BYTES) throw new Error(`the signed-in page may have ${SIGNED_IN_BYTES} bytes of script, gzipped`);
