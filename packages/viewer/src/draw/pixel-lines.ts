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
  let x = x1;
  for (let y = y1; y < y2; y++) {
    const next = x + step;
    const left = Math.max(0, Math.floor(Math.min(x, next)));
    const right = Math.min(width - 1, Math.ceil(Math.max(x, next)) - 1);
    for (let at = y * width + left; at <= y * width + right; at++) pixels[at] = word;
    x = next;
  }
}

/** Steep when it passes no more than a pixel in a row: nearly all lines where there are thousands. */
export const isSteep = ({ x1, x2, y1, y2 }: Omit<PixelLine, 'word'>): boolean =>
  Math.abs(x2 - x1) <= Math.max(1, y2 - y1);

/**
 * Steep lines from one height to another, a pixel a row each. All of them row by row and not one after
 * the other: neighbours lie beside each other in memory, and a line's own pixels do not.
 */
export class SteepLines {
  readonly #x: Float64Array;
  readonly #step: Float64Array;
  #count = 0;
  #rows = 1;

  constructor(most: number) {
    this.#x = new Float64Array(most);
    this.#step = new Float64Array(most);
  }

  /** Begins with none; all are so many rows tall. */
  start(rows: number): void {
    this.#count = 0;
    this.#rows = Math.max(1, rows);
  }

  add(x1: number, x2: number): void {
    const step = (x2 - x1) / this.#rows;
    this.#x[this.#count] = x1 + step / 2;
    this.#step[this.#count++] = step;
  }

  /** Once: where they are moves along with it. */
  write(pixels: Uint32Array, width: number, y1: number, word: number): void {
    const [x, step, count] = [this.#x, this.#step, this.#count];
    const end = (y1 + this.#rows) * width;
    for (let row = y1 * width; row < end; row += width)
      for (let i = 0; i < count; i++) {
        const at = x[i]!;
        if (at >= 0 && at < width) pixels[row + Math.floor(at)] = word;
        x[i] = at + step[i]!;
      }
  }
}
