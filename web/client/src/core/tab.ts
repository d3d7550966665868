/**
 * One page of a browser is the device: two would take each other's registration away. The page that holds the lock
 * works; another says so and can take over.
 */
import { Store } from "./store";

export const tab = new Store<{ mine: boolean | undefined }>({ mine: undefined });
const LOCK = "lyceum-client";

/** Takes the lock if it is free; `takeOver` takes it from the page that has it. */
export function claim(takeOver = false): void {
  if (!navigator.locks) return tab.set({ mine: true });
  const hold = () => {
    tab.set({ mine: true });
    return new Promise<void>(() => undefined);
  };
  const options: LockOptions = takeOver ? { steal: true } : { ifAvailable: true };
  navigator.locks.request(LOCK, options, (lock) => (lock ? hold() : tab.set({ mine: false }))).catch(() => tab.set({ mine: false }));
}
