// `npm start -- --demo` as a newcomer has it, looked at in Chromium: the
// simulated day is there, a live call is listed, its frames move, a turn's
// ledger adds up, the heatmap has cells. The pictures are kept in
// .framescope/screens for a person to look at.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FramesWindow, Heatmap, Page, SessionSummary, Turn } from '@framescope/protocol';
import type { Page as BrowserPage } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../browser.ts';
import { inRepository, runNode, whenReady, type Child } from './child.ts';
import { pixelHash } from './pixels.ts';

/** The day loads in 20 to 60 s on two cores; three times that on a machine with other work. */
const DAY_LIMIT_MS = 180_000;
/** A call says its first words after some seconds; then a turn takes ten. */
const TURN_LIMIT_MS = 60_000;

const data = mkdtempSync(join(tmpdir(), 'framescope-demo-'));
const screens = inRepository('.framescope/screens');
let demo: Child;
let browser: TestBrowser;
let url: string;

beforeAll(async () => {
  mkdirSync(screens, { recursive: true });
  demo = runNode('scripts/start.mjs', ['--demo', '--port', '0', '--data', data]);
  ({ url } = await whenReady(demo));
  browser = await launchBrowser();
  await demo.sees(/a live call is running/, DAY_LIMIT_MS);
}, DAY_LIMIT_MS + 30_000);

afterAll(async () => {
  await browser?.close();
  await demo?.end('SIGINT');
  rmSync(data, { recursive: true, force: true });
});

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`${url}/api/v1/${path}`);
  expect(response.status, path).toBe(200);
  return (await response.json()) as T;
}

const liveCalls = async (): Promise<readonly SessionSummary[]> =>
  (await get<Page<SessionSummary>>('sessions?state=live')).items;

/** A live call and its first turn that was answered. */
async function answeredTurn(): Promise<{ key: string; turn: Turn }> {
  const endMs = Date.now() + TURN_LIMIT_MS;
  while (Date.now() < endMs) {
    for (const { key } of await liveCalls()) {
      const turns = await get<Page<Turn>>(`sessions/${key}/turns`);
      const turn = turns.items.find(one =>
        one.waits.some(wait => wait.kind === 'response' && wait.outcome === 'answered'),
      );
      if (turn !== undefined) return { key, turn };
    }
    await new Promise(resolve => setTimeout(resolve, 500));
  }
  throw new Error(`no live call had an answered turn in ${TURN_LIMIT_MS / 1000} s`);
}

const keep = (page: BrowserPage, name: string): Promise<unknown> =>
  page.screenshot({ path: join(screens, `${name}.png`) });

test('the call that runs is listed as live, above the simulated day', async () => {
  await expect.poll(async () => (await liveCalls()).length, { timeout: 30_000 }).toBeGreaterThan(0);
  const { page, problems } = await browser.open(`${url}/sessions`);
  await page.locator('tr[data-key]', { hasText: 'Live' }).first().waitFor();
  await page.locator('tr[data-key]', { hasText: 'simulated day' }).first().waitFor();
  await keep(page, 'demo-sessions');
  expect(problems()).toEqual([]);
  await page.close();
});

test('frames move on the timeline of the live call', async () => {
  const { key } = (await liveCalls())[0]!;
  const { page, problems } = await browser.open(`${url}/sessions/${key}`);
  await page.locator('.lanes canvas').waitFor();
  const lastMark = async (): Promise<number> => {
    const frames = await get<FramesWindow>(`sessions/${key}/frames`);
    return Math.max(...frames.hops.flatMap(hop => Array.from(hop.atNs)));
  };
  const [firstNs, firstHash] = [await lastMark(), await pixelHash(page)];
  await expect.poll(lastMark, { timeout: 10_000 }).toBeGreaterThan(firstNs);
  await expect.poll(() => pixelHash(page), { timeout: 10_000 }).not.toBe(firstHash);
  await keep(page, 'demo-live-timeline');
  expect(problems()).toEqual([]);
  await page.close();
});

test('the ledger of a turn adds up to its wait and is at least 98 % resolved', async () => {
  const { key, turn } = await answeredTurn();
  const wait = turn.waits.find(one => one.kind === 'response')!;
  expect(wait.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(wait.waitNs);
  expect(wait.resolved).toBeGreaterThanOrEqual(0.98);
  const { page, problems } = await browser.open(`${url}/sessions/${key}?turn=${turn.tick}`);
  await page.getByText('Adds up to the wait').first().waitFor();
  const shown = await page.evaluate(() => ({
    waitNs: Number(document.querySelector('[data-wait-ns]')?.getAttribute('data-wait-ns')),
    sumNs: Number(document.querySelector('[data-sum-ns]')?.getAttribute('data-sum-ns')),
    resolved: Number(document.querySelector('[data-resolved]')?.getAttribute('data-resolved')),
  }));
  expect(shown.sumNs).toBe(shown.waitNs);
  expect(shown.waitNs).toBeGreaterThan(0);
  expect(shown.resolved).toBeGreaterThanOrEqual(0.98);
  await keep(page, 'demo-ledger');
  expect(problems()).toEqual([]);
  await page.close();
});

test('the heatmap of the day has cells', async () => {
  // Stored when the launcher says so; assembled in the seconds after, while the pages fill.
  const day = (): Promise<Heatmap> => {
    const fromUnixNs = BigInt(Date.now() - 26 * 3_600_000) * 1_000_000n;
    return get<Heatmap>(`heatmap?columns=120&from=${fromUnixNs}`);
  };
  await expect
    .poll(async () => (await day()).total.n, { timeout: 90_000, interval: 1_000 })
    .toBeGreaterThan(4_000);
  expect((await day()).cells.count.length).toBeGreaterThan(300);
  const { page, problems } = await browser.open(`${url}/tail`);
  await page.getByText(/of [\d,]+ turns in/).waitFor({ timeout: 20_000 });
  const colours = await page.evaluate(() => {
    const canvas = document.querySelector('canvas')!;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  expect(colours).toBeGreaterThan(8);
  await keep(page, 'demo-tail');
  expect(problems()).toEqual([]);
  await page.close();
});
