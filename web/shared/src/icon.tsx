/** Icons of our own, drawn on 20 × 20 with one stroke width. They are decoration: the word stands beside or in a label. */
const PATHS = {
  chat: "M3.500 4.500h13v9h-7l-4 3v-3h-2z",
  people: "M7.500 9.500a2.750 2.750 0 1 0 0-5.500 2.750 2.750 0 0 0 0 5.500zM2.500 16.500c0-3 2-4.750 5-4.750s5 1.750 5 4.750M13.500 9a2.250 2.250 0 1 0-.750-4.400M14.250 11.750c2 .250 3.250 1.750 3.250 4.250",
  help: "M7.500 7.500c0-1.500 1-2.500 2.500-2.500s2.500 1 2.500 2.250c0 2-2.500 2-2.500 4M10 14.500v.250",
  settings: "M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4",
  search: "M8.750 14.500a5.750 5.750 0 1 0 0-11.500 5.750 5.750 0 0 0 0 11.500zM13 13l4 4",
  back: "M12 4.500 6.500 10l5.500 5.500",
  close: "M5 5l10 10M15 5 5 15",
  send: "M3.500 10h12M11 5l5 5-5 5",
  more: "M4.500 10h.01M10 10h.01M15.500 10h.01",
  plus: "M10 4v12M4 10h12",
  star: "M10 3.500l2 4.250 4.500.600-3.250 3.150.800 4.500L10 13.750 5.950 16l.800-4.500L3.500 8.350l4.500-.600z",
  group: "M6 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM14 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM2.500 15c0-2.250 1.500-3.500 3.500-3.500s3.500 1.250 3.500 3.500M10.500 15c0-2.250 1.500-3.500 3.500-3.500s3.500 1.250 3.500 3.500",
  warning: "M10 3.500 17.500 16h-15zM10 8.500v3.250M10 13.750v.250",
  offline: "M3 8.500c4-3.500 10-3.500 14 0M5.500 11.500c2.600-2.200 6.400-2.200 9 0M10 15v.250M4 3l12 14",
  check: "M4 10.500 8 14.500l8-9",
  bell: "M5.500 13.500V9a4.500 4.500 0 0 1 9 0v4.500l1.500 1.500H4zM8.500 17h3",
  note: "M4 4h12v8.500L12.500 16H4zM12.500 16v-3.500H16",
  lock: "M5 9h10v7H5zM7 9V6.500a3 3 0 0 1 6 0V9",
  theme: "M10 3.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM10 3.500v13M10 6.500h4.500M10 10h6.500M10 13.500h4.500",
  clip: "M13.500 6.500 7.750 12.250a1.500 1.500 0 0 0 2.100 2.100l6-6a3 3 0 0 0-4.200-4.200l-6.300 6.300a4.500 4.500 0 0 0 6.400 6.400L16 12.600",
  file: "M5.500 3h6l3.500 3.500V17h-9.500zM11.500 3v3.500H15",
  phone: "M5 3.500h2.500L9 7.500 7.250 8.750c.8 1.750 2.200 3.150 4 4L12.500 11l4 1.500V15c0 1-.750 1.500-1.500 1.500C9.500 16.500 3.500 10.500 3.500 5c0-.750.500-1.500 1.500-1.500z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, filled = false }: { name: IconName; filled?: boolean }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false" fill={filled ? "currentColor" : "none"} stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round">
      <path d={PATHS[name]} />
    </svg>
  );
}
