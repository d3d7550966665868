import { Files, fileOf, shownText, textOf } from "../src/core/files";
import { dragged, smallest, squareOf } from "../src/core/photo-edit";
import type { Api } from "../src/api/api";
import type { FileItem } from "../src/api/types";
import { equal, test } from "./kit";

const ID = "0123456789abcdef0123456789abcdef";
const item = (id: string, name = "a.txt"): FileItem => ({ id, from: "a@x", to: "b@x", name, size: 3, content_type: "text/plain", state: "offered", expires: "2026-01-01T00:00:00Z" });

test("a message names its file at its end, and nowhere else", () => {
  const text = textOf(item(ID), "3 byte");
  equal([fileOf(text), shownText(text)], [ID, "a.txt (3 byte)"]);
  equal(["hello", `urn:lyceum:file:${ID} is what he wrote`, "urn:lyceum:file:12"].map(fileOf), [undefined, undefined, undefined]);
});

test("what policy forbids does not leave the page; the rest is told of, in order", async () => {
  const sent: string[] = [];
  const api = { sendFile: async (_to: string, name: string) => (sent.push(name), item(ID, name)) } as unknown as Api;
  const files = new Files(api, { extensions: [".exe"], max_file_mib: 1 });
  const told: string[] = [];
  const given = [new Blob(["1"]), new Blob([new Uint8Array(1024 * 1024 + 1)]), new Blob([]), new Blob(["2"]), new Blob(["3"])];
  const named = ["run.EXE. ", "large", "empty", "a/b", "c"].map((name, n) => Object.assign(given[n] as Blob, { name }) as unknown as File);
  await files.send("b@x", named, ({ name }) => told.push(name));
  equal([sent, told], [["a_b", "c"], ["a_b", "c"]]);
  equal(files.state.get().uploads.map((upload) => upload.problem?.code), ["file-kind", "file-too-large", "file-empty"]);
});

test("an upload taken back is no refusal", async () => {
  const api = { sendFile: (_to: string, _name: string, _file: Blob, _progress: unknown, signal: AbortSignal) => new Promise((_, fail) => signal.addEventListener("abort", () => fail(new Error("aborted")))) } as unknown as Api;
  const files = new Files(api, {});
  const sending = files.send("b@x", [Object.assign(new Blob(["1"]), { name: "a" }) as unknown as File], () => undefined);
  files.drop(files.state.get().uploads[0]?.id ?? "");
  await sending;
  equal(files.state.get().uploads, []);
});

test("the square of a picture stays inside of it", () => {
  equal(squareOf(900, 600, { zoom: 1, x: 0.5, y: 0.5 }), { left: 150, top: 0, side: 600 });
  equal(squareOf(900, 600, { zoom: 2, x: 1, y: 0 }), { left: 600, top: 0, side: 300 });
  equal(squareOf(900, 600, { zoom: 9, x: 7, y: -7 }), { left: 750, top: 0, side: 150 });
  equal(dragged(900, 600, { zoom: 1, x: 0.5, y: 0.5 }, 1, 1), { zoom: 1, x: 0, y: 0.5 });
});

test("a picture gets smaller until the policy takes it, or is refused", async () => {
  const tried: number[] = [];
  const draw = async (side: number, quality: number) => (tried.push(side), new Blob([new Uint8Array(side * 100 * quality)]));
  equal((await smallest(24_000, draw))?.size, 22_000);
  equal(tried, [400, 400, 400, 400, 320, 320, 320].slice(0, tried.length));
  equal(await smallest(10, draw), undefined);
});
