/** What a page's colours come to as the browser computes them: its ground, and how well each text stands off from what is behind it. */
import type { Page } from "playwright-core";

export interface Colours {
  /** The colour of the page itself, as red, green and blue. */
  ground: number[];
  /** Texts that were looked at. */
  texts: number;
  /** The least contrast (WCAG 2.2, relative luminance), and where. */
  least: number;
  where: string;
  /** Texts below 4.5, the worst first. */
  faint: string[];
}

export const READABLE = 4.5;

/** Every text that is seen and is no part of a control that cannot be used. */
export function colours(page: Page): Promise<Colours> {
  return page.evaluate((readable) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    if (!pen) throw new Error("no canvas");
    type Rgba = [number, number, number, number];
    /** Whatever notation the browser computes, as numbers. */
    const rgba = (colour: string): Rgba => {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      const [r = 0, g = 0, b = 0, a = 0] = pen.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a]: Rgba, [R, G, B]: Rgba): Rgba => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
    const chain = (element: Element | null): Element[] => (element ? [element, ...chain(element.parentElement)] : []);
    /** The colour behind: every ground from the page up to this element, each over the one before. */
    const behind = (element: Element): Rgba =>
      chain(element)
        .reverse()
        .reduce<Rgba>((under, each) => over(rgba(getComputedStyle(each).backgroundColor), under), [255, 255, 255, 1]);
    const light = ([r, g, b]: Rgba): number => {
      const [x = 0, y = 0, z = 0] = [r, g, b].map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const contrast = (one: Rgba, other: Rgba): number => {
      const [bright = 0, dim = 0] = [light(one), light(other)].sort((a, b) => b - a);
      return (bright + 0.05) / (dim + 0.05);
    };
    const found: { value: number; where: string }[] = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const element = node.parentElement;
      const text = node.textContent?.trim() ?? "";
      if (!element || text === "" || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const { width, height } = range.getBoundingClientRect();
      // What only a screen reader hears is a pixel large; a control that is off needs no contrast (WCAG 1.4.3).
      if (width < 2 || height < 2 || element.closest("[disabled], [aria-disabled='true'], [aria-hidden='true']")) continue;
      if (chain(element).some((each) => getComputedStyle(each).clipPath === "inset(50%)")) continue;
      const ground = behind(element);
      const opacity = chain(element).reduce((all, each) => all * Number(getComputedStyle(each).opacity), 1);
      const [r, g, b, a] = rgba(getComputedStyle(element).color);
      found.push({ value: contrast(over([r, g, b, a * opacity], ground), ground), where: `${element.tagName.toLowerCase()}.${element.className} "${text.slice(0, 30)}"` });
    }
    found.sort((a, b) => a.value - b.value);
    const [r, g, b] = behind(document.body);
    const faint = found.filter((each) => each.value < readable).map((each) => `${each.value.toFixed(2)} ${each.where}`);
    return { ground: [r, g, b], texts: found.length, least: found[0]?.value ?? 0, where: found[0]?.where ?? "", faint: [...new Set(faint)].slice(0, 6) };
  }, READABLE);
}

/** How bright a ground is, 0 to 1. */
export const brightness = ({ ground }: Colours): number => ground.reduce((sum, value) => sum + value, 0) / (3 * 255);
