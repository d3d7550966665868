/** One's own picture: a square cut from what was chosen, made small enough for the policy. */

/** Which square of the picture: its side as a part of the shorter edge, its middle as parts of what is left. */
export interface Cut {
  zoom: number;
  x: number;
  y: number;
}

export interface Square {
  left: number;
  top: number;
  side: number;
}

export const WHOLE: Cut = { zoom: 1, x: 0.5, y: 0.5 };
export const MOST_ZOOM = 4;
/** Sides tried, largest first: the largest is what a card shows on a fine screen. */
const SIDES = [400, 320, 240, 160, 96];
const QUALITIES = [0.9, 0.8, 0.7, 0.55];

/** The square in pixels of the picture; it never leaves the picture. */
export function squareOf(width: number, height: number, { zoom, x, y }: Cut): Square {
  const side = Math.min(width, height) / Math.min(Math.max(zoom, 1), MOST_ZOOM);
  const part = (value: number) => Math.min(Math.max(value, 0), 1);
  return { left: (width - side) * part(x), top: (height - side) * part(y), side };
}

/** The cut after the picture was dragged by so many widths of the square. */
export function dragged(width: number, height: number, cut: Cut, dx: number, dy: number): Cut {
  const { side } = squareOf(width, height, cut);
  const move = (at: number, by: number, room: number) => (room <= 0 ? at : Math.min(Math.max(at - (by * side) / room, 0), 1));
  return { ...cut, x: move(cut.x, dx, width - side), y: move(cut.y, dy, height - side) };
}

/** The best size and quality that `draw` gets below the bound; nothing when not even the smallest does. */
export async function smallest(most: number, draw: (side: number, quality: number) => Promise<Blob | undefined>): Promise<Blob | undefined> {
  for (const side of SIDES) {
    for (const quality of QUALITIES) {
      const blob = await draw(side, quality);
      if (blob && blob.size <= most) return blob;
    }
  }
  return undefined;
}

/** The square as a JPEG of at most `most` bytes. What was hidden in the file (place, camera) is not in it. */
export function exported(image: ImageBitmap, cut: Cut, most: number): Promise<Blob | undefined> {
  const { left, top, side: from } = squareOf(image.width, image.height, cut);
  return smallest(most, (side, quality) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const pen = canvas.getContext("2d");
    if (!pen) return Promise.resolve(undefined);
    // What is transparent would be black.
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, side, side);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(image, left, top, from, from, 0, 0, side, side);
    return new Promise((done) => canvas.toBlob((blob) => done(blob ?? undefined), "image/jpeg", quality));
  });
}
