/**
 * Files between two people: sent through the server, told of by a message, fetched by whoever they are for.
 *
 * | upload    | event              | next      |
 * |-----------|--------------------|-----------|
 * | sending   | server has it      | gone; a message tells the other, and the card stands in the conversation |
 * | sending   | refused            | refused, with the server's words, until dismissed or tried again |
 * | sending   | taken back         | gone |
 *
 * The message only names the file: name, size and state that are shown come from the server, which knows whose it is.
 */
import { problem, problemOf, type Api } from "../api/api";
import type { FileItem, Problem } from "../api/types";
import { Store } from "./store";

export interface Upload {
  id: string;
  to: string;
  name: string;
  size: number;
  sent: number;
  file: File;
  problem?: Problem | undefined;
}

export interface FilesState {
  known: ReadonlyMap<string, FileItem>;
  /** Whether the server was asked: what is not known then is gone. */
  asked: boolean;
  uploads: readonly Upload[];
}

/** What the file transfer policy says, as far as a page can check it before a byte is sent. */
interface FilePolicy {
  enable_file_transfer?: boolean;
  enabled?: boolean;
  action?: string;
  extensions?: string[];
  max_file_mib?: number;
}

const MIB = 1024 * 1024;
/** Uploads of one drop; more are a mistake of the hand. */
export const MOST_AT_ONCE = 10;
const LONGEST_NAME_BYTES = 255;
const MARK = /\n?urn:lyceum:file:([0-9a-f]{32})\s*$/;

/** The file that a message tells of. */
export const fileOf = (text: string): string | undefined => MARK.exec(text)?.[1];
/** A message's text without what only a program reads. */
export const shownText = (text: string): string => text.replace(MARK, "");
/** What tells the other of a file; a telephone shows the first line. */
export const textOf = (file: FileItem, size: string): string => `${file.name} (${size})\nurn:lyceum:file:${file.id}`;

export class Files {
  readonly state = new Store<FilesState>({ known: new Map(), asked: false, uploads: [] });
  #ends = new Map<string, AbortController>();
  #next = 1;

  constructor(
    private readonly api: Api,
    private readonly policy: FilePolicy,
  ) {}

  /** Whether this person may send files at all. */
  allowed = (): boolean => this.policy.enable_file_transfer !== false && !(this.policy.enabled !== false && this.policy.action === "block_all");

  async load(): Promise<void> {
    try {
      const { items } = await this.api.files();
      this.state.set({ known: new Map(items.map((item) => [item.id, item])), asked: true });
    } catch {
      // The cards keep what they show; opening one says what is wrong.
    }
  }

  /** Uploads one after the other; `told` hears of each that the server has. */
  async send(to: string, files: readonly File[], told: (item: FileItem) => void): Promise<void> {
    const uploads = files.slice(0, MOST_AT_ONCE).map((file): Upload => ({ id: `upload-${this.#next++}`, to, name: nameOf(file), size: file.size, sent: 0, file, problem: this.#refusal(file) }));
    this.state.set((state) => ({ ...state, uploads: [...state.uploads, ...uploads] }));
    for (const upload of uploads) if (!upload.problem) await this.#upload(upload, told);
  }

  async again(id: string, told: (item: FileItem) => void): Promise<void> {
    const upload = this.state.get().uploads.find((one) => one.id === id);
    if (!upload) return;
    this.#change(id, { problem: undefined, sent: 0 });
    await this.#upload(upload, told);
  }

  /** Takes an upload back, or puts its refusal away. */
  drop(id: string): void {
    this.#ends.get(id)?.abort();
    this.state.set((state) => ({ ...state, uploads: state.uploads.filter((one) => one.id !== id) }));
  }

  /** The content, for the browser to keep. */
  async fetch(item: FileItem): Promise<Blob> {
    const blob = await this.api.file(item.id);
    await this.load();
    return blob;
  }

  /** Declines what one was sent, or takes back what one sent. */
  async decline(id: string): Promise<void> {
    this.#know(await this.api.declineFile(id));
  }

  stop(): void {
    for (const end of this.#ends.values()) end.abort();
  }

  async #upload(upload: Upload, told: (item: FileItem) => void): Promise<void> {
    const end = new AbortController();
    this.#ends.set(upload.id, end);
    try {
      const item = await this.api.sendFile(upload.to, upload.name, upload.file, (sent) => this.#change(upload.id, { sent }), end.signal);
      this.#know(item);
      this.drop(upload.id);
      told(item);
    } catch (error) {
      if (!end.signal.aborted) this.#change(upload.id, { problem: problemOf(error) });
    } finally {
      this.#ends.delete(upload.id);
    }
  }

  /** What the server would refuse anyhow, said before the upload, in the reader's language. */
  #refusal(file: File): Problem | undefined {
    const { enabled, extensions = [], max_file_mib } = this.policy;
    const name = nameOf(file).replace(/[.\s]+$/, "").toLowerCase();
    const ending = enabled === false ? undefined : extensions.find((one) => name.endsWith(one.toLowerCase()));
    if (!this.allowed()) return problem("file-not-allowed", 422, "", "");
    if (ending) return problem("file-kind", 422, ending, "");
    if (max_file_mib !== undefined && file.size > max_file_mib * MIB) return problem("file-too-large", 422, String(max_file_mib), "");
    if (file.size === 0) return problem("file-empty", 422, "", "");
    return undefined;
  }

  #know(item: FileItem): void {
    this.state.set((state) => ({ ...state, known: new Map(state.known).set(item.id, item) }));
  }

  #change(id: string, change: Partial<Upload>): void {
    this.state.set((state) => ({ ...state, uploads: state.uploads.map((one) => (one.id === id ? { ...one, ...change } : one)) }));
  }
}

/** A name that the server takes: no slash, 255 bytes, and something for what was pasted without one. */
function nameOf(file: File): string {
  let name = file.name.replace(/[\/\\\0]/g, "_") || "file";
  while (new TextEncoder().encode(name).length > LONGEST_NAME_BYTES) name = name.slice(1);
  return name;
}
