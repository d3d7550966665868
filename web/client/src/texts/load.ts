/** The catalogue of the chosen language; English comes with the page, others when wanted. */
import { words, type Text, type Words } from "@shared/text";
import { language, locale } from "../core/settings";
import { en } from "./en";

export async function load(): Promise<Words> {
  const lang = language();
  const texts: Record<string, Text> = lang === "de" ? (await import("./de")).de : en;
  document.documentElement.lang = lang;
  return words(texts, locale());
}
