/** What this browser remembers of how the page should look and sound. */
import { Store } from "./store";

export type Theme = "system" | "light" | "dark";
export type Language = "system" | "en" | "de";

export interface Settings {
  theme: Theme;
  language: Language;
  /** Desktop notifications, and whether the message's text stands in them. */
  notify: boolean;
  notifyText: boolean;
}

const KEY = "lyceum.settings";
const USUAL: Settings = { theme: "system", language: "system", notify: true, notifyText: true };

export const settings = new Store<Settings>(read());

export function change(part: Partial<Settings>): void {
  settings.set(part);
  try {
    localStorage.setItem(KEY, JSON.stringify(settings.get()));
  } catch {
    // A browser that stores nothing forgets it with the page.
  }
}

function read(): Settings {
  try {
    return { ...USUAL, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>) };
  } catch {
    return USUAL;
  }
}

/** Puts the theme on the page, and keeps it in step with the system's. */
export function applyTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const { theme } = settings.get();
    document.documentElement.dataset.theme = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
  };
  dark.addEventListener("change", apply);
  settings.subscribe(apply);
  apply();
}

export function language(): "en" | "de" {
  const chosen = settings.get().language;
  if (chosen !== "system") return chosen;
  return navigator.languages.map((l) => l.slice(0, 2)).find((l) => l === "en" || l === "de") === "de" ? "de" : "en";
}

/** Dates in the reader's own form where the browser names one of the chosen language. */
export function locale(): string {
  const lang = language();
  return navigator.languages.find((l) => l.startsWith(lang)) ?? lang;
}
