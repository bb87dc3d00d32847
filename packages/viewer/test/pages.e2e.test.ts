// The pages on a real collector, in a real Chromium: plain OpenTelemetry in,
// hostile names out as text, addresses, keys, narrow screens, a collector that goes and comes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCollector, type Collector } from 'framescope';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../../../test/browser.ts';

const HOSTILE = '<img src=x onerror="document.title=1"><script>alert(1)</script>';
const TRACE = 'a'.repeat(31) + '1';
const viewerFolder = fileURLToPath(new URL('../dist/', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'framescope-pages-'));

let browser: TestBrowser;
let collector: Collector;

beforeAll(async () => {
  collector = await startCollector({ data, viewerFolder });
  browser = await launchBrowser();
  await send('call-1', TRACE);
});

afterAll(async () => {
  await browser.close();
  await collector.close();
  rmSync(data, { recursive: true, force: true });
});

const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });

async function send(sessionId: string, traceId: string): Promise<void> {
  const start = BigInt(Date.now()) * 1_000_000n;
  const span = (n: number, name: string) => ({
    traceId,
    spanId: String(n).padStart(16, '0'),
    ...(n > 1 ? { parentSpanId: '1'.padStart(16, '0') } : {}),
    name,
    kind: 1,
    startTimeUnixNano: String(start + BigInt(n) * 1_000_000n),
    endTimeUnixNano: String(start + 80_000_000n),
    attributes: [attribute('session.id', sessionId), attribute('note', HOSTILE)],
  });
  const spans = [span(1, 'turn'), span(2, HOSTILE), span(3, 'tts')];
  const resource = { attributes: [attribute('service.name', HOSTILE)] };
  const body = { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] };
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
}

test('a call sent by plain OpenTelemetry is listed, opens, and its trace is one click away', async () => {
  const { page, problems } = await browser.open(`${collector.url}/sessions`);
  await page.getByRole('link', { name: 'call-1' }).click();
  await page.getByRole('heading', { name: 'call-1' }).waitFor();
  expect(page.url()).toContain('/sessions/');
  await page.goto(`${collector.url}/traces`);
  await page.getByRole('link', { name: 'turn', exact: true }).click();
  await page.getByRole('treeitem').first().waitFor();
  expect(page.url()).toContain(TRACE);
  expect(problems()).toEqual([]);
  await page.close();
});

test('names out of telemetry are shown as text and never run', async () => {
  const { page, problems } = await browser.open(`${collector.url}/traces/${TRACE}`);
  const row = page.getByRole('treeitem', { name: '<script>alert(1)</script>' });
  await row.first().click();
  await page.getByRole('complementary').getByText(HOSTILE).first().waitFor();
  expect(await page.locator('img, script:not([src])').count()).toBe(0);
  expect(await page.title()).toBe('Trace · Framescope');
  expect(problems()).toEqual([]);
  await page.close();
});

test('the slash key goes to the search, and a search is an address', async () => {
  const { page, problems } = await browser.open(`${collector.url}/`);
  await page.keyboard.press('/');
  await page.keyboard.type('call-1');
  await page.locator('a.hit').first().waitFor();
  expect(page.url()).toBe(`${collector.url}/?q=call-1`);
  await page.reload();
  await page.locator('a.hit').first().waitFor();
  expect(problems()).toEqual([]);
  await page.close();
});

test('what is not there says so, and the question mark shows the keys', async () => {
  const { page } = await browser.open(`${collector.url}/nowhere`);
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.goto(`${collector.url}/traces/${'f'.repeat(32)}`);
  await page.getByRole('alert').getByRole('heading', { name: 'Not here' }).waitFor();
  expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(1);
  await page.close();
});

test('no page is wider than a phone', async () => {
  for (const path of [
    '/',
    '/sessions',
    '/tail',
    '/compare',
    '/places',
    '/traces',
    `/traces/${TRACE}`,
  ]) {
    const { page } = await browser.open(`${collector.url}${path}`, { widthPx: 360, heightPx: 740 });
    await page.locator('main *').first().waitFor();
    await page.locator('.progress').first().waitFor({ state: 'detached' });
    const widths = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.querySelector('main')!.scrollWidth,
    ]);
    expect(widths.map(px => `${path} ${px <= 360}`)).toEqual([`${path} true`, `${path} true`]);
    await page.close();
  }
});

test('eight tabs are open and each is told of a new call, over one stream', async () => {
  const tabs = [];
  for (let tab = 0; tab < 8; tab++)
    tabs.push((await browser.open(`${collector.url}/sessions`)).page);
  await send('call-for-all', 'c'.repeat(32));
  for (const page of tabs)
    await page.getByRole('link', { name: 'call-for-all' }).waitFor({ timeout: 10_000 });
  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  expect(metrics).toMatch(/^framescope_collector_live_listeners\S* 1$/m);
  for (const page of tabs) await page.close();
});

test('when the collector goes and comes back the open page goes on, with what came since', async () => {
  const { page } = await browser.open(`${collector.url}/sessions`);
  await page.locator('tr[data-key]').first().waitFor();
  const { port } = collector;
  await collector.close();
  await page.getByText('The collector went away.').waitFor();
  expect(await page.getByRole('link', { name: 'call-1' }).count()).toBe(1);
  collector = await startCollector({ data, viewerFolder, port });
  await page.getByText('The collector went away.').waitFor({ state: 'hidden', timeout: 3_000 });
  await send('call-2', 'b'.repeat(32));
  await page.getByRole('link', { name: 'call-2' }).waitFor({ timeout: 10_000 });
  expect(await page.locator('tr[data-key]').count()).toBe(3);
  await page.close();
});
