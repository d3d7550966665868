/** A person's state as shape and colour; the word belongs beside it, from the same `kind`. */
export type PresenceKind = "available" | "idle" | "busy" | "dnd" | "away" | "offline" | "unknown";

export function Presence({ kind }: { kind: PresenceKind }) {
  return (
    <svg className={`presence ${kind}`} viewBox="0 0 12 12" aria-hidden="true" focusable="false">
      {SHAPES[kind]}
    </svg>
  );
}

const disc = <circle cx="6" cy="6" r="6" fill="currentColor" />;
const SHAPES: Record<PresenceKind, React.ReactElement> = {
  available: disc,
  busy: disc,
  idle: (
    <>
      <circle cx="6" cy="6" r="5.100" fill="none" stroke="currentColor" strokeWidth="1.800" />
      <path d="M6 0a6 6 0 0 0 0 12z" fill="currentColor" />
    </>
  ),
  dnd: (
    <>
      {disc}
      <path d="M3 6h6" stroke="var(--surface)" strokeWidth="2" strokeLinecap="round" />
    </>
  ),
  away: (
    <>
      {disc}
      <path d="M6 2.800V6.200L8.200 7.600" fill="none" stroke="var(--surface)" strokeWidth="1.500" strokeLinecap="round" strokeLinejoin="round" />
    </>
  ),
  offline: <circle cx="6" cy="6" r="5" fill="none" stroke="currentColor" strokeWidth="2" />,
  unknown: <circle cx="6" cy="6" r="5" fill="none" stroke="currentColor" strokeWidth="1.600" strokeDasharray="2.400 2.100" />,
};
