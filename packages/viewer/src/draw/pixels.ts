// Pixels written by hand: where a picture is thousands of small rectangles, a fill
// each costs ten times as much as writing them into an ImageData.

const parsed = new Map<string, number>();

/** `#rrggbb` as a word of an ImageData (ABGR, little-endian as every browser's machine is). */
export function wordOf(hex: string): number {
  const known = parsed.get(hex);
  if (known !== undefined) return known;
  const rgb = Number.parseInt(hex.slice(1), 16);
  const word = (0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
  parsed.set(hex, word);
  return word;
}

/** Sizes kept: the heights that lanes come in. */
const KEPT_MAX = 8;

/** Device pixels to write into; memory of the last few sizes is kept from picture to picture. */
export class PixelBuffer {
  readonly #images = new Map<string, { image: ImageData; words: Uint32Array }>();
  #current: ImageData | undefined;

  /** Pixels filled with `word`. */
  start(width: number, height: number, word: number): Uint32Array {
    const size = `${width}x${height}`;
    let held = this.#images.get(size);
    if (!held) {
      if (this.#images.size >= KEPT_MAX) this.#images.clear();
      const image = new ImageData(width, height);
      held = { image, words: new Uint32Array(image.data.buffer) };
      this.#images.set(size, held);
    }
    this.#current = held.image;
    return held.words.fill(word);
  }

  /** At device pixels, past any transform and clip. */
  put(context: CanvasRenderingContext2D, x: number, y: number): void {
    if (this.#current) context.putImageData(this.#current, x, y);
  }
}
