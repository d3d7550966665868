import type { ButtonHTMLAttributes } from "react";
import { Icon, type IconName } from "./icon";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "primary" | "danger" | "quiet";
  icon?: IconName;
  /** Says the button's word to screen readers and as a tip; the face is the icon alone. */
  label?: string;
  ref?: React.Ref<HTMLButtonElement>;
}

export function Button({ kind, icon, label, className, children, type = "button", ...rest }: ButtonProps) {
  const classes = ["button", kind, label && "icon-only", className].filter(Boolean).join(" ");
  return (
    <button type={type} className={classes} aria-label={label} title={label} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}
