/**
 * A server for tests and for work on the page: the client API and SIP over WebSocket in one process, all in memory.
 *
 * It can be told to misbehave: [`refuse`] answers a path with a problem, [`delay`] makes everything slow, [`cut`] ends
 * all sockets and takes no new ones, [`restart`] forgets tokens and registrations as a restarted server may.
 */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import type { AddressInfo } from "node:net";
import type * as T from "../src/api/types";
import { Registrar } from "./registrar";
import { DOMAIN, World, type Account } from "./world";

interface Grant {
  address: string;
  device: string;
}

const TYPES: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };

export class Fake {
  readonly world = new World();
  readonly tokens = new Map<string, Grant>();
  readonly cookies = new Map<string, Grant>();
  readonly registrar: Registrar;
  /** Paths (of the client API) that are answered with a problem. */
  readonly refuse = new Map<string, T.Problem>();
  delay = 0;
  expires_in = 600;
  /** What was asked, for tests: `GET /contacts`. */
  readonly asked: string[] = [];
  #http: Server;
  #down = false;

  constructor(private readonly dist: string) {
    this.#http = createServer((request, response) => void this.#answer(request, response).catch(() => response.destroy()));
    this.registrar = new Registrar(this.world, this.tokens);
    this.#http.on("upgrade", (request, socket, head) => (this.#down ? socket.destroy() : this.registrar.upgrade(request, socket, head)));
  }

  listen(port = 0): Promise<string> {
    return new Promise((done) => this.#http.listen(port, "127.0.0.1", () => done(`http://localhost:${(this.#http.address() as AddressInfo).port}`)));
  }

  close(): void {
    this.registrar.cut();
    this.#http.closeAllConnections();
    this.#http.close();
  }

  cut(): void {
    this.#down = true;
    this.registrar.cut();
    this.#http.closeAllConnections();
  }

  restart(): void {
    this.tokens.clear();
    this.#down = false;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#down) return void request.socket.destroy();
    const url = new URL(request.url ?? "/", "http://localhost");
    if (!url.pathname.startsWith("/api/v1/client")) return this.#file(url.pathname, response);
    const path = url.pathname.slice("/api/v1/client".length);
    if (this.delay > 0) await new Promise((wake) => setTimeout(wake, this.delay));
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const method = request.method ?? "GET";
    const json = (request.headers["content-type"] ?? "").startsWith("application/json");
    const body: unknown = json && raw.length > 0 ? JSON.parse(raw.toString()) : undefined;
    this.asked.push(`${method} ${path}`);
    const refusal = this.refuse.get(path);
    if (refusal) return problem(response, refusal);
    if (path === "/session" || path === "/session/refresh") return this.#session(method, path, body, request, response);
    const grant = this.tokens.get((request.headers.authorization ?? "").replace("Bearer ", ""));
    if (!grant) return problem(response, refused(401, "client-session-over", "Sign in first.", "Sign in again."));
    const account = this.world.account(grant.address);
    if (/^\/(files|photos?)(\/|$)/.test(path)) return this.#content(method, path, url.searchParams, raw, grant.address, response);
    const answer = this.#route(method, path, url.searchParams, body, account);
    if (answer === undefined) return problem(response, refused(404, "route-not-found", `there is no ${method} ${path}`, ""));
    send(response, answer.status ?? 200, answer.body);
  }

  #session(method: string, path: string, body: unknown, request: IncomingMessage, response: ServerResponse): void {
    const cookie = /lyceum_client=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
    if (method === "DELETE") {
      this.cookies.delete(cookie);
      response.setHeader("Set-Cookie", "lyceum_client=; Max-Age=0; Path=/api/v1/client/session");
      return send(response, 204, undefined);
    }
    const { address, password, device } = body as { address?: string; password?: string; device: string };
    let grant = this.cookies.get(cookie);
    if (path === "/session") {
      const account = this.world.accounts.get(address ?? "");
      if (account?.password !== password) return problem(response, refused(401, "client-sign-in-refused", "Address or password is wrong.", "Check both; after five tries wait a minute."));
      grant = { address: address ?? "", device };
      const fresh = randomUUID();
      this.cookies.set(fresh, grant);
      response.setHeader("Set-Cookie", `lyceum_client=${fresh}; HttpOnly; SameSite=Strict; Path=/api/v1/client/session`);
    }
    if (!grant || grant.device !== device) return problem(response, refused(401, "client-session-over", "Your session is over.", "Sign in again."));
    const token = randomUUID();
    this.tokens.set(token, grant);
    const { person } = this.world.account(grant.address);
    const answer: T.SessionBody = {
      token,
      expires_in: this.expires_in,
      user: person,
      sip: { ws: [`ws://${request.headers.host}/ws`], domain: DOMAIN, realm: DOMAIN },
      policies: { message: { max_body_kib: 128 }, file_transfer: { enable_file_transfer: true, enabled: true, action: "block", extensions: [".exe"], max_file_mib: 1, max_photo_kib: 30 } },
      server: { name: "fake.example.org", version: "0.1.0" },
    };
    send(response, 201, answer);
  }

