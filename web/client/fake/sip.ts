/** As much SIP as the fake server speaks: messages in, messages out, nothing checked twice. */

export interface Message {
  first: string;
  headers: [name: string, value: string][];
  body: string;
}

export function read(text: string): Message {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  return { first, headers, body: text.slice(end + 4) };
}

export function write({ first, headers, body }: Message): string {
  const kept = headers.filter(([name]) => name.toLowerCase() !== "content-length");
  const lines = [...kept, ["Content-Length", String(Buffer.byteLength(body))]].map(([name, value]) => `${name}: ${value}`);
  return `${first}\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
}

export const header = (message: Message, name: string): string | undefined =>
  message.headers.find(([found]) => found.toLowerCase() === name.toLowerCase())?.[1];

export const all = (message: Message, name: string): [string, string][] => message.headers.filter(([found]) => found.toLowerCase() === name.toLowerCase());

/** `"Anna" <sip:anna@example.org;x>;tag=1` to `anna@example.org`. */
export const address = (value: string): string => (/sips?:([^;>?\s]+)/.exec(value)?.[1] ?? "").toLowerCase();

export function response(request: Message, status: number, reason: string, more: [string, string][] = [], tag = "fake"): Message {
  const copied = request.headers
    .filter(([name]) => ["via", "from", "to", "call-id", "cseq"].includes(name.toLowerCase()))
    .map(([name, value]): [string, string] => [name, name.toLowerCase() === "to" && !/;tag=/.test(value) ? `${value};tag=${tag}` : value]);
  return { first: `SIP/2.0 ${status} ${reason}`, headers: [...copied, ...more], body: "" };
}
