// What a page shows, as numbers: hashes of the frame timeline's canvas.

import type { Page } from 'playwright-core';

/** The canvas of the session page on which frames are drawn. */
const CANVAS = '.lanes canvas';

/** A hash of every pixel of the timeline (FNV-1a over 32-bit words). */
export function pixelHash(page: Page): Promise<number> {
  return page.evaluate(selector => {
    const canvas = document.querySelector<HTMLCanvasElement>(selector)!;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    let hash = 0x811c9dc5;
    for (const word of new Uint32Array(data.buffer)) hash = Math.imul(hash ^ word, 0x01000193);
    return hash >>> 0;
  }, CANVAS);
}

/** The hash once it stayed the same for `stillMs`. */
export async function restingPixelHash(page: Page, stillMs = 1_500): Promise<number> {
  const endMs = Date.now() + 30_000;
  let hash = await pixelHash(page);
  let sinceMs = Date.now();
  while (Date.now() - sinceMs < stillMs) {
    if (Date.now() > endMs) throw new Error('the timeline never came to rest');
    await new Promise(resolve => setTimeout(resolve, 100));
    const next = await pixelHash(page);
    if (next !== hash) sinceMs = Date.now();
    hash = next;
  }
  return hash;
}

/** How many pixels of two timelines differ by more than `tolerance` (of 255) in a colour channel. */
export async function countDifferentPixels(
  one: Page,
  other: Page,
  tolerance: number,
): Promise<number> {
  const url = await one.evaluate(
    selector => document.querySelector<HTMLCanvasElement>(selector)!.toDataURL(),
    CANVAS,
  );
  return other.evaluate(
    async ({ selector, url: picture, limit }) => {
      const canvas = document.querySelector<HTMLCanvasElement>(selector)!;
      const { width, height } = canvas;
      const image = new Image();
      image.src = picture;
      await image.decode();
      const copy = new OffscreenCanvas(width, height).getContext('2d')!;
      copy.drawImage(image, 0, 0);
      const a = copy.getImageData(0, 0, width, height).data;
      const b = canvas.getContext('2d')!.getImageData(0, 0, width, height).data;
      let count = 0;
      for (let i = 0; i < a.length; i += 4)
        if ([i, i + 1, i + 2].some(at => Math.abs(a[at]! - b[at]!) > limit)) count++;
      return count;
    },
    { selector: CANVAS, url, limit: tolerance },
  );
}

/** Goes to another view of the page that is open, as the back button would: nothing is loaded anew. */
export async function showView(page: Page, address: string): Promise<void> {
  await page.evaluate(to => {
    history.pushState(null, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, address);
}

/** What the first change to the timeline was. */
export interface PixelChange {
  /** Wall clock, ms, when a frame with it had been shown. */
  readonly atMs: number;
  /** The changed columns, first and last, as shares of the canvas width. */
  readonly left: number;
  readonly right: number;
}

/** Remembers the timeline as it is; the function that comes back waits for the first changed pixel. */
export async function watchPixels(page: Page): Promise<() => Promise<PixelChange>> {
  const watch = await page.evaluateHandle(selector => {
    const canvas = document.querySelector<HTMLCanvasElement>(selector)!;
    const read = (): Uint32Array => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return new Uint32Array(data.buffer);
    };
    const before = read();
    const changedColumns = (): number[] => {
      const now = read();
      const columns = new Set<number>();
      for (let i = 0; i < now.length; i++) if (now[i] !== before[i]) columns.add(i % canvas.width);
      return [...columns];
    };
    const frame = (): Promise<number> => new Promise(resolve => requestAnimationFrame(resolve));
    const change = async (): Promise<PixelChange> => {
      for (;;) {
        const columns = changedColumns();
        await frame();
        if (columns.length === 0) continue;
        const [left, right] = [Math.min(...columns), Math.max(...columns) + 1];
        return { atMs: Date.now(), left: left / canvas.width, right: right / canvas.width };
      }
    };
    return { change: change() };
  }, CANVAS);
  return () => watch.evaluate(({ change }) => change);
}