  #route(method: string, path: string, query: URLSearchParams, body: unknown, me: Account): { status?: number; body?: unknown } | undefined {
    const address = me.person.address;
    const [, area, one, what] = path.split("/").map(decodeURIComponent);
    const changed = () => this.registrar.changed(address);
    switch (`${method} /${area}`) {
      case "GET /presence":
        if (!query.has("of")) return { body: me.own };
        return { body: { items: (query.get("of") ?? "").split(",").filter((of) => this.world.accounts.has(of)).map((of) => this.world.view(of, address)) } };
      case "PUT /presence":
        if (one === "activity") return { status: 204 };
        me.own = body as T.OwnPresence;
        changed();
        return { body: me.own };
      case "GET /contacts":
        return { body: me.contacts };
      case "PUT /contacts":
        return { body: this.#list(me, body as T.ContactList) };
      case "POST /contacts":
        return { status: 201, body: this.#list(me, { ...me.contacts, contacts: [...me.contacts.contacts, body as T.ContactEntry] }) };
      case "DELETE /contacts":
        return { body: this.#list(me, { ...me.contacts, contacts: me.contacts.contacts.filter((c) => c.address !== what) }) };
      case "PUT /relationships": {
        const rule = { who: one ?? "", relationship: (body as { relationship: T.Relationship }).relationship };
        const list = this.#list(me, { ...me.contacts, relationships: [...me.contacts.relationships.filter((r) => r.who !== one), rule], pending_watchers: (me.contacts.pending_watchers ?? []).filter((w) => w !== one) });
        changed();
        return { body: list };
      }
      case "GET /search":
        return { body: this.world.search(query.get("q") ?? "") };
      case "GET /groups": {
        const group = this.world.groups.find((g) => g.address === one);
        return group && { body: { ...group, people: (group.members ?? []).map((m) => this.world.account(m).person) } };
      }
      case "GET /provisioning":
        return { body: {} };
      case "GET /calls":
        return { body: { items: this.world.calls.get(address) ?? [] } satisfies T.CallPage };
      case "GET /calendar":
      case "PUT /calendar":
      case "DELETE /calendar": {
        const none: T.CalendarStatus = { source: "none", state: "none", busy: 0, not_understood: 0 };
        const { address: feed } = (body ?? {}) as { address?: string };
        if (method === "DELETE") this.world.calendars.delete(address);
        if (method === "PUT") {
          const failed = feed?.includes("nothing");
          const how = failed ? { state: "failed" as const, what: "there is no calendar at this address (404): share it anew" } : { state: "ok" as const, last_read: new Date().toISOString() };
          this.world.calendars.set(address, one === "file" ? { ...none, source: "file", state: "ok", busy: 1 } : { ...none, ...how, source: "address", host: new URL(feed ?? "").host, busy: 3, next_read: new Date(Date.now() + 900_000).toISOString() });
        }
        return { body: this.world.calendars.get(address) ?? none };
      }
      case "GET /conversations":
        return { body: one ? this.world.history(address, one, query.get("before") ?? undefined, Number(query.get("limit") ?? 50)) : { items: this.world.summaries(address) } };
      case "POST /conversations": {
        if (what === "read") {
          for (const written of this.world.written) if (written.conversation === one) this.world.mark(address, written.message_id, "read");
          return { status: 204 };
        }
        const { with: others, subject } = body as { with: string[]; subject?: string };
        const talk = this.world.talk([address, ...others], subject ?? null, true);
        return { status: 201, body: this.world.summaries(address).find((s) => s.id === talk.id) };
      }
      default:
        return undefined;
    }
  }

  /** Files and pictures: the bodies that are no JSON. */
  #content(method: string, path: string, query: URLSearchParams, raw: Buffer, me: string, response: ServerResponse): void {
    const { files, photos } = this.world;
    const [, area, one] = path.split("/").map(decodeURIComponent);
    const file = files.get(one ?? "");
    const mine = file && [file.item.from, file.item.to].includes(me) ? file : undefined;
    const bytes = (content: Buffer | undefined) => (content ? (response.setHeader("Content-Type", "application/octet-stream"), response.end(content)) : send(response, 204, undefined));
    switch (`${method} ${area}`) {
      case "GET photos":
        return void bytes(photos.get(one ?? ""));
      case "PUT photo":
        photos.set(me, raw);
        return send(response, 204, undefined);
      case "DELETE photo":
        photos.delete(me);
        return send(response, 204, undefined);
      case "POST files": {
        const name = query.get("name") ?? "";
        if (raw.includes("EICAR")) return problem(response, refused(422, "file-infected", "the virus scanner stopped this file", ""));
        const item: T.FileItem = { id: randomUUID().replace(/-/g, ""), from: me, to: query.get("to") ?? "", name, size: raw.length, content_type: "application/octet-stream", state: "offered", expires: new Date(Date.now() + 15 * 86_400_000).toISOString() };
        files.set(item.id, { item, content: raw });
        return send(response, 201, item);
      }
    }
    if (method === "GET" && !one) return send(response, 200, { items: [...files.values()].map((f) => f.item).filter((f) => [f.from, f.to].includes(me)) });
    if (!mine || !["offered", "fetched"].includes(mine.item.state)) return problem(response, refused(404, "file-not-found", "there is no such file", ""));
    if (method === "DELETE") {
      mine.item.state = mine.item.from === me ? "withdrawn" : "declined";
      return send(response, 200, mine.item);
    }
    if (mine.item.to === me) mine.item.state = "fetched";
    return void bytes(mine.content);
  }

  #list(me: Account, list: T.ContactList): T.ContactList {
    me.contacts = { ...list, version: me.contacts.version + 1 };
    this.registrar.listChanged(me.person.address);
    return me.contacts;
  }

  async #file(path: string, response: ServerResponse): Promise<void> {
    const name = path === "/client/" ? "index.html" : normalize(path.replace("/client/", ""));
    try {
      const data = await readFile(join(this.dist, name));
      // The policy that the server itself sends; what it forbids must not work here either.
      response.setHeader("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self' ws://localhost:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lyceum");
      response.setHeader("Content-Type", TYPES[extname(name)] ?? "application/octet-stream");
      response.end(data);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  }
}

export const refused = (status: number, code: string, what: string, fix: string): T.Problem => ({ status, code, what, where: "", fix });

function problem(response: ServerResponse, found: T.Problem): void {
  response.setHeader("Content-Type", "application/problem+json");
  response.statusCode = found.status;
  response.end(JSON.stringify(found));
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
