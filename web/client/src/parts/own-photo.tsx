/** One's own picture: choose, cut, keep, remove. */
import { useEffect, useRef, useState, type PointerEvent } from "react";
import { announce } from "@shared/announce";
import { Button } from "@shared/button";
import { Dialog } from "@shared/dialog";
import { ProblemBox } from "@shared/states";
import { useWords } from "@shared/text";
import { problem as fault } from "../api/api";
import { Refused } from "../api/api";
import { useAttempt, useClient, useFault } from "../core/context";
import { dragged, exported, MOST_ZOOM, squareOf, WHOLE, type Cut } from "../core/photo-edit";
import { photoOf, renew } from "../core/photos";
import { Face } from "./face";

/** Lync's bound, unless the policy says another. */
const USUAL_KIB = 30;
/** What no camera makes; decoding more could take the page down. */
const MOST_BYTES = 40 * 1024 * 1024;
const SHOWN_PX = 240;

export function OwnPhoto() {
  const { t } = useWords();
  const client = useClient();
  const words = useFault();
  const { attempt, problem, busy, dismiss } = useAttempt();
  const [image, setImage] = useState<ImageBitmap>();
  const [has, setHas] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    void photoOf(client.session.api, client.address).then((url) => setHas(url !== undefined));
  }, [client, image]);
  const choose = (file: File) =>
    attempt(async () => {
      const made = file.size <= MOST_BYTES ? await createImageBitmap(file).catch(() => undefined) : undefined;
      if (!made) throw new Refused(fault("photo-unreadable", 415, "", ""));
      setImage(made);
    });
  const remove = () =>
    attempt(async () => {
      await client.session.api.removePhoto();
      renew(client.address);
      setHas(false);
      announce(t("photo.removed"));
    });
  return (
    <section className="stack">
      <h2>{t("photo.title")}</h2>
      {problem && <ProblemBox fault={words(problem)} dismiss={dismiss} />}
      <div className="row wrap">
        <Face address={client.address} size="large" />
        <Button disabled={busy} onClick={() => input.current?.click()}>
          {t(has ? "photo.change" : "photo.choose")}
        </Button>
        {has && (
          <Button disabled={busy} onClick={() => void remove()}>
            {t("photo.remove")}
          </Button>
        )}
        <input
          ref={input}
          type="file"
          hidden
          accept="image/jpeg,image/png,image/gif,image/webp"
          onChange={(event) => {
            const file = event.target.files?.[0];
            event.target.value = "";
            if (file) void choose(file);
          }}
        />
      </div>
      <p className="small soft">{t("photo.hint")}</p>
      {image && <CutDialog image={image} onClose={() => setImage(undefined)} />}
    </section>
  );
}

function CutDialog({ image, onClose }: { image: ImageBitmap; onClose(): void }) {
  const { t } = useWords();
  const client = useClient();
  const words = useFault();
  const { attempt, problem, busy } = useAttempt();
  const [cut, setCut] = useState<Cut>(WHOLE);
  const policy = client.me.policies.file_transfer as { max_photo_kib?: number } | undefined;
  const save = async () => {
    const done = await attempt(async () => {
      const blob = await exported(image, cut, (policy?.max_photo_kib ?? USUAL_KIB) * 1024);
      if (!blob) throw new Refused(fault("photo-unreadable", 415, "", ""));
      await client.session.api.setPhoto(blob);
      renew(client.address);
      announce(t("photo.saved"));
    });
    if (done) onClose();
  };
  const slider = (word: string, value: number, least: number, most: number, set: (value: number) => void) => (
    <label className="slider">
      <span>{t(word)}</span>
      <input type="range" min={least} max={most} step={0.01} value={value} onChange={(event) => set(Number(event.target.value))} />
    </label>
  );
  return (
    <Dialog title={t("photo.cut")} onClose={onClose}>
      <div className="stack">
        {problem && <ProblemBox fault={words(problem)} />}
        <CutView image={image} cut={cut} onCut={setCut} />
        {slider("photo.zoom", cut.zoom, 1, MOST_ZOOM, (zoom) => setCut({ ...cut, zoom }))}
        {slider("photo.across", cut.x, 0, 1, (x) => setCut({ ...cut, x }))}
        {slider("photo.down", cut.y, 0, 1, (y) => setCut({ ...cut, y }))}
        <footer>
          <Button onClick={onClose}>{t("shared.cancel")}</Button>
          <Button kind="primary" disabled={busy} onClick={() => void save()}>
            {t("shared.save")}
          </Button>
        </footer>
      </div>
    </Dialog>
  );
}

/** The square as it will be; the sliders do for the keyboard what dragging does for the hand. */
function CutView({ image, cut, onCut }: { image: ImageBitmap; cut: Cut; onCut(cut: Cut): void }) {
  const { t } = useWords();
  const view = useRef<HTMLCanvasElement>(null);
  const from = useRef<{ x: number; y: number }>(undefined);
  useEffect(() => {
    const pen = view.current?.getContext("2d");
    const { left, top, side } = squareOf(image.width, image.height, cut);
    pen?.clearRect(0, 0, SHOWN_PX, SHOWN_PX);
    pen?.drawImage(image, left, top, side, side, 0, 0, SHOWN_PX, SHOWN_PX);
  }, [image, cut]);
  const onMove = ({ clientX: x, clientY: y }: PointerEvent) => {
    if (!from.current) return;
    onCut(dragged(image.width, image.height, cut, (x - from.current.x) / SHOWN_PX, (y - from.current.y) / SHOWN_PX));
    from.current = { x, y };
  };
  return (
    <canvas
      ref={view}
      className="cut"
      width={SHOWN_PX}
      height={SHOWN_PX}
      role="img"
      aria-label={t("photo.preview")}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { x: event.clientX, y: event.clientY };
      }}
      onPointerMove={onMove}
      onPointerUp={() => {
        from.current = undefined;
      }}
    />
  );
}
