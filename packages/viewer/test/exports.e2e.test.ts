// Pages that are lists save what they show: every row once, pictures as pictures.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient, runCall, scenarioOf, turnOf } from '@framescope/testkit';
import { startCollector, type Collector } from 'framescope';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../../../test/browser.ts';

const viewerFolder = fileURLToPath(new URL('../dist/', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'framescope-exports-'));
const CALLS = 3;

let browser: TestBrowser;
let collector: Collector;

beforeAll(async () => {
  collector = await startCollector({ data, viewerFolder });
  browser = await launchBrowser();
  const api = new ApiClient(collector.url);
  for (let i = 0; i < CALLS; i++)
    await runCall(
      api,
      scenarioOf({
        id: `call-${i}`,
        seed: i + 1,
        attributes: { call: `number ${i}` },
        startUnixMs: Date.now() - 60_000 * (i + 1),
        turns: Array.from({ length: 8 }, () => turnOf()),
      }),
    );
}, 120_000);

afterAll(async () => {
  await browser.close();
  await collector.close();
  rmSync(data, { recursive: true, force: true });
});

/** What a press on this entry of the export menu saves: its name and its text. */
async function saved(page: Page, entry: string): Promise<{ name: string; text: string }> {
  await page.locator('summary:visible').filter({ hasText: 'Export' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: entry, exact: true }).click(),
  ]);
  return {
    name: download.suggestedFilename(),
    text: readFileSync(await download.path(), 'utf8'),
  };
}

test('Find saves the calls and the slowest turns it shows, and what was found', async () => {
  const { page, problems } = await browser.open(collector.url);
  await page.locator('.tile .line').first().waitFor();
  const turns = page.locator('.tile').filter({ hasText: 'Slowest turns' }).locator('.line');
  await turns.first().waitFor();
  const calls = await saved(page, 'Calls shown (CSV)');
  expect(calls.name).toBe('calls.csv');
  expect(calls.text.split('\r\n')).toHaveLength(1 + CALLS);
  const slowest = await saved(page, 'Slowest turns (CSV)');
  expect(slowest.text.split('\r\n')).toHaveLength(1 + (await turns.count()));
  const all = JSON.parse((await saved(page, 'Everything shown (JSON)')).text) as {
    calls: readonly { id: string }[];
  };
  await page.goto(`${collector.url}/?q=${encodeURIComponent(all.calls[0]!.id)}`);
  await page.locator('a.hit').first().waitFor();
  const found = await saved(page, 'What was found (CSV)');
  expect(found.text.split('\r\n')).toHaveLength(1 + (await page.locator('a.hit').count()));
  expect(found.text).toContain(all.calls[0]!.id);
  expect(problems()).toEqual([]);
  await page.close();
});

test('Places saves its tables, and its charts as one picture', async () => {
  const { page, problems } = await browser.open(`${collector.url}/places`);
  await page.locator('.chart > svg').first().waitFor({ timeout: 120_000 });
  const ways = await saved(page, 'Ways between places (CSV)');
  const table = page.getByRole('table', { name: 'Ways between places' });
  expect(ways.text.split('\r\n')).toHaveLength(await table.getByRole('row').count());
  const all = JSON.parse((await saved(page, 'Everything shown (JSON)')).text) as {
    places: { legs: readonly object[] };
    advice: object | null;
  };
  expect(all.places.legs).toHaveLength(ways.text.split('\r\n').length - 1);
  expect(all.advice).not.toBeNull();
  const charts = await saved(page, 'Charts (SVG)');
  expect(charts.name).toBe('places.svg');
  expect(charts.text.match(/<svg/g)).toHaveLength(1 + (await page.locator('.chart > svg').count()));
  const picture = await saved(page, 'Charts (PNG)');
  expect(picture.text.slice(1, 4)).toBe('PNG');
  expect(problems()).toEqual([]);
  await page.close();
}, 240_000);

test('small multiples are saved as one picture, each under its name', async () => {
  const { page, problems } = await browser.open(`${collector.url}/tail?group=call`);
  const groups = page.locator('.multiple');
  await expect.poll(() => groups.count()).toBe(CALLS);
  const { text } = await saved(page, 'Pictures (SVG)');
  expect(text.match(/<image/g)).toHaveLength(CALLS);
  for (const name of await groups.locator('h2').allTextContents()) expect(text).toContain(name);
  expect((await saved(page, 'Pictures (PNG)')).text.slice(1, 4)).toBe('PNG');
  expect(problems()).toEqual([]);
  await page.close();
});
