// Pages under what telemetry should not hold: HTML, 10 kB names, right-to-left
// text, emoji, no numbers, negative lengths, a gap of a day, 500 lanes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sessionKey } from '@framescope/protocol';
import { startCollector, type Collector } from 'framescope';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../../../test/browser.ts';

const viewerFolder = fileURLToPath(new URL('../dist/', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'framescope-hostile-'));
const HTML = '<svg onload=document.title=1><a href="javascript:alert(1)">x</a>';
const LONG = 'long '.repeat(2_000);
const RTL = '\u202Eevil\u202C عربى 🎙️👩‍👩‍👧 \u0000\u0007';
const TRACE = 'e'.repeat(32);
const HOUR_NS = 3_600_000_000_000n;

let browser: TestBrowser;
let collector: Collector;

beforeAll(async () => {
  collector = await startCollector({ data, viewerFolder });
  browser = await launchBrowser();
  await send(hostileSpans());
  // The collector answers after it has stored; what is derived follows within a second.
  for (let ask = 0; ask < 100 && !(await isListed(HTML)); ask++) await sleep(100);
});

afterAll(async () => {
  await browser.close();
  await collector.close();
  rmSync(data, { recursive: true, force: true });
});

async function isListed(id: string): Promise<boolean> {
  const answer = await (await fetch(`${collector.url}/api/v1/sessions`)).text();
  return answer.includes(JSON.stringify(id).slice(1, -1));
}

const attribute = (key: string, value: object): object => ({ key, value });

interface SpanParts {
  readonly n: number;
  readonly session: string;
  readonly name?: string;
  readonly startNs?: bigint;
  readonly lengthNs?: bigint;
  readonly attributes?: readonly object[];
}

function spanOf({ n, session, name = 'x', startNs, lengthNs, attributes = [] }: SpanParts): object {
  const start = startNs ?? BigInt(Date.now()) * 1_000_000n - HOUR_NS;
  return {
    traceId: TRACE,
    spanId: n.toString(16).padStart(16, '0'),
    name,
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + (lengthNs ?? 5_000_000n)),
    attributes: [attribute('session.id', { stringValue: session }), ...attributes],
  };
}

function hostileSpans(): object[] {
  const now = BigInt(Date.now()) * 1_000_000n;
  const plain = [HTML, LONG, RTL].map((text, i) =>
    spanOf({
      n: i + 1,
      session: text,
      name: text,
      attributes: [
        attribute(text.slice(0, 200), { stringValue: text }),
        attribute('nan', { doubleValue: 'NaN' }),
        attribute('infinite', { doubleValue: '-Infinity' }),
      ],
    }),
  );
  // One that ends before it begins, one a day before the others, and 500 names.
  return [
    ...plain,
    spanOf({ n: 10, session: HTML, name: 'ends first', lengthNs: -9_000_000n }),
    spanOf({ n: 11, session: HTML, name: 'a day before', startNs: now - 25n * HOUR_NS }),
    ...Array.from({ length: 500 }, (_, i) =>
      spanOf({ n: 1000 + i, session: HTML, name: `lane ${i}` }),
    ),
  ];
}

async function send(spans: readonly object[]): Promise<void> {
  const resource = { attributes: [attribute('service.name', { stringValue: RTL })] };
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }),
  });
  expect(response.status).toBe(200);
}

const session = (id: string): string => `/sessions/${sessionKey(id)}`;
const PATHS = [
  '/',
  `/?q=${encodeURIComponent(HTML)}`,
  '/sessions',
  '/tail',
  '/compare',
  '/places',
  '/collector',
  '/traces',
  `/traces/${TRACE}`,
];

test('whatever the names are, every page is drawn, fits a phone, and runs none of them', async () => {
  for (const path of [...PATHS, session(HTML), session(LONG), session(RTL)]) {
    const { page, problems } = await browser.open(collector.url + path, {
      widthPx: 360,
      heightPx: 740,
    });
    await page.locator('.progress').first().waitFor({ state: 'detached' });
    const seen = await page.evaluate(() => ({
      text: document.querySelector('main')!.textContent!.length,
      width: document.documentElement.scrollWidth,
      title: document.title,
      foreign: document.querySelectorAll('main script, main iframe, [href^="javascript"]').length,
    }));
    expect({ path, ...seen, text: seen.text > 20 && seen.text < 200_000 }).toEqual({
      path,
      text: true,
      width: 360,
      title: expect.stringContaining('Framescope'),
      foreign: 0,
    });
    expect(problems()).toEqual([]);
    await page.close();
  }
});

test('characters that turn text around are not let through', async () => {
  const { page } = await browser.open(collector.url + session(RTL));
  await page.getByRole('heading', { level: 1 }).waitFor();
  const text = await page.locator('main').innerText();
  expect(text).not.toMatch(/\p{Bidi_Control}/u);
  expect(text).not.toContain('\u0007');
  expect(text).toContain('evil');
  await page.close();
});

test('a trace with a span that ends before it begins and a gap of a day can be walked by keyboard', async () => {
  const { page, problems } = await browser.open(`${collector.url}/traces/${TRACE}`);
  await page.getByRole('treeitem').first().waitFor();
  for (const key of ['ArrowDown', 'ArrowDown', 'w', 'w', 'd', 'f', 's'])
    await page.keyboard.press(key);
  await page.getByRole('complementary').getByRole('heading').first().waitFor();
  expect(page.url()).toContain('span=');
  expect(problems()).toEqual([]);
  await page.close();
});

test('addresses that make no sense show a page and no error', async () => {
  for (const path of [
    `${session(HTML)}?from=NaN&to=-5&turn=1e99&frame=:::&clock=%00`,
    '/tail?from=99999999999999999999&to=0&range=000d&pick=~~~&group=%3Cb%3E',
    '/tail?measure=part.%00',
    '/compare?aFilter=((((&bFrom=-1',
    '/%E0%A4%A',
  ]) {
    const { page, problems } = await browser.open(collector.url + path);
    await page.locator('main *').first().waitFor();
    await page.locator('.progress').first().waitFor({ state: 'detached' });
    expect((await page.locator('main').innerText()).length).toBeGreaterThan(10);
    // What the collector refuses is told on the page; the browser logs it too.
    expect(problems().filter(one => !one.includes('status of 4'))).toEqual([]);
    await page.close();
  }
});
