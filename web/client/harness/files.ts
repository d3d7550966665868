/** Files from one person to another, and one's own picture. */
import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import type { Page } from "playwright-core";
import { count, until, type Scene } from "./stage";

const ANNA = "anna@example.org";
const BEN = "ben@example.org";

const open = (page: Page, base: string, other: string) => page.goto(`${base}/client/#/chats/${encodeURIComponent(other)}`);
export const picked = (name: string, text: string | Buffer, mimeType = "text/plain") => ({ name, mimeType, buffer: Buffer.from(text) });
export const choose = (page: Page, ...files: ReturnType<typeof picked>[]) => page.locator('.composer input[type="file"]').setInputFiles(files);

/** What a person does with a mouse: a drop or a paste that brings one file. */
export const bring = (page: Page, selector: string, kind: "drop" | "paste", name: string, text: string) =>
  page.locator(selector).evaluate(
    (target, [kind, name, text]) => {
      const brought = new DataTransfer();
      brought.items.add(new File([text ?? ""], name ?? ""));
      const event = kind === "drop" ? new DragEvent("drop", { dataTransfer: brought, bubbles: true, cancelable: true }) : new ClipboardEvent("paste", { clipboardData: brought, bubbles: true, cancelable: true });
      if (kind === "drop") {
        target.dispatchEvent(new DragEvent("dragenter", { dataTransfer: brought, bubbles: true }));
        target.dispatchEvent(new DragEvent("dragover", { dataTransfer: brought, bubbles: true, cancelable: true }));
      }
      target.dispatchEvent(event);
    },
    [kind, name, text] as const,
  );

/** Saves the file of a card as the browser does, and reads what came. */
export async function saved(page: Page, name: string): Promise<{ name: string; text: string }> {
  const download = page.waitForEvent("download");
  await page.locator(".file-card", { hasText: name }).getByRole("button", { name: "Save" }).click();
  const done = await download;
  return { name: done.suggestedFilename(), text: readFileSync(await done.path(), "utf8") };
}

