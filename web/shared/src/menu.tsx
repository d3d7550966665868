/** A button that opens a menu: arrows move, Home and End jump, Esc closes and gives the focus back. */
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { Button, type ButtonProps } from "./button";

export interface MenuProps extends Omit<ButtonProps, "children" | "onClick"> {
  face?: ReactNode;
  /** What the menu is called, where the button has no label of its own. */
  menuLabel?: string;
  /** Where it opens; a phone's lower edge wants "above". */
  side?: "below" | "above" | "right";
  children: ReactNode;
}

export function Menu({ face, side = "below", menuLabel, children, ...button }: MenuProps) {
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const items = () => [...(list.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]:not(:disabled)') ?? [])];
  const close = (refocus: boolean) => {
    setOpen(false);
    if (refocus) opener.current?.focus();
  };

  useEffect(() => {
    if (!open) return;
    (items().find((item) => item.getAttribute("aria-checked") === "true") ?? items()[0])?.focus();
    const outside = (event: PointerEvent) => {
      const at = event.target as Node;
      if (!list.current?.contains(at) && !opener.current?.contains(at)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  const onKey = (event: KeyboardEvent) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      all[(to + all.length) % all.length]?.focus();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      close(true);
    } else if (event.key === "Tab") {
      close(false);
    }
  };

  return (
    <div className="menu-anchor">
      <Button ref={opener} aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)} {...button}>
        {face}
      </Button>
      {open && (
        <div className={`menu ${side}`} role="menu" aria-label={menuLabel ?? button.label} ref={list} onKeyDown={onKey} onClick={() => close(true)}>
          {children}
        </div>
      )}
    </div>
  );
}

export interface MenuItemProps {
  onChoose(): void;
  /** A choice among several; `undefined` is a plain command. */
  chosen?: boolean;
  disabled?: boolean;
  children: ReactNode;
}

export function MenuItem({ onChoose, chosen, disabled, children }: MenuItemProps) {
  return (
    <button type="button" role={chosen === undefined ? "menuitem" : "menuitemradio"} aria-checked={chosen} tabIndex={-1} disabled={disabled} onClick={onChoose}>
      {children}
    </button>
  );
}
