/** Desktop notifications: only for what nobody is looking at, never in do-not-disturb. */

export type Permission = "granted" | "denied" | "default" | "unsupported";

export const permission = (): Permission => (typeof Notification === "undefined" ? "unsupported" : Notification.permission);

/** Must come from a click: browsers refuse to ask otherwise. */
export async function ask(): Promise<Permission> {
  return typeof Notification === "undefined" ? "unsupported" : Notification.requestPermission();
}

export function show(title: string, body: string, id: string, onClick: () => void): { close(): void } | undefined {
  if (permission() !== "granted") return undefined;
  // The tag makes a message that comes twice one notification.
  const notification = new Notification(title, { body, tag: id, icon: "/client/icon.svg" });
  notification.onclick = () => {
    window.focus();
    notification.close();
    onClick();
  };
  return notification;
}