/** A PNG of one colour at the left and another at the right. */
export function png(width: number, height: number): Buffer {
  const row = Buffer.concat([Buffer.from([0]), ...Array.from({ length: width }, (_, x) => Buffer.from(x < width / 2 ? [200, 30, 30] : [30, 30, 200]))]);
  const crcs = Array.from({ length: 256 }, (_, n) => Array.from({ length: 8 }).reduce<number>((c) => (c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1), n));
  const chunk = (kind: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const crc = (body.reduce((c, byte) => (crcs[(c ^ byte) & 255] ?? 0) ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc);
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", deflateSync(Buffer.concat(Array.from({ length: height }, () => row)))), chunk("IEND", Buffer.alloc(0))]);
}

export const files: Scene[] = [
  {
    name: "a file is chosen, dropped and pasted; the other saves one and declines one; both see what became of it",
    async play(stage) {
      const [anna, ben] = [await stage.signIn("anna"), await stage.signIn("ben")];
      await open(anna, stage.base, BEN);
      await choose(anna, picked("plan.txt", "the plan"));
      await anna.locator(".file-card", { hasText: "plan.txt" }).waitFor();
      await bring(anna, ".conversation", "drop", "dropped.txt", "from the desktop");
      await anna.locator(".file-card", { hasText: "dropped.txt" }).waitFor();
      await bring(anna, ".composer textarea", "paste", "pasted.txt", "from the clipboard");
      await count(anna, ".file-card[data-state=offered]", 3, "all three wait");
      await ben.locator(".list-row", { hasText: "pasted.txt" }).waitFor();
      if ((await ben.locator(".list-row", { hasText: "urn:" }).count()) > 0) throw new Error("the list shows what only a program reads");
      await open(ben, stage.base, ANNA);
      await stage.views(ben, "files");
      const found = await saved(ben, "plan.txt");
      if (found.name !== "plan.txt" || found.text !== "the plan") throw new Error(JSON.stringify(found));
      await ben.locator('.file-card[data-state="fetched"]').waitFor();
      await ben.locator(".file-card", { hasText: "pasted.txt" }).getByRole("button", { name: "Decline" }).click();
      await ben.locator('.file-card[data-state="declined"]').waitFor();
      await anna.locator(".file-card", { hasText: "dropped.txt" }).getByRole("button", { name: "Take back" }).click();
      await anna.locator('.file-card[data-state="withdrawn"]').waitFor();
      await anna.reload();
      for (const state of ["fetched", "declined", "withdrawn"]) await anna.locator(`.file-card[data-state="${state}"]`).waitFor();
      await stage.picture(anna, "files-sent");
    },
  },
  {
    name: "what cannot be sent says why: kind, size, virus, server away; and can be tried again or put away",
    async play(stage) {
      const anna = await stage.signIn("anna");
      await open(anna, stage.base, BEN);
      await choose(anna, picked("setup.exe", "MZ"), picked("film.bin", Buffer.alloc(1_100_000)), picked("empty.txt", ""), picked("bad.txt", "EICAR"));
      for (const text of ["Files of this kind cannot be sent", "larger than your policy allows", "This file is empty", "The virus scanner stopped this file"]) await anna.locator(".upload", { hasText: text }).waitFor();
      await stage.views(anna, "files-refused");
      if ([...stage.fake.world.files].length > 0) throw new Error("one arrived");
      for (const name of ["setup.exe", "film.bin", "empty.txt", "bad.txt"]) await anna.getByRole("button", { name: `Put ${name} away` }).click();
      await count(anna, ".upload", 0, "put away");
      stage.fake.refuse.set("/files", { status: 503, code: "file-not-scanned", what: "the virus scanner failed", where: "", fix: "" });
      await choose(anna, picked("late.txt", "later"));
      await anna.locator(".upload", { hasText: "could not be checked for viruses" }).waitFor();
      stage.fake.refuse.delete("/files");
      await anna.locator(".upload").getByRole("button", { name: "Try again" }).click();
      await anna.locator(".file-card", { hasText: "late.txt" }).waitFor();
      await count(anna, ".upload", 0, "nothing left");
    },
  },
  {
    name: "in German too; in a conversation of several there is no button",
    async play(stage) {
      const anna = await stage.signIn("anna", { locale: "de-DE" });
      await open(anna, stage.base, BEN);
      await anna.getByRole("button", { name: "Datei senden" }).waitFor();
      await choose(anna, picked("setup.exe", "MZ"));
      await anna.getByText("Dateien dieser Art können nicht gesendet werden.").waitFor();
      const talk = stage.fake.world.talk([ANNA, BEN, "clara@example.org"], "Quarter end", true);
      await anna.reload();
      await anna.goto(`${stage.base}/client/#/chats/${talk.id}`);
      await anna.getByRole("heading", { name: "Quarter end" }).waitFor();
      await count(anna, '.composer input[type="file"]', 0, "no button");
    },
  },
  {
    name: "one's own picture: cut, small enough, seen by oneself and by others, removed",
    async play(stage) {
      const anna = await stage.signIn("anna");
      await anna.goto(`${stage.base}/client/#/settings`);
      await anna.locator('section:has-text("Your picture") input[type="file"]').setInputFiles(picked("me.png", png(900, 600), "image/png"));
      await anna.getByRole("dialog").getByLabel("Larger").fill("2");
      await anna.getByRole("dialog").getByLabel("Left to right").fill("1");
      await stage.views(anna, "photo");
      await anna.getByRole("button", { name: "Save" }).click();
      await anna.locator(".page-text .avatar img").waitFor();
      await anna.locator(".own .avatar img").waitFor();
      const made = stage.fake.world.photos.get(ANNA);
      if (!made || made.length > 30 * 1024 || made[0] !== 0xff || made[1] !== 0xd8) throw new Error(`a picture of ${made?.length} bytes`);
      const ben = await stage.signIn("ben");
      await ben.goto(`${stage.base}/client/#/people/${encodeURIComponent(ANNA)}`);
      await ben.locator(".card-head .avatar img").waitFor();
      await anna.locator('section:has-text("Your picture") input[type="file"]').setInputFiles(picked("no.png", "no picture", "image/png"));
      await anna.getByText("This file is no picture that can be shown.").waitFor();
      await anna.getByRole("button", { name: "Remove picture" }).click();
      await until(() => !stage.fake.world.photos.has(ANNA), "removed");
      await count(anna, ".avatar img", 0, "initials again");
    },
  },
  {
    name: "a calendar: read from an address, told when it fails, a file instead, forgotten",
    async play(stage) {
      const anna = await stage.signIn("anna");
      await anna.goto(`${stage.base}/client/#/settings`);
      const section = anna.getByRole("region", { name: "Calendar" });
      await section.getByLabel("Address of your calendar").fill("https://cal.example/secret.ics");
      await section.getByRole("button", { name: "Read this calendar" }).click();
      await section.getByText("From cal.example, read this minute.").waitFor();
      if ((await anna.content()).includes("secret.ics")) throw new Error("the address is still on the page");
      await section.getByLabel("Address of your calendar").fill("https://cal.example/nothing.ics");
      await section.getByRole("button", { name: "Read this calendar" }).click();
      await section.getByText("there is no calendar at this address (404): share it anew").waitFor();
      await section.scrollIntoViewIfNeeded();
      await stage.views(anna, "calendar");
      await section.locator('input[type="file"]').setInputFiles(picked("mine.ics", "BEGIN:VCALENDAR", "text/calendar"));
      await section.getByText("From a file.").waitFor();
      await section.getByRole("button", { name: "Forget calendar" }).click();
      await section.getByRole("button", { name: "Forget calendar" }).waitFor({ state: "detached" });
    },
  },
];
