/** The fake's SIP side: registrations with a bearer token, presence lists, messages to every device, stored until then. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { writeNotice } from "../src/sip/notices";
import { address, all, header, read, response, write, type Message } from "./sip";
import type { World, Written } from "./world";

interface Flow {
  socket: WebSocket;
  address: string;
  contact: string;
  device: string;
}

interface Subscription {
  flow: Flow;
  of: string;
  list: boolean;
  dialog: { callId: string; local: string; remote: string; target: string };
  cseq: number;
  version: number;
}

export class Registrar {
  readonly flows = new Set<Flow>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "sip" });
  /** Deliver each message this often: a client must show it once. */
  repeat = 1;
  /** Messages that may not pass: answered 403. */
  forbid: ((text: string) => boolean) | undefined;

  constructor(
    private readonly world: World,
    private readonly tokens: Map<string, { address: string }>,
  ) {}

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.on("message", (data) => this.#heard(ws, read(String(data))));
      ws.on("close", () => this.#gone(ws));
    });
  }

  cut(): void {
    for (const ws of this.#sockets.clients) ws.terminate();
  }

  /** Somebody's state is another: all who watch are told. */
  changed(of: string): void {
    for (const s of this.#subscriptions) {
      if (s.list ? this.#listed(s.of).includes(of) : s.of === of) this.#notify(s, s.list ? [of] : undefined);
    }
  }

  listChanged(of: string): void {
    for (const s of this.#subscriptions) if (s.list && s.of === of) this.#notify(s);
  }

  /** A person without a browser writes, as from a telephone. */
  say(from: string, to: string, text: string, message_id: string = randomUUID()): Written {
    const written = this.world.write(this.world.talk([from, to]), from, text, message_id, [["Disposition-Notification", "positive-delivery, display"]]);
    this.#deliver(written, to);
    return written;
  }

  notice(from: string, to: string, message_id: string, kind: "delivered" | "read"): void {
    this.world.mark(from, message_id, kind);
    this.#to(to, from, "message/imdn+xml", writeNotice(kind, message_id, new Date()), []);
  }

  type(from: string, to: string, body: string): void {
    this.#to(to, from, "application/im-iscomposing+xml", body, []);
  }

  #heard(ws: WebSocket, message: Message): void {
    if (message.first.startsWith("SIP/2.0")) return;
    const method = message.first.split(" ")[0] ?? "";
    const token = (header(message, "Authorization") ?? "").replace(/^Bearer /, "");
    const who = this.tokens.get(token)?.address;
    if (!who || who !== address(header(message, "From") ?? "")) {
      ws.send(write(response(message, 401, "Unauthorized", [["WWW-Authenticate", 'Bearer scope="sip"']])));
      return;
    }
    if (method === "REGISTER") this.#register(ws, message, who);
    else if (method === "SUBSCRIBE") this.#subscribe(ws, message, who);
    else if (method === "MESSAGE") this.#message(ws, message, who);
    else ws.send(write(response(message, 501, "Not Implemented")));
  }

  #register(ws: WebSocket, message: Message, who: string): void {
    const contact = header(message, "Contact") ?? "";
    const device = /\+sip\.instance="?<?([^>"]+)/.exec(contact)?.[1] ?? "";
    const gone = header(message, "Expires") === "0";
    for (const flow of this.flows) if (flow.socket === ws || (flow.address === who && flow.device === device)) this.flows.delete(flow);
    const flow: Flow = { socket: ws, address: who, contact: /<([^>]+)>/.exec(contact)?.[1] ?? "", device };
    const { devices } = this.world.account(who);
    if (gone) devices.delete(device);
    else {
      this.flows.add(flow);
      devices.set(device, Date.now());
    }
    ws.send(write(response(message, 200, "OK", gone ? [] : [["Contact", `${contact.replace(/;expires=\d+/, "")};expires=600`]])));
    this.changed(who);
    if (!gone) this.#waiting(flow);
  }

  #gone(ws: WebSocket): void {
    for (const flow of this.flows) {
      if (flow.socket !== ws) continue;
      this.flows.delete(flow);
      this.world.account(flow.address).devices.delete(flow.device);
      for (const s of this.#subscriptions) if (s.flow === flow) this.#subscriptions.delete(s);
      this.changed(flow.address);
    }
  }

  #subscribe(ws: WebSocket, message: Message, who: string): void {
    const flow = [...this.flows].find((f) => f.socket === ws);
    const uri = message.first.split(" ")[1] ?? "";
    const callId = header(message, "Call-ID") ?? "";
    if (!flow) return ws.send(write(response(message, 403, "Forbidden")));
    const known = [...this.#subscriptions].find((s) => s.dialog.callId === callId);
    // A dialog of before a restart is one we do not know.
    if (/;tag=/.test(header(message, "To") ?? "") && !known) return ws.send(write(response(message, 481, "Subscription Does Not Exist")));
    const tag = known?.dialog.local.split("tag=")[1] ?? randomUUID();
    const expires = header(message, "Expires") ?? "900";
    ws.send(write(response(message, 200, "OK", [["Expires", expires], ["Contact", "<sip:fake@127.0.0.1;transport=ws>"]], tag)));
    if (expires === "0") return void (known && this.#subscriptions.delete(known));
    const subscription: Subscription = known ?? {
      flow,
      of: address(uri),
      list: /list=contacts/.test(uri),
      dialog: { callId, local: `${header(message, "To") ?? ""};tag=${tag}`, remote: header(message, "From") ?? "", target: flow.contact },
      cseq: 1,
      version: -1,
    };
    this.#subscriptions.add(subscription);
    if (subscription.list && subscription.of !== who) return;
    this.#notify(subscription);
  }

  #notify(s: Subscription, only?: string[]): void {
    const headers: [string, string][] = [["Event", "presence"], ["Subscription-State", "active;expires=1800"]];
    if (!s.list) {
      this.#send(s, [...headers, ["Content-Type", "application/pidf+xml"]], this.#pidf(s.of, s.flow.address));
      return;
    }
    s.version++;
    const people = only ?? this.#listed(s.of);
    const rows = people.map((p, n) => `<resource uri="sip:${p}"><instance id="1" state="active" cid="${n}.b@lists.invalid"/></resource>`);
    const rlmi = `<?xml version="1.0"?>\n<list xmlns="urn:ietf:params:xml:ns:rlmi" uri="sip:${s.of};list=contacts" version="${s.version}" fullState="${only ? "false" : "true"}">${rows.join("")}</list>`;
    const part = (id: string, type: string, body: string) => `--b\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${id}.b@lists.invalid>\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`;
    const body = part("list", "application/rlmi+xml", rlmi) + people.map((p, n) => part(String(n), "application/pidf+xml", this.#pidf(p, s.flow.address))).join("") + "--b--\r\n";
    this.#send(s, [...headers, ["Require", "eventlist"], ["Content-Type", 'multipart/related;type="application/rlmi+xml";start="<list.b@lists.invalid>";boundary="b"']], body);
  }

  #listed = (of: string): string[] => this.world.account(of).contacts.contacts.map((c) => c.address).filter((a) => this.world.accounts.has(a));

  #send(s: Subscription, headers: [string, string][], body: string): void {
    this.#request(s.flow, "NOTIFY", s.dialog.local, s.dialog.remote, s.dialog.callId, s.cseq++, headers, body);
  }

  #pidf(of: string, watcher: string): string {
    const { availability, activity, note, out_of_office, last_active } = this.world.view(of, watcher);
    const { person } = this.world.account(of);
    const attribute = (name: string, value: string | null | undefined) => (value ? ` ${name}="${value.replace(/[&<"]/g, (c) => `&#${c.charCodeAt(0)};`)}"` : "");
    return `<?xml version="1.0" encoding="UTF-8"?>\n<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:p="urn:lyceum:presence" entity="sip:${of}"><tuple id="t"><status><basic>${availability < 18000 ? "open" : "closed"}</basic></status></tuple><dm:person id="p"><p:state availability="${availability}" activity="${activity}"${attribute("last-active", last_active)}${attribute("note", note)}${attribute("out-of-office", out_of_office)}></p:state><p:card${attribute("name", person.display_name)}${attribute("mail", person.mail)}${attribute("title", person.title)}>${(person.numbers ?? []).map((n) => `<p:number kind="work" number="${n}"/>`).join("")}</p:card></dm:person></presence>\n`;
  }

  #message(ws: WebSocket, message: Message, who: string): void {
    const type = header(message, "Content-Type") ?? "text/plain";
    const target = address(message.first);
    const talk = [...this.world.talks.values()].find((t) => t.uri && address(t.uri) === target);
    if (this.forbid?.(message.body)) return ws.send(write(response(message, 403, "The message filter refuses this link")));
    const recipients = talk ? talk.members.filter((m) => m !== who) : [target];
    if (recipients.some((r) => !this.world.accounts.has(r))) return ws.send(write(response(message, 404, "Not Found")));
    ws.send(write(response(message, 200, "OK")));
    const passed = [...all(message, "Disposition-Notification"), ...all(message, "Conversation-ID")];
    if (!type.startsWith("text/")) {
      const about = /<message-id>([^<]+)</.exec(message.body)?.[1];
      if (about) this.world.mark(who, about, message.body.includes("<displayed") ? "read" : "delivered");
      for (const to of recipients) if (!this.#blocks(to, who)) this.#to(to, who, type, message.body, passed);
      return;
    }
    const written = this.world.write(talk ?? this.world.talk([who, target]), who, message.body, header(message, "Message-ID") ?? randomUUID(), passed, type);
    for (const to of recipients) if (!this.#blocks(to, who)) this.#deliver(written, to);
  }

  #blocks = (person: string, other: string): boolean => this.world.account(person).contacts.relationships.some((r) => r.who === other && r.relationship === "blocked");

  #deliver(written: Written, to: string): void {
    const talk = this.world.talks.get(written.conversation);
    const headers: [string, string][] = [...written.headers.filter(([name]) => name !== "Conversation-ID"), ["Message-ID", written.message_id], ["Date", new Date(written.at).toUTCString()]];
    if (talk?.uri) headers.push(["Conversation-ID", talk.id], ["Conversation-Members", talk.members.join(",")]);
    for (let turn = 0; turn < this.repeat; turn++) this.#to(to, written.from, written.contentType, written.text, headers);
  }

  #waiting(flow: Flow): void {
    for (const written of this.world.written) {
      if (written.to.some((p) => p.address === flow.address && !p.delivered) && !this.#blocks(flow.address, written.from)) this.#deliver(written, flow.address);
    }
  }

  #to(to: string, from: string, type: string, body: string, headers: [string, string][]): void {
    const name = this.world.account(from).person.display_name ?? "";
    for (const flow of this.flows) {
      if (flow.address !== to) continue;
      this.#request(flow, "MESSAGE", `"${name}" <sip:${from}>;tag=${randomUUID()}`, `<sip:${to}>`, randomUUID(), 1, [...headers, ["Content-Type", type]], body);
    }
  }

  #request(flow: Flow, method: string, from: string, to: string, callId: string, cseq: number, headers: [string, string][], body: string): void {
    if (flow.socket.readyState !== flow.socket.OPEN) return;
    const fixed: [string, string][] = [["Via", `SIP/2.0/WS fake.invalid;branch=z9hG4bK${randomUUID()}`], ["Max-Forwards", "70"], ["From", from], ["To", to], ["Call-ID", callId], ["CSeq", `${cseq} ${method}`], ["Contact", "<sip:fake@127.0.0.1;transport=ws>"]];
    flow.socket.send(write({ first: `${method} ${flow.contact} SIP/2.0`, headers: [...fixed, ...headers], body }));
  }
}

