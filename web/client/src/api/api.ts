/** Calls to the client API. The token is held here, in memory, and goes into a header: never into an address or a store. */
import type * as T from "./types";

const BASE = "/api/v1/client";

/** A refusal, or the network's silence, as an error that can be shown. */
export class Refused extends Error {
  constructor(readonly problem: T.Problem) {
    super(problem.what);
  }
  get offline(): boolean {
    return this.problem.status === 0;
  }
}

/** Who asks: the session hands out its token and can get a newer one. */
export interface Credentials {
  token(): string | undefined;
  /** Gets a new token after a 401; false when the session is over. */
  renew(): Promise<boolean>;
}

type Body = { json: unknown } | { blob: Blob } | undefined;
export type Progress = (sent: number) => void;

export class Api {
  constructor(
    private readonly credentials: Credentials,
    private readonly fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis),
  ) {}

  // Sign-in: no token yet.
  signInWays = () => this.plain<T.SignInWays>("GET", "/sign-in", undefined);
  signIn = (ask: { address: string; password: string; device: string; device_name: string }) =>
    this.plain<T.SessionBody>("POST", "/session", { json: ask });
  refresh = (device: string) => this.plain<T.SessionBody>("POST", "/session/refresh", { json: { device } });
  signOut = () => this.call<void>("DELETE", "/session");

  presence = (of: string[]) => this.call<{ items: T.PresenceView[] }>("GET", `/presence?of=${of.map(encodeURIComponent).join(",")}`);
  ownPresence = () => this.call<T.OwnPresence>("GET", "/presence");
  setPresence = (own: T.OwnPresence) => this.call<T.OwnPresence>("PUT", "/presence", { json: own });
  reportActivity = (device: string, idle_seconds: number) =>
    this.call<void>("PUT", "/presence/activity", { json: { device, idle_seconds } });

  contacts = () => this.call<T.ContactList>("GET", "/contacts");
  /** Who watches is the server's to say and is not sent back. */
  setContacts = ({ pending_watchers: _watchers, ...list }: T.ContactList) =>
    this.call<T.ContactList>("PUT", "/contacts", { json: list }, { "If-Match": `"${list.version}"` });
  addContact = (entry: T.ContactEntry) => this.call<T.ContactList>("POST", "/contacts/entries", { json: entry });
  removeContact = (address: string) => this.call<T.ContactList>("DELETE", `/contacts/entries/${encodeURIComponent(address)}`);
  setRelationship = (address: string, relationship: T.Relationship) =>
    this.call<T.ContactList>("PUT", `/relationships/${encodeURIComponent(address)}`, { json: { relationship } });
  search = (q: string, signal?: AbortSignal) =>
    this.call<T.SearchResult>("GET", `/search?q=${encodeURIComponent(q)}`, undefined, {}, signal);

  group = (address: string) => this.call<T.DistributionGroup>("GET", `/groups/${encodeURIComponent(address)}`);

  conversations = () => this.call<{ items: T.ConversationSummary[] }>("GET", "/conversations");
  newConversation = (members: string[], subject?: string) =>
    this.call<T.ConversationSummary>("POST", "/conversations", { json: { with: members, subject } });
  history = (id: string, before?: string, limit = 50) =>
    this.call<T.HistoryPage>("GET", `/conversations/${encodeURIComponent(id)}/messages?limit=${limit}${before ? `&before=${encodeURIComponent(before)}` : ""}`);
  markRead = (id: string, upto: string) => this.call<void>("POST", `/conversations/${encodeURIComponent(id)}/read`, { json: { upto } });

  /** A picture, or nothing when the person has none. */
  async photo(address: string): Promise<Blob | undefined> {
    const answer = await this.send("GET", `/photos/${encodeURIComponent(address)}`, undefined, {});
    return answer.ok ? answer.blob() : undefined;
  }

  provisioning = () => this.call<{ turn?: T.RelayCredentials | null }>("GET", "/provisioning");
  /** One's own calls, newest first. */
  calls = (before?: string, limit = 50) => this.call<T.CallPage>("GET", `/calls?limit=${limit}${before ? `&before=${encodeURIComponent(before)}` : ""}`);

  calendar = () => this.call<T.CalendarStatus>("GET", "/calendar");
  setCalendar = (address: string) => this.call<T.CalendarStatus>("PUT", "/calendar", { json: { address } });
  uploadCalendar = (file: Blob) => this.call<T.CalendarStatus>("PUT", "/calendar/file", { blob: file });
  removeCalendar = () => this.call<T.CalendarStatus>("DELETE", "/calendar");

  setPhoto = (image: Blob) => this.call<void>("PUT", "/photo", { blob: image });
  removePhoto = () => this.call<void>("DELETE", "/photo");

  files = () => this.call<{ items: T.FileItem[] }>("GET", "/files");
  declineFile = (id: string) => this.call<T.FileItem>("DELETE", `/files/${encodeURIComponent(id)}`);

  /** The content of a file. */
  async file(id: string): Promise<Blob> {
    const get = () => this.send("GET", `/files/${encodeURIComponent(id)}`, undefined, {});
    let answer = await get();
    if (answer.status === 401 && (await this.credentials.renew())) answer = await get();
    return answer.ok ? answer.blob() : read<Blob>(answer);
  }

  /** Uploads a file and tells how far it is. */
  async sendFile(to: string, name: string, file: Blob, progress: Progress, signal: AbortSignal): Promise<T.FileItem> {
    const path = `/files?to=${encodeURIComponent(to)}&name=${encodeURIComponent(name)}`;
    let answer = await this.upload(path, file, progress, signal);
    if (answer.status === 401 && (await this.credentials.renew())) answer = await this.upload(path, file, progress, signal);
    return read<T.FileItem>(answer);
  }

  /** `fetch` does not say how much has left; the older call does. */
  private upload(path: string, file: Blob, progress: Progress, signal: AbortSignal): Promise<Response> {
    return new Promise((done, fail) => {
      const request = new XMLHttpRequest();
      request.open("POST", BASE + path);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
      request.setRequestHeader("Authorization", `Bearer ${this.credentials.token() ?? ""}`);
      request.upload.onprogress = (event) => progress(event.loaded);
      request.onload = () => done(new Response(request.responseText, { status: request.status }));
      request.onerror = () => fail(new Refused(problem("server-unreachable", 0, "", path)));
      request.onabort = () => fail(new Refused(problem("client-fault", -1, "", path)));
      signal.addEventListener("abort", () => request.abort());
      request.send(file);
    });
  }

  private async call<A>(method: string, path: string, body?: Body, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<A> {
    let answer = await this.send(method, path, body, headers, signal);
    if (answer.status === 401 && (await this.credentials.renew())) answer = await this.send(method, path, body, headers, signal);
    return read<A>(answer);
  }

  private async plain<A>(method: string, path: string, body: Body): Promise<A> {
    return read<A>(await this.request(method, path, body, {}));
  }

  private send(method: string, path: string, body: Body, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
    const token = this.credentials.token();
    return this.request(method, path, body, token ? { ...headers, Authorization: `Bearer ${token}` } : headers, signal);
  }

  private async request(method: string, path: string, body: Body, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
    const init: RequestInit = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin", cache: "no-store" };
    if (signal) init.signal = signal;
    if (body && "json" in body) {
      init.body = JSON.stringify(body.json);
      init.headers = { ...init.headers, "Content-Type": "application/json" };
    } else if (body) {
      init.body = body.blob;
    }
    try {
      return await this.fetch(BASE + path, init);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Refused(problem("server-unreachable", 0, "", path));
    }
  }
}

async function read<A>(answer: Response): Promise<A> {
  const text = await answer.text().catch(() => "");
  if (answer.ok) return (text === "" ? undefined : JSON.parse(text)) as A;
  throw new Refused(asProblem(text, answer.status));
}

function asProblem(text: string, status: number): T.Problem {
  try {
    const found = JSON.parse(text) as Partial<T.Problem>;
    if (typeof found.code === "string" && typeof found.what === "string") return { where: "", fix: "", ...found, status } as T.Problem;
  } catch {
    // Not ours: a proxy's page, or nothing at all.
  }
  return problem(`http-${status}`, status, "", "");
}

/** A problem of our own; `what` and `fix` come from the catalogue by its code. */
export function problem(code: string, status: number, what: string, where: string): T.Problem {
  return { code, status, what, where, fix: "" };
}

/** Whatever was thrown, as a problem. */
export function problemOf(error: unknown): T.Problem {
  return error instanceof Refused ? error.problem : problem("client-fault", -1, error instanceof Error ? error.message : String(error), "");
}
