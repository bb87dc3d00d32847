// Lines of one pixel written by hand: where there are tens of thousands, a canvas takes four times as long.

/** From `(x1, y1)` down to `(x2, y2)`, in device pixels; the last row belongs to what goes on from there. */
export interface PixelLine {
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
  readonly word: number;
}

/** A row at a time, from where it enters to where it leaves: whole whatever its slope, cut at both sides. */
export function writeLine(pixels: Uint32Array, width: number, line: PixelLine): void {
  const { x1, x2, y1, y2, word } = line;
  const step = (x2 - x1) / Math.max(1, y2 - y1);
  if (Math.abs(step) <= 1) return writeSteep(pixels, width, line);
  let x = x1;
  for (let y = y1; y < y2; y++) {
    const next = x + step;
    const left = Math.max(0, Math.floor(Math.min(x, next)));
    const right = Math.min(width - 1, Math.ceil(Math.max(x, next)) - 1);
    for (let at = y * width + left; at <= y * width + right; at++) pixels[at] = word;
    x = next;
  }
}

/** A pixel a row: nearly all lines where there are thousands. */
function writeSteep(pixels: Uint32Array, width: number, { x1, x2, y1, y2, word }: PixelLine): void {
  const step = (x2 - x1) / Math.max(1, y2 - y1);
  let x = x1 + step / 2;
  for (let row = y1 * width; row < y2 * width; row += width) {
    if (x >= 0 && x < width) pixels[row + Math.floor(x)] = word;
    x += step;
  }
}
