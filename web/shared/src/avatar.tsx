/** A person's picture or initials, with the presence shape at its corner. */
import { Presence, type PresenceKind } from "./presence";

export interface AvatarProps {
  name: string;
  photo?: string | undefined;
  presence?: PresenceKind | undefined;
  size?: "small" | "large" | undefined;
}

export function Avatar({ name, photo, presence, size }: AvatarProps) {
  return (
    <span className={`avatar ${size ?? ""}`} aria-hidden="true">
      {photo ? <img className="face" src={photo} alt="" /> : <span className="face">{initials(name)}</span>}
      {presence && (
        <span className="mark">
          <Presence kind={presence} />
        </span>
      )}
    </span>
  );
}

/** Two letters at most: of the first and the last word. */
export function initials(name: string): string {
  const parts = name.replace(/@.*/, "").split(/[\s._-]+/).filter(Boolean);
  const first = parts[0]?.[0] ?? "?";
  const last = parts.length > 1 ? (parts[parts.length - 1]?.[0] ?? "") : "";
  return (first + last).toLocaleUpperCase();
}
