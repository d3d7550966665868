/** Lists by arrows: one stop of the Tab key, Up and Down move, Home and End jump; Enter is the row's own. */
import type { KeyboardEvent } from "react";

export function moveInList(event: KeyboardEvent<HTMLElement>, rows = "[data-row]"): void {
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>(rows)];
  const active = document.activeElement;
  const at = all.findIndex((row) => row === active || row.contains(active));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined || (at < 0 && event.key !== "ArrowDown")) return;
  const next = all[Math.min(Math.max(to, 0), all.length - 1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
