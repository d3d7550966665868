/**
 * Who is signed in.
 *
 * | state      | event                          | next       |
 * |------------|--------------------------------|------------|
 * | starting   | cookie gives a token           | signed-in  |
 * | starting   | no cookie, refused             | signed-out |
 * | starting   | server does not answer         | starting, asked again |
 * | signed-out | right password                 | signed-in  |
 * | signed-out | leaves for the issuer          | starting, when it comes back |
 * | signed-in  | token near its end             | signed-in, with a new one |
 * | signed-in  | refused a new token            | signed-out, with the reason |
 * | signed-in  | signed out                     | signed-out |
 *
 * The token is a private field: no store, no storage, no address ever holds it. The longer-lived cookie is the
 * server's (HttpOnly), bound to this device.
 */
import { Api, Refused, problemOf } from "../api/api";
import type { Person, Problem, SessionBody } from "../api/types";
import { Store } from "./store";

export type SignedIn = Omit<SessionBody, "token" | "expires_in">;

export interface SessionState {
  phase: "starting" | "signed-out" | "signed-in";
  body?: SignedIn | undefined;
  /** Why we are signed out, or still starting. */
  problem?: Problem | undefined;
}

/** What a page keeps from visit to visit: which device this is, and that somebody is signed in. No secret. */
export interface Memory {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const SIGNED_IN = "lyceum.signed-in";
const DEVICE = "lyceum.device";
const ADDRESS = "lyceum.address";
/** Renew when this much of the token's life is over. */
const RENEW_AT = 0.6;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

export class Session {
  readonly state = new Store<SessionState>({ phase: "starting" });
  readonly api: Api;
  readonly device: string;
  /** Called with every new token: what holds a connection must use it from now on. */
  onToken: (token: string) => void = () => undefined;
  #token: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewing: Promise<boolean> | undefined;

  constructor(
    private readonly memory: Memory,
    fetch?: typeof globalThis.fetch,
  ) {
    this.api = new Api({ token: () => this.#token, renew: () => this.renew() }, fetch);
    this.device = memory.getItem(DEVICE) ?? crypto.randomUUID();
    memory.setItem(DEVICE, this.device);
  }

  /** The token for the SIP connection alone. */
  token = (): string | undefined => this.#token;
  lastAddress = (): string => this.memory.getItem(ADDRESS) ?? "";

  /** Comes back after the page was loaded anew, when the browser still holds the cookie. */
  async restore(): Promise<void> {
    if (!this.memory.getItem(SIGNED_IN)) return this.state.set({ phase: "signed-out" });
    for (let attempt = 0; this.state.get().phase === "starting"; attempt++) {
      try {
        return this.#take(await this.api.refresh(this.device));
      } catch (error) {
        const problem = problemOf(error);
        if (!passing(problem)) return this.#end(problem.status === 401 ? undefined : problem);
        this.state.set({ problem });
        await new Promise((wake) => setTimeout(wake, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
      }
    }
  }

  async signIn(address: string, password: string, device_name: string): Promise<void> {
    const body = await this.api.signIn({ address, password, device: this.device, device_name });
    this.memory.setItem(SIGNED_IN, "1");
    this.memory.setItem(ADDRESS, address);
    this.#take(body);
  }

  /** Where the issuer's sign-in begins. The browser leaves the page, and comes back to one that finds its cookie. */
  leave(path: string): string {
    this.memory.setItem(SIGNED_IN, "1");
    return `${path}?device=${encodeURIComponent(this.device)}`;
  }

  async signOut(): Promise<void> {
    // What the server cannot hear ends here anyhow; its token dies within ten minutes, its cookie is asked for again.
    await this.api.signOut().catch(() => undefined);
    this.#end(undefined);
  }

  /** A newer token, asked for once however many want it. False when the session is over. */
  renew(): Promise<boolean> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<boolean> {
    if (this.state.get().phase !== "signed-in") return false;
    try {
      this.#take(await this.api.refresh(this.device));
      return true;
    } catch (error) {
      if (!passing(problemOf(error))) {
        this.#end(problemOf(error));
        return false;
      }
      this.#later(RETRY_MS[2] ?? 4000);
      throw error instanceof Refused ? error : new Refused(problemOf(error));
    }
  }

  #take({ token, expires_in, ...body }: SessionBody): void {
    this.#token = token;
    // Near the end of the session itself tokens are short; asking goes on at most once a second until it is refused.
    this.#later(Math.max(expires_in * 1000 * RENEW_AT, 1000));
    this.state.set({ phase: "signed-in", body, problem: undefined });
    this.onToken(token);
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.renew().catch(() => undefined), ms);
  }

  #end(problem: Problem | undefined): void {
    clearTimeout(this.#timer);
    this.#token = undefined;
    this.memory.removeItem(SIGNED_IN);
    this.state.set({ phase: "signed-out", body: undefined, problem });
  }
}

/** Whether to ask again: the server is away or busy, and has refused nobody. */
function passing(problem: Problem): boolean {
  return problem.status === 0 || problem.status === 429 || problem.status >= 500;
}

export const nameOf = (person: Pick<Person, "address" | "display_name">): string => person.display_name || person.address;
