import { Button } from "@shared/button";
import { Icon } from "@shared/icon";
import { useWords } from "@shared/text";

/** A search field that Esc empties. */
export function SearchBox({ value, onChange, label, autoFocus = false }: { value: string; onChange(q: string): void; label: string; autoFocus?: boolean }) {
  const { t } = useWords();
  return (
    <div className="search-box" role="search">
      <Icon name="search" />
      <input className="input" type="text" inputMode="search" aria-label={label} placeholder={label} value={value} autoFocus={autoFocus} autoComplete="off" spellCheck={false} onChange={(e) => onChange(e.target.value)} onKeyDown={(e) => e.key === "Escape" && value !== "" && (e.stopPropagation(), onChange(""))} />
      {value !== "" && <Button kind="quiet" icon="close" label={t("find.clear")} onClick={() => onChange("")} />}
    </div>
  );
}
