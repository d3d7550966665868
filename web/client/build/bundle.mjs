// Bundles TypeScript with the bundler that Vite brings, for Node or for the browser.
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

export const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { build } = createRequire(createRequire(import.meta.url).resolve("vite/package.json"))("esbuild");
const alias = { "@shared": here("../shared/src"), debug: here("src/sip/silent.ts") };

export async function forNode(entry, name) {
  const outfile = here(`out/${name}.mjs`);
  await build({ entryPoints: [here(entry)], outfile, bundle: true, platform: "node", format: "esm", target: "node18", packages: "external", sourcemap: "inline", jsx: "automatic", alias, logLevel: "error" });
  return outfile;
}

export async function forBrowser(files, extra = "") {
  const contents = files.map((file) => `import ${JSON.stringify(here(file))};`).join("\n") + extra;
  const made = await build({ stdin: { contents, resolveDir: here(".") }, bundle: true, write: false, platform: "browser", format: "iife", target: "es2022", jsx: "automatic", alias, logLevel: "error" });
  return made.outputFiles[0].text;
}

export const tests = (folder) => readdirSync(here(folder)).filter((name) => name.endsWith(".test.ts")).sort().map((name) => `${folder}/${name}`);
