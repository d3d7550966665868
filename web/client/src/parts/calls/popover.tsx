/** A button that opens something beside it which is no menu: Esc and a press elsewhere close it. */
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Button } from "@shared/button";
import type { IconName } from "@shared/icon";

export interface PopoverProps {
  icon?: IconName;
  label: string;
  face?: ReactNode;
  className?: string;
  disabled?: boolean;
  side?: "above" | "below";
  children: ReactNode;
}

export function Popover({ icon, label, face, className = "round", disabled = false, side = "below", children }: PopoverProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => box.current?.contains(event.target as Node) || setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  useEffect(() => {
    if (disabled) setOpen(false);
  }, [disabled]);
  return (
    <div
      className="popover-anchor"
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        setOpen(false);
        box.current?.querySelector("button")?.focus();
      }}
    >
      {face === undefined ? (
        <Button className={className} {...(icon ? { icon } : {})} label={label} aria-expanded={open} disabled={disabled} onClick={() => setOpen(!open)} />
      ) : (
        <button type="button" className={className} aria-label={label} title={label} aria-expanded={open} disabled={disabled} onClick={() => setOpen(!open)}>
          {face}
        </button>
      )}
      {open && (
        <div className={`popover ${side}`} role="group" aria-label={label}>
          {children}
        </div>
      )}
    </div>
  );
}
