/** Calls of the administration API that the planning page makes. The token is held here, in memory, and nowhere else. */
import type { Problem } from "../api/types";

const BASE = "/api/v1";

export interface FieldProblem {
  path: string;
  code: string;
  what: string;
  fix: string;
}

export type PlanProblem = Problem & { problems?: FieldProblem[] };

/** `crates/api/src/plan.rs` has the same fields. */
export interface Figures {
  users: number;
  servers: { site: string; role: string; servers: number; working: string }[];
  links: { from: string; to: string; mbps: number | null; there_mbps: number; back_mbps: number; needed_mbps: number; verdict: string }[];
  notes: string[];
  answers: { field: string; value: string; assumed: boolean }[];
  pictures: { id: string; title: string }[];
  picture: { id: string; title: string; svg: string } | null;
}

export class PlanRefused extends Error {
  constructor(readonly problem: PlanProblem) {
    super(problem.what);
  }
}

export type Format = "html" | "xlsx" | "topology";

export class PlanApi {
  #token: string | undefined;

  constructor(private readonly fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis)) {}

  async signIn(name: string, password: string): Promise<void> {
    const answer = await this.#ask("/session", "POST", JSON.stringify({ name, password }), "application/json");
    this.#token = ((await answer.json()) as { token: string }).token;
  }

  async signOut(): Promise<void> {
    // The session ends by itself when the server cannot hear of it.
    await this.#ask("/session", "DELETE").catch(() => undefined);
    this.#token = undefined;
  }

  async figures(plan: string, picture: string, signal: AbortSignal): Promise<Figures> {
    const answer = await this.#ask(`/plan?picture=${encodeURIComponent(picture)}`, "POST", plan, "application/toml", signal);
    return (await answer.json()) as Figures;
  }

  async report(plan: string, format: Format): Promise<Blob> {
    return (await this.#ask(`/plan/report?format=${format}`, "POST", plan, "application/toml")).blob();
  }

  async #ask(path: string, method: string, body?: string, type?: string, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (type) headers["Content-Type"] = type;
    if (this.#token) headers["Authorization"] = `Bearer ${this.#token}`;
    const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
    if (body !== undefined) init.body = body;
    if (signal) init.signal = signal;
    let answer: Response;
    try {
      answer = await this.fetch(BASE + path, init);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new PlanRefused({ code: "server-unreachable", status: 0, what: "", where: path, fix: "" });
    }
    if (answer.ok) return answer;
    throw new PlanRefused(problemIn(await answer.text().catch(() => ""), answer.status));
  }
}

function problemIn(text: string, status: number): PlanProblem {
  try {
    const found = JSON.parse(text) as Partial<PlanProblem>;
    if (typeof found.code === "string" && typeof found.what === "string") return { where: "", fix: "", ...found, status } as PlanProblem;
  } catch {
    // Not ours: a proxy's page, or nothing at all.
  }
  return { code: `http-${status}`, status, what: "", where: "", fix: "" };
}
