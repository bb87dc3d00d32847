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

/** Pixels over what is drawn already: those not written let it through. */
export class PixelLayer {
  readonly #canvas = document.createElement('canvas');
  #image: ImageData | undefined;
  #words = new Uint32Array(0);

  /** Clear pixels. */
  start(width: number, height: number): Uint32Array {
    if (this.#image?.width === width && this.#image.height === height) return this.#words.fill(0);
    this.#image = new ImageData(width, Math.max(1, height));
    this.#words = new Uint32Array(this.#image.data.buffer);
    this.#canvas.width = width;
    this.#canvas.height = this.#image.height;
    return this.#words;
  }

  /** At device pixels, past any transform; the clip holds. */
  draw(context: CanvasRenderingContext2D, x: number, y: number): void {
    if (!this.#image) return;
    this.#canvas.getContext('2d')!.putImageData(this.#image, 0, 0);
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#canvas, x, y);
    context.restore();
  }
}
