// The demo on ClickHouse with three collectors, looked at in Chromium: whichever of them serves a page,
// it shows the same, of what is over to the pixel, and of a call that runs as it goes on.
//
// The demo sends to the first; the simulated day comes in at the second; the third takes nothing in.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FramesWindow, Heatmap, Page, SessionSummary, Turn } from '@framescope/protocol';
import type { Page as BrowserPage } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inRepository, runNode, whenReady, type Child } from '../acceptance/child.ts';
import { countDifferentPixels, pixelHash, restingPixelHash } from '../acceptance/pixels.ts';
import { launchBrowser, type OpenPage, type TestBrowser } from '../browser.ts';
import { Fleet } from './fleet.ts';
import { ClickHouse } from './server.ts';

const DAY_TURNS = 200;
const DAY_LIMIT_MS = 240_000;
/** Of what has to come, on a machine with other work. */
const LIMIT_MS = 120_000;
/** Until what one collector wrote is seen at another, and drawn. */
const SEEN_MS = 30_000;

/** Longer than this file may take. */
const BEFORE_DEMO_MS = 15 * 60_000;

const data = mkdtempSync(join(tmpdir(), 'framescope-demo-'));
const screens = inRepository('.framescope/screens');
let server: ClickHouse;
let demo: Child;
let others: Fleet;
let browser: TestBrowser;
let urls: readonly string[];

beforeAll(async () => {
  mkdirSync(screens, { recursive: true });
  server = await ClickHouse.start();
  const store = server.storeUrl();
  const flags = ['--port', '0', '--data', data, '--store', store];
  demo = runNode('scripts/start.mjs', ['--demo', '--no-day', ...flags]);
  const { url } = await whenReady(demo);
  others = await Fleet.open(store, 2);
  urls = [url, ...others.urls];
  const day = runNode('packages/testkit/out/load-day.js', [
    '--url',
    urls[1]!,
    '--turns',
    String(DAY_TURNS),
  ]);
  await day.sees(/simulated day loaded/, DAY_LIMIT_MS);
  await day.exited;
  browser = await launchBrowser();
}, DAY_LIMIT_MS + LIMIT_MS);

afterAll(async () => {
  await browser?.close();
  await demo?.end('SIGINT');
  await others?.stop();
  await server?.stop();
  rmSync(data, { recursive: true, force: true });
});

async function get<T>(url: string, path: string): Promise<T> {
  const response = await fetch(`${url}/api/v1/${path}`);
  expect(response.status, path).toBe(200);
  return (await response.json()) as T;
}

const fromEach = <T>(path: string): Promise<readonly T[]> =>
  Promise.all(urls.map(url => get<T>(url, path)));

/** The same page at each collector. */
const openAtEach = (path: string): Promise<readonly OpenPage[]> =>
  Promise.all(urls.map(url => browser.open(url + path)));

async function closeAll(pages: readonly OpenPage[]): Promise<void> {
  expect(pages.flatMap(one => one.problems())).toEqual([]);
  for (const { page } of pages) await page.close();
}

/** What stands on a page, without its choices: they count all that is stored, and a live call goes on. */
const textOf = (page: BrowserPage): Promise<string> =>
  page.locator('main').evaluate((main: HTMLElement) => {
    const choices = Array.from(main.querySelectorAll('select'), one => one.innerText);
    return choices.reduce((text, one) => text.replace(one, ''), main.innerText);
  });

/** All of them come to show one text, in which `word` is. */
async function sameText(pages: readonly OpenPage[], word: string): Promise<void> {
  const state: { texts: readonly string[] } = { texts: [] };
  const areSame = async (): Promise<boolean> => {
    state.texts = await Promise.all(pages.map(({ page }) => textOf(page)));
    return state.texts.every(text => text === state.texts[0] && text.includes(word));
  };
  const endMs = Date.now() + LIMIT_MS;
  while (!(await areSame()) && Date.now() < endMs)
    await new Promise(resolve => setTimeout(resolve, 250));
  for (const text of state.texts) expect(text).toBe(state.texts[0]);
  expect(state.texts[0]).toContain(word);
}

/** Simulated calls, oldest first, once all of them are assembled. */
async function simulatedCalls(): Promise<readonly SessionSummary[]> {
  const query = `sessions?limit=500&state=ended&filter=${encodeURIComponent('synthetic:"simulated day"')}`;
  let before = '';
  for (;;) {
    const now = await get<Page<SessionSummary>>(urls[2]!, query);
    const text = JSON.stringify(now);
    if (now.items.length > 0 && text === before) return now.items.toReversed();
    before = text;
    await new Promise(resolve => setTimeout(resolve, 2_000));
  }
}

