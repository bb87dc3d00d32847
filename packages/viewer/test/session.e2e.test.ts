// The frame timeline of a simulated call with known truth, in a real Chromium.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient, runCall, scenarioOf, turnOf, type Ran } from '@framescope/testkit';
import { startCollector, type Collector } from 'framescope';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../../../test/browser.ts';

const viewerFolder = fileURLToPath(new URL('../dist/', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'framescope-session-'));

/** Two turns that ended a minute ago, each wait about a second. */
const SCENARIO = scenarioOf({
  id: 'simulated-call',
  startUnixMs: Date.now() - 60_000,
  // The recogniser hears at another rate than the line: a bend of the axis to be told.
  sttRate: 24_000,
  turns: [turnOf(), turnOf()],
});

let browser: TestBrowser;
let collector: Collector;
let ran: Ran;

beforeAll(async () => {
  collector = await startCollector({ data, viewerFolder });
  browser = await launchBrowser();
  ran = await runCall(new ApiClient(collector.url), SCENARIO);
});

afterAll(async () => {
  await browser.close();
  await collector.close();
  rmSync(data, { recursive: true, force: true });
});

const address = (query: string = ''): string =>
  `${collector.url}/sessions/${ran.answers.detail.key}${query}`;

/** How many different colours a canvas shows: a blank one has one or two. */
const colorsOf = (page: Page): Promise<number> =>
  page.locator('.lanes canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { data: bytes } = canvas
      .getContext('2d')!
      .getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(bytes.buffer)).size;
  });

test('a turn opens its ledger, whose parts add up to the wait to the nanosecond', async () => {
  const turn = ran.answers.turns[0]!;
  const wait = turn.waits.find(one => one.kind === 'response')!;
  const { page, problems } = await browser.open(address(`?turn=${turn.tick}`));
  await page.locator('[data-wait-ns]').first().waitFor();
  const exposed = await page
    .locator('[data-exposed-ns]')
    .evaluateAll(cells => cells.map(cell => Number((cell as HTMLElement).dataset['exposedNs'])));
  const shown = Number(await page.locator('[data-wait-ns]').first().getAttribute('data-wait-ns'));
  expect(shown).toBe(wait.waitNs);
  expect(exposed.reduce((sum, ns) => sum + ns, 0)).toBe(wait.waitNs);
  expect(
    Number(await page.locator('[data-resolved]').first().getAttribute('data-resolved')),
  ).toBeGreaterThanOrEqual(0.98);
  expect(problems()).toEqual([]);
  await page.close();
});

test('the agent’s bar ends with its last sample and not where the next answer begins', () => {
  // 1,200 ms of audio, the first 80 silent: 1,120 ms are heard, in frames of 20.
  for (const turn of ran.answers.turns)
    expect(Math.abs(turn.agent!.endNs - turn.agent!.startNs - 1120e6)).toBeLessThan(41e6);
});

test('frames are drawn, and the one under the pointer tells its time at each hop', async () => {
  const { page, problems } = await browser.open(address(`?turn=${ran.answers.turns[0]!.tick}`));
  await expect.poll(() => colorsOf(page), { timeout: 15_000 }).toBeGreaterThan(20);
  const box = (await page.locator('.lanes canvas').boundingBox())!;
  for (let x = 220; x < 500 && !(await page.locator('.tip').isVisible()); x += 7) {
    await page.mouse.move(box.x + x, box.y + 110);
    await page.waitForTimeout(60);
  }
  await expect.poll(() => page.locator('.tip tr').count()).toBeGreaterThan(3);
  expect(await page.locator('.tip').innerText()).toMatch(/mic, sample [\d,]+/);
  expect(problems()).toEqual([]);
  await page.close();
});

test('where a hop counts by another rate the page says so, and which words came of which sound', async () => {
  const turn = ran.answers.turns[0]!;
  const { page, problems } = await browser.open(address(`?turn=${turn.tick}`));
  await page.getByText('bends and gaps').click();
  await page.getByText('mic: 24 kHz at agent/stt').waitFor();
  await page.locator('.legend').getByText('another rate, or a splice').waitFor();
  const origins = page.locator('section').filter({ hasText: 'Words in the sound' });
  const said = turn.words.find(one => one.who === 'user')!.text;
  const row = origins.getByRole('row').filter({ hasText: said });
  expect((await row.innerText()).replaceAll(/\s+/g, ' ')).toMatch(
    /user 0:0\d\.\d{3} – 0:0\d\.\d{3} counted/,
  );
  // Only what was heard in this turn: the other turn's words are its own.
  expect(await origins.getByRole('row').count()).toBe(1);
  expect(problems()).toEqual([]);
  await page.close();
});

test('every move is in the address: a reload shows the same window, turn and clocks', async () => {
  const { page } = await browser.open(address());
  await page.locator('.toolbar output').waitFor();
  await page.keyboard.press(']');
  for (const key of ['w', 'd', 'r']) await page.keyboard.press(key);
  const pattern = /from=(-?\d+)&to=(\d+)&turn=\d+&clock=raw/;
  await expect.poll(() => page.url()).toMatch(pattern);
  // The toolbar follows the address at its own pace.
  const [, fromNs = '', toNs = ''] = pattern.exec(page.url()) ?? [];
  const span = `${((Number(toNs) - Number(fromNs)) / 1e9).toFixed(2)} s`;
  await expect.poll(() => page.locator('.toolbar output').innerText()).toContain(span);
  const before = await page.locator('.toolbar output').innerText();
  await page.reload();
  await page.locator('.toolbar output').waitFor();
  await expect.poll(() => page.locator('.toolbar output').innerText()).toBe(before);
  expect(await page.getByRole('button', { name: 'Raw clocks' }).getAttribute('aria-pressed')).toBe(
    'true',
  );
  await page.close();
});

test('the tail has cells or dots, and its turns lead to the timeline', async () => {
  const from = `${ran.answers.detail.zeroUnixNs.slice(0, -9)}000000000`;
  const to = String(BigInt(from) + 120_000_000_000n);
  const { page, problems } = await browser.open(`${collector.url}/tail?from=${from}&to=${to}`);
  const canvas = page.locator('.heat canvas');
  await canvas.waitFor();
  const box = (await canvas.boundingBox())!;
  await page.mouse.move(box.x + 90, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 70, box.y + box.height - 60, { steps: 4 });
  await page.mouse.up();
  await page.locator('.turn-line').first().click();
  await page.getByRole('heading', { name: /^Turn \d+ of \d+$/ }).waitFor();
  expect(page.url()).toContain(`/sessions/${ran.answers.detail.key}?turn=`);
  expect(problems()).toEqual([]);
  await page.close();
});
