import { useWords } from "@shared/text";
import { change } from "../core/settings";

/** One press for dark or light; "as the system" is in the settings. */
export function ThemeButton() {
  const { t } = useWords();
  return (
    <button type="button" className="button quiet icon-only" aria-label={t("own.theme")} title={t("own.theme")} onClick={toggleTheme}>
      <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.5">
        <circle cx="10" cy="10" r="6.5" />
        <path d="M10 3.500a6.500 6.500 0 0 1 0 13z" fill="currentColor" />
      </svg>
    </button>
  );
}

export function toggleTheme(): void {
  change({ theme: document.documentElement.dataset.theme === "dark" ? "light" : "dark" });
}
