/** Pictures of pages in every form a person may see them in, and what axe-core finds there. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1180, height: 760 };

export async function picture(page: Page, out: string, name: string): Promise<void> {
  await page.screenshot({ path: join(out, `${name}.png`), animations: "disabled", caret: "hide" });
}

/** The page in light, dark and phone width, and what axe finds in each. */
export async function views(page: Page, out: string, name: string): Promise<void> {
  for (const [view, theme, size] of [["light", "light", DESK], ["dark", "dark", DESK], ["phone", "light", PHONE]] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await page.setViewportSize(size);
    await page.waitForTimeout(80);
    await picture(page, out, `${name}-${view}`);
    await accessible(page, `${name} ${view}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) throw new Error(`${name} ${view}: the page is ${wide} px wider than the screen`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize(DESK);
}

async function accessible(page: Page, name: string): Promise<void> {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run(what: Document, how: unknown): Promise<{ violations: { id: string; help: string; nodes: { target: unknown[]; failureSummary?: string }[] }[] }> } }).axe;
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.map((v) => `${v.id} (${v.help}): ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary ?? ""}`).slice(0, 4).join("; ")}`);
  });
  if (found.length > 0) throw new Error(`axe-core, ${name}: ${found.join("\n    ")}`);
}
