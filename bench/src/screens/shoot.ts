// A page in all sizes of one theme at once, photographed when it has come to rest; and a
// sheet of both themes.

import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import type { Gate } from './gate.ts';
import type { Shot } from './pages.ts';

export interface Size {
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

export const SIZES: readonly Size[] = [
  { name: '4k', width: 3840, height: 2160 },
  { name: 'wide', width: 1920, height: 1080 },
  { name: 'laptop', width: 1280, height: 800 },
  { name: 'tablet', width: 768, height: 1024 },
  { name: 'phone', width: 360, height: 780 },
];
export const THEMES = ['light', 'dark'] as const;

export interface Picture {
  readonly size: Size;
  readonly theme: (typeof THEMES)[number];
  readonly png: Buffer;
}

export interface ShootInput {
  readonly browser: Browser;
  readonly gate: Gate;
  readonly shot: Shot;
  readonly theme: (typeof THEMES)[number];
}

const REST_MS = 900;
const LIVE_MS = 5_000;
/** A page that loads shows for a moment what it shows for long when the line is bad. */
const LOADING_MS = 1_500;
/** Five pages at a time draw their first picture, beside whatever else the machine does. */
const ARRIVE_MS = 180_000;
/** So long nothing is asked of the collector: lists beside the picture have come too. */
const QUIET_MS = 400;
/** A page beside live calls never stops asking. */
const QUIET_WITHIN_MS = 20_000;

export async function shoot({ browser, gate, shot, theme }: ShootInput): Promise<Picture[]> {
  const contexts: BrowserContext[] = [];
  const open = async (size: Size): Promise<Page> => {
    const context = await browser.newContext({
      viewport: size,
      colorScheme: theme,
      // Questions to the page are strings: its Content-Security-Policy would not have them.
      bypassCSP: true,
    });
    contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(ARRIVE_MS);
    const traffic = new Traffic(page);
    await page.goto(gate.url + shot.path);
    if (shot.state === 'loading') await page.waitForTimeout(LOADING_MS);
    else await arrive(page, shot, traffic);
    return page;
  };
  try {
    gate.set(shot.state === 'loading' ? 'hold' : 'pass');
    const pages = await Promise.all(SIZES.map(open));
    if (shot.state === 'away') {
      gate.set('drop');
      for (const page of pages)
        await page.locator('.banner:not([hidden])').waitFor({ timeout: ARRIVE_MS });
    }
    const pictures: Picture[] = [];
    for (const [i, size] of SIZES.entries())
      pictures.push({ size, theme, png: await pages[i]!.screenshot() });
    return pictures;
  } finally {
    for (const context of contexts) await context.close();
    gate.set('pass');
  }
}

/** What a page has asked and not been answered yet, but for the stream of news, which never ends. */
class Traffic {
  readonly #page: Page;
  readonly #open = new Set<Request>();
  #quietSinceMs = Date.now();

  constructor(page: Page) {
    this.#page = page;
    page.on('request', one => {
      if (!one.url().includes('/api/v1/live')) this.#open.add(one);
    });
    const end = (one: Request): void => {
      if (this.#open.delete(one)) this.#quietSinceMs = Date.now();
    };
    page.on('requestfinished', end);
    page.on('requestfailed', end);
  }

  async quiet(): Promise<void> {
    const endMs = Date.now() + QUIET_WITHIN_MS;
    while (Date.now() < endMs) {
      if (this.#open.size === 0 && Date.now() - this.#quietSinceMs >= QUIET_MS) return;
      await this.#page.waitForTimeout(QUIET_MS / 4);
    }
  }
}

async function arrive(page: Page, shot: Shot, traffic: Traffic): Promise<void> {
  const { state, keys = [], presses = [], drag, file } = shot;
  await page.locator('main *').first().waitFor();
  await page.locator('.progress').first().waitFor({ state: 'detached', timeout: ARRIVE_MS });
  if (state !== 'empty' && state !== 'missing') await whole(page, shot.path);
  await page.waitForTimeout(state === 'live' ? LIVE_MS : REST_MS);
  await traffic.quiet();
  // On a busy machine a call falls silent for a while, and is told as broken off.
  if (state === 'live' && /^\/(sessions\b|$)/.test(shot.path))
    await page.locator('main .badge.live').first().waitFor();
  if (file !== undefined) await page.locator('input[type=file]').setInputFiles(file);
  for (const key of keys) await page.keyboard.press(key);
  for (const text of presses) await page.getByText(text, { exact: true }).first().click();
  if (drag) await dragOver(page, drag);
  if (keys.length + presses.length === 0 && !drag && file === undefined) return;
  await page.waitForTimeout(REST_MS);
  await traffic.quiet();
}

/** Until the page has said that its picture has all it asked for. */
async function whole(page: Page, path: string): Promise<void> {
  const name = /^\/(session|tail|trace)s?\b/.exec(path)?.[1];
  // Small multiples and lists say nothing.
  const isList = /^\/(sessions|traces)$|group=/.test(path);
  if (name === undefined || isList) return;
  const mark = JSON.stringify(`framescope ${name} whole`);
  await page.waitForFunction(`performance.getEntriesByName(${mark}).length > 0`);
}

async function dragOver(page: Page, { on, from, to }: NonNullable<Shot['drag']>): Promise<void> {
  const box = (await page.locator(on).boundingBox())!;
  const at = ([x, y]: readonly [number, number]): [number, number] => [
    box.x + box.width * x,
    box.y + box.height * y,
  ];
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at(to), { steps: 6 });
  await page.mouse.up();
  await page.locator('.panel .progress').first().waitFor({ state: 'detached', timeout: ARRIVE_MS });
}

/** Light above, dark below, all of one height, as WebP: small enough for the repository. */
export async function sheet(browser: Browser, pictures: readonly Picture[]): Promise<Buffer> {
  const page = await browser.newPage();
  try {
    const images = pictures.map(({ png, size, theme }) => ({
      url: `data:image/png;base64,${png.toString('base64')}`,
      column: SIZES.indexOf(size),
      row: THEMES.indexOf(theme),
    }));
    const url = (await page.evaluate(
      `(${SHEET})(${JSON.stringify({ images, sizes: SIZES })})`,
    )) as string;
    return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
  } finally {
    await page.close();
  }
}

/** Runs in the browser, the one encoder of WebP that is at hand. */
const SHEET = `async ({ images, sizes }) => {
  const rowPx = 400, gap = 8;
  const widths = sizes.map(one => (one.width / one.height) * rowPx);
  const lefts = sizes.map((_, i) => gap + widths.slice(0, i).reduce((sum, one) => sum + one + gap, 0));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(lefts.at(-1) + widths.at(-1) + gap);
  canvas.height = (rowPx + gap) * 2 + gap;
  const context = canvas.getContext('2d');
  context.fillStyle = '#8892a4';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  for (const { url, column, row } of images) {
    const image = new Image();
    image.src = url;
    await image.decode();
    context.drawImage(image, lefts[column], gap + row * (rowPx + gap), widths[column], rowPx);
  }
  return canvas.toDataURL('image/webp', 0.5);
}`;
