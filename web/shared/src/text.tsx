/**
 * Words from a catalogue, and dates and numbers in the reader's form.
 *
 * A catalogue maps keys to texts with `{name}` places; a text that depends on a number is a pair chosen by `count`.
 */
import { createContext, useContext } from "react";

export type Text = string | { one: string; other: string };
export type Values = Record<string, string | number>;

export interface Words {
  locale: string;
  t(key: string, values?: Values): string;
  time(at: number): string;
  day(at: number): string;
  when(at: number): string;
  ago(at: number, now?: number): string;
  duration(ms: number): string;
  bytes(count: number): string;
}

const DAY = 86_400_000;

export function words(texts: Record<string, Text>, locale: string): Words {
  const plural = new Intl.PluralRules(locale);
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const weekday = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
  const date = new Intl.DateTimeFormat(locale, { day: "2-digit", month: "2-digit", year: "numeric" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const number = new Intl.NumberFormat(locale);

  const fill = (text: string, values: Values) =>
    text.replace(/\{(\w+)\}/g, (place, name: string) => {
      const value = values[name];
      return value === undefined ? place : typeof value === "number" ? number.format(value) : value;
    });
  const unit = (value: number, name: "second" | "minute" | "hour" | "day") =>
    new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "short" }).format(value);

  return {
    locale,
    t(key, values = {}) {
      const text = texts[key];
      // A key that is missing is a fault of ours; showing it beats showing nothing.
      if (text === undefined) return key;
      if (typeof text === "string") return fill(text, values);
      const form = plural.select(Number(values.count ?? 0)) === "one" ? text.one : text.other;
      return fill(form, values);
    },
    time: (at) => clock.format(at),
    day(at) {
      const days = Math.round((startOfDay(at) - startOfDay(Date.now())) / DAY);
      if (days === 0 || days === -1) return capital(relative.format(days, "day"), locale);
      return days > -7 ? weekday.format(at) : date.format(at);
    },
    when: (at) => (startOfDay(at) === startOfDay(Date.now()) ? clock.format(at) : date.format(at)),
    ago(at, now = Date.now()) {
      const minutes = Math.round((at - now) / 60_000);
      if (minutes > -60) return relative.format(Math.min(minutes, 0), "minute");
      return minutes > -24 * 60 ? relative.format(Math.round(minutes / 60), "hour") : relative.format(Math.round(minutes / 1440), "day");
    },
    bytes(count) {
      const names = ["byte", "kilobyte", "megabyte", "gigabyte"];
      const step = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), 3);
      const value = count / 1000 ** step;
      return new Intl.NumberFormat(locale, { style: "unit", unit: names[step] ?? "byte", unitDisplay: step === 0 ? "long" : "short", maximumFractionDigits: value < 10 && step > 0 ? 1 : 0 }).format(value);
    },
    duration(ms) {
      const seconds = Math.max(1, Math.round(ms / 1000));
      if (seconds < 90) return unit(seconds, "second");
      const minutes = Math.round(seconds / 60);
      return minutes < 90 ? unit(minutes, "minute") : unit(Math.round(minutes / 60), "hour");
    },
  };
}

function startOfDay(at: number): number {
  const day = new Date(at);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
}

function capital(text: string, locale: string): string {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}

export const WordsContext = createContext<Words>(words({}, "en"));
export const useWords = (): Words => useContext(WordsContext);
