/** Tells the server how long nobody touched this page, so that "inactive" and "away" are true. */

const EVENTS = ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"] as const;
const REPORT_MS = 60_000;
/** After this long the server knows enough: inactive and away follow by policy. */
const SILENT_AFTER_S = 3600;

export function watchActivity(report: (idleSeconds: number) => void): () => void {
  let last = Date.now();
  let wasIdle = false;
  const idle = () => Math.floor((Date.now() - last) / 1000);
  const touched = () => {
    last = Date.now();
    if (wasIdle) report(0);
    wasIdle = false;
  };
  const timer = setInterval(() => {
    if (idle() > SILENT_AFTER_S) return;
    wasIdle = idle() >= REPORT_MS / 1000;
    report(idle());
  }, REPORT_MS);
  report(0);
  for (const event of EVENTS) addEventListener(event, touched, { passive: true });
  return () => {
    clearInterval(timer);
    for (const event of EVENTS) removeEventListener(event, touched);
  };
}
