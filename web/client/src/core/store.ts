/** A value that tells when it changes, and the hook that reads it. */
import { useSyncExternalStore } from "react";

export class Store<S> {
  #state: S;
  #listeners = new Set<() => void>();

  constructor(initial: S) {
    this.#state = initial;
  }

  get = (): S => this.#state;

  set = (change: Partial<S> | ((state: S) => S)): void => {
    const next = typeof change === "function" ? change(this.#state) : { ...this.#state, ...change };
    if (Object.is(next, this.#state)) return;
    this.#state = next;
    for (const listener of [...this.#listeners]) listener();
  };

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

/** Reads a part of a store; `pick` must return what the store holds, not something made anew. */
export function useStore<S, P>(store: Store<S>, pick: (state: S) => P): P {
  return useSyncExternalStore(store.subscribe, () => pick(store.get()));
}