test(
  'what is over is the same at each collector: list, call, ledger, tail',
  async () => {
    const calls = await simulatedCalls();
    const listed = await fromEach<Page<SessionSummary>>('sessions?limit=500&state=ended');
    expect(listed[1]).toEqual(listed[0]);
    expect(listed[2]).toEqual(listed[0]);
    const turns = calls.reduce((sum, one) => sum + one.turnCount, 0);
    expect(turns).toBeGreaterThanOrEqual(DAY_TURNS);

    const call = calls.findLast(one => one.turnCount > 1)!;
    const found = await fromEach<Page<Turn>>(`sessions/${call.key}/turns`);
    const turn = found[0]!.items.find(one => one.waits.some(wait => wait.outcome === 'answered'))!;
    for (const other of found) expect(other).toEqual(found[0]);
    const pages = await openAtEach(`/sessions/${call.key}?turn=${turn.tick}`);
    for (const { page } of pages) await page.getByText('Adds up to the wait').first().waitFor();
    for (const { page } of pages) await restingPixelHash(page);
    await sameText(pages, 'Adds up to the wait');
    for (const { page } of pages)
      expect(await countDifferentPixels(pages[0]!.page, page, 0)).toBe(0);
    await pages[2]!.page.screenshot({ path: join(screens, 'clickhouse-session.png') });
    await closeAll(pages);

    // Ends before the demo began: counts of a range in which a call still runs go on.
    const toUnixNs = BigInt(Date.now() - BEFORE_DEMO_MS) * 1_000_000n;
    const range = `from=${calls[0]!.startUnixNs}&to=${toUnixNs}`;
    const heats = await fromEach<Heatmap>(`heatmap?columns=120&${range}`);
    expect(heats[0]!.total.n).toBeGreaterThan(DAY_TURNS / 2);
    for (const heat of heats) expect(heat).toEqual(heats[0]);
    const tails = await openAtEach(`/tail?${range}`);
    for (const { page } of tails) await page.getByText(/of [\d,]+ turns in/).waitFor();
    // Once each has drawn its chart, axes and all.
    await sameText(tails, 'no answer');
    await tails[2]!.page.screenshot({ path: join(screens, 'clickhouse-tail.png') });
    await closeAll(tails);
  },
  DAY_LIMIT_MS,
);

/** A call that runs at the first collector, as each of the others knows it. */
async function liveCall(): Promise<SessionSummary> {
  await demo.sees(/a live call is running/, LIMIT_MS);
  const found: { call: SessionSummary | undefined } = { call: undefined };
  await expect
    .poll(
      async () => {
        const lists = await fromEach<Page<SessionSummary>>('sessions?state=live');
        const keys = lists.map(one => new Set(one.items.map(it => it.key)));
        found.call = lists[0]!.items.find(one => keys.every(known => known.has(one.key)));
        return found.call !== undefined;
      },
      { timeout: LIMIT_MS, interval: 500 },
    )
    .toBe(true);
  return found.call!;
}

test('a call that runs is live at each collector: listed, its frames move, a turn appears', async () => {
  const lists = await openAtEach('/sessions');
  for (const { page } of lists)
    await page.locator('tr[data-key]', { hasText: 'Live' }).first().waitFor({ timeout: LIMIT_MS });
  await closeAll(lists);

  const { key } = await liveCall();
  const pages = await openAtEach(`/sessions/${key}`);
  for (const { page } of pages) await page.locator('.lanes canvas').waitFor();
  await Promise.all(
    pages.map(async ({ page }, i) => {
      const lastMark = async (): Promise<number> => {
        const frames = await get<FramesWindow>(urls[i]!, `sessions/${key}/frames`);
        return Math.max(0, ...frames.hops.flatMap(hop => Array.from(hop.atNs)));
      };
      const [firstNs, firstHash] = [await lastMark(), await pixelHash(page)];
      await expect.poll(lastMark, { timeout: SEEN_MS }).toBeGreaterThan(firstNs);
      await expect.poll(() => pixelHash(page), { timeout: SEEN_MS }).not.toBe(firstHash);
    }),
  );
  await pages[2]!.page.screenshot({ path: join(screens, 'clickhouse-live.png') });
  await closeAll(pages);
});

test('a live turn that was answered has the same ledger at each collector', async () => {
  const { key } = await liveCall();
  const answered = async (url: string): Promise<Turn | undefined> =>
    (await get<Page<Turn>>(url, `sessions/${key}/turns`)).items.find(one =>
      one.waits.some(wait => wait.kind === 'response' && wait.outcome === 'answered'),
    );
  const first: { turn: Turn | undefined } = { turn: undefined };
  const seen = async (): Promise<boolean> => (first.turn = await answered(urls[0]!)) !== undefined;
  await expect.poll(seen, { timeout: LIMIT_MS, interval: 500 }).toBe(true);
  const { tick } = first.turn!;
  const pages = await openAtEach(`/sessions/${key}?turn=${tick}`);
  for (const { page } of pages)
    await page.getByText('Adds up to the wait').first().waitFor({ timeout: SEEN_MS });
  const ledgers = async (): Promise<readonly (readonly [string, string])[]> =>
    Promise.all(
      pages.map(async ({ page }) => {
        const text = await page.locator('aside.panel').innerText();
        return [new URL(page.url()).port, text] as const;
      }),
    );
  // A ledger is told more finely while frames of it still come: at rest they are one.
  await expect
    .poll(async () => new Set((await ledgers()).map(([, text]) => text)).size, {
      timeout: SEEN_MS,
      interval: 500,
    })
    .toBe(1);
  await closeAll(pages);
});
