// What people set in the pages, on a real collector, in a real Chromium: budgets, kept calls, marks;
// a recording beside the frames; where spans are handed on; every page at every width.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient, runCall, scenarioOf, turnOf, type Ran } from '@framescope/testkit';
import { startCollector, type Collector } from 'framescope';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../../../test/browser.ts';

const viewerFolder = fileURLToPath(new URL('../dist/', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'framescope-set-pages-'));

let browser: TestBrowser;
let collector: Collector;
let ran: Ran;
/** A target that spans are handed on to and that takes none. */
let deaf: Server;

beforeAll(async () => {
  deaf = createServer((_request, response) => response.writeHead(503).end());
  await new Promise<void>(resolve => deaf.listen(0, '127.0.0.1', resolve));
  const { port } = deaf.address() as AddressInfo;
  const forward = [
    {
      id: 'deaf',
      name: `otlp+http://127.0.0.1:${port}`,
      protocol: 'http',
      isTls: false,
      authority: `127.0.0.1:${port}`,
      path: '',
      headers: {},
      send: new Set(['all'] as const),
      delayMs: 0,
      queueBytesMax: 1e6,
      isGzip: false,
      fromStart: true,
    },
  ] as const;
  collector = await startCollector({ data, viewerFolder, forward });
  browser = await launchBrowser(['--autoplay-policy=no-user-gesture-required']);
  ran = await runCall(
    new ApiClient(collector.url),
    scenarioOf({
      id: 'set-call',
      startUnixMs: Date.now() - 60_000,
      turns: [turnOf(), turnOf({ preemptive: true })],
    }),
  );
});

afterAll(async () => {
  await browser.close();
  await collector.close();
  deaf.close();
  rmSync(data, { recursive: true, force: true });
});

const call = (query: string = ''): string =>
  `${collector.url}/sessions/${ran.answers.detail.key}${query}`;

test('a budget set in the page is the one of every page, at once and in other tabs after a reload', async () => {
  const turn = ran.answers.turns[0]!;
  const wait = turn.waits.find(one => one.kind === 'response')!;
  const { page, problems } = await browser.open(`${collector.url}/collector`);
  const limit = page.getByLabel('Limit of Voice to voice (every definition)');
  await limit.fill('soon');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('is no length of time').waitFor();
  await limit.fill('0.1 s');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved; it applies now.').waitFor();
  await page.getByText('set here; else 800 ms').waitFor();
  // One of a part too.
  await page.getByLabel('Give another measure a limit').selectOption('part.inference');
  await page.keyboard.type('1 ms');
  await page.keyboard.press('Enter');
  await page.getByText('part.inference').waitFor();
  await page.getByRole('link', { name: 'Tail' }).click();
  await page.getByText('Over the budget of 100 ms').waitFor();
  await page.getByRole('link', { name: 'Sessions' }).click();
  await page.locator('.strip[aria-label*="budget 100 ms"]').waitFor();
  await page
    .getByRole('cell', { name: String(ran.answers.turns.length), exact: true })
    .first()
    .waitFor();
  await page.goto(call(`?turn=${turn.tick}`));
  await page.getByText(`over the budget of 100 ms`).waitFor();
  expect(await page.getByText('budget 1.0 ms').count()).toBeGreaterThan(0);
  expect(wait.waitNs).toBeGreaterThan(100e6);
  expect(problems()).toEqual([]);
  await page.close();
});

test('of two who edit budgets at once the second is told, and sees what the first did', async () => {
  const first = (await browser.open(`${collector.url}/collector`)).page;
  const second = (await browser.open(`${collector.url}/collector`)).page;
  for (const [page, text] of [
    [first, '400'],
    [second, '500'],
  ] as const) {
    await page.getByLabel('Limit of Frame age (every hop)').fill(text);
    await page.getByRole('button', { name: 'Save' }).click();
  }
  await second.getByText('Somebody else changed them meanwhile').waitFor();
  expect(await second.getByLabel('Limit of Frame age (every hop)').inputValue()).toBe('400 ms');
  await first.close();
  await second.close();
});

test('M keeps a call, every list says so, and the collector page lets it go', async () => {
  const { page, problems } = await browser.open(call());
  await page.getByRole('button', { name: '◇ Keep' }).waitFor();
  await page.locator('.lanes').focus();
  await page.keyboard.press('m');
  await page.getByRole('button', { name: '◆ Kept' }).waitFor();
  await page.getByRole('link', { name: 'Sessions' }).click();
  await page.getByRole('button', { name: 'Kept' }).click();
  expect(new URL(page.url()).searchParams.get('filter')).toBe('pinned:true');
  await page.locator('tr[data-key] .pin').waitFor();
  await page.getByRole('link', { name: 'Collector' }).click();
  await page.getByRole('button', { name: 'Let go of set-call' }).click();
  await page.getByText('None yet.').first().waitFor();
  await page.goto(`${collector.url}/sessions?filter=pinned%3Atrue`);
  await page.getByText('No call passes the filter').waitFor();
  expect(problems()).toEqual([]);
  await page.close();
});

test('a time is marked in the page, stands on the heatmap and between sessions, and parts a comparison', async () => {
  const { page, problems } = await browser.open(`${collector.url}/tail?range=1h`);
  await page.getByRole('button', { name: 'Mark', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Mark this time' });
  await dialog.getByLabel('Text').fill('Release <b>9</b>');
  await dialog.getByRole('button', { name: 'Mark' }).click();
  await page.goto(`${collector.url}/tail?range=15m`);
  await page.getByRole('button', { name: 'deploy Release <b>9</b>' }).click();
  await page.getByRole('button', { name: 'Compare before and after' }).click();
  await page.getByRole('heading', { name: 'Compare' }).waitFor();
  const query = new URL(page.url()).searchParams;
  expect(query.get('aTo')).toBe(query.get('bFrom'));
  await page.getByLabel('Before and after a mark').waitFor();
  await page.goto(`${collector.url}/sessions`);
  await page.locator('.mark-row').getByRole('button').click();
  await page.getByRole('button', { name: 'Take it away' }).click();
  await page.locator('.mark-row').waitFor({ state: 'detached' });
  expect(problems()).toEqual([]);
  await page.close();
});

/** A second of tone for each stretch of speech, left the user and right the agent, `leadS` before the call. */
function recordingOf(leadS: number): string {
  const rate = 8_000;
  const endS =
    Math.max(...ran.answers.turns.map(turn => (turn.agent ?? turn.user)?.endNs ?? 0)) / 1e9;
  const length = Math.ceil((endS + leadS + 1) * rate);
  const bytes = Buffer.alloc(44 + length * 4);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + length * 4, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate * 4, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(length * 4, 40);
  for (const turn of ran.answers.turns)
    for (const [channel, speech] of [turn.user, turn.agent].entries()) {
      if (!speech) continue;
      const at = (ns: number): number => Math.round((ns / 1e9 + leadS) * rate);
      for (let i = at(speech.startNs); i < at(speech.endNs); i++)
        bytes.writeInt16LE(Math.round(9_000 * Math.sin(i / 3)), 44 + i * 4 + channel * 2);
    }
  const path = join(data, 'call.wav');
  writeFileSync(path, bytes);
  return path;
}

test('a recording opened from a file lies beside the frames, plays in step, and goes nowhere', async () => {
  const { page, problems } = await browser.open(call());
  await page.locator('.overview').waitFor();
  const sent: string[] = [];
  page.on('request', request => {
    if (request.method() !== 'GET') sent.push(request.url());
  });
  await page.locator('input[type=file]').setInputFiles(recordingOf(2.5));
  await page.getByText('fitted to the turns').waitFor();
  // It began 2.5 s before the call, found by what was said to a few hundredths.
  const begins = await page.locator('.player').getByText('begins at').textContent();
  expect(begins).toMatch(/begins at −0:02\.(4[6-9]|5[0-4])\d/);
  expect(await page.locator('.tracks [role=img]').getAttribute('aria-label')).toContain(
    'left: user',
  );
  const place = page.getByLabel('Place in the recording');
  const before = await place.textContent();
  // Nothing that has the focus is pressed by the space bar here: it plays.
  await page.locator('.lanes').focus();
  await page.keyboard.press(' ');
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await expect.poll(() => place.textContent()).not.toBe(before);
  await page.keyboard.press(' ');
  await page.getByRole('button', { name: 'Play' }).waitFor();
  // A press on the waveform goes there.
  const box = (await page.locator('.tracks').boundingBox())!;
  await page.mouse.click(box.x + box.width * 0.6, box.y + 20);
  const headAt = async (): Promise<number> =>
    Number(await page.locator('.tracks .playhead').getAttribute('x1'));
  await expect.poll(async () => Math.abs((await headAt()) - box.width * 0.6)).toBeLessThan(2);
  await page.keyboard.press('j');
  await expect.poll(headAt).toBeLessThan(box.width * 0.6 - 5);
  await page.getByRole('button', { name: 'Recording 1 s later' }).click();
  await page.getByText('set by hand').waitFor();
  expect(sent).toEqual([]);
  expect(problems()).toEqual([]);
  await page.close();
});

test('a file that is no audio says so, and the page goes on', async () => {
  const { page } = await browser.open(call());
  await page.locator('.overview').waitFor();
  const path = join(data, 'no.wav');
  writeFileSync(path, 'RIFF????WAVEnothing');
  await page.locator('input[type=file]').setInputFiles(path);
  await page.getByText('This file cannot be played: it has no data.').waitFor();
  writeFileSync(path, 'words');
  await page.locator('input[type=file]').setInputFiles(path);
  await page.getByText('it is no audio that this browser knows').waitFor();
  expect(await page.locator('.lanes canvas').count()).toBe(1);
  await page.close();
});

test('a target that takes nothing is shown with what it said, and how far behind it is', async () => {
  const { page } = await browser.open(`${collector.url}/collector`);
  await page.getByText('retrying').waitFor({ timeout: 20_000 });
  await page.getByText(/503/).first().waitFor();
  const row = page.locator('#forward tbody tr');
  expect(await row.locator('td').nth(2).textContent()).not.toBe('none');
  expect(await row.locator('td').nth(3).textContent()).toBe('0');
  await page.close();
});

const PAGES = ['/', '/sessions', '/tail?range=24h', '/compare', '/places', '/traces', '/collector'];

test('every page at 360, 768, 1280, 1920 and 3840 keeps within the window, light and dark', async () => {
  const turn = ran.answers.turns[1]!;
  const paths = [
    ...PAGES,
    new URL(call(`?turn=${turn.tick}`)).pathname + `?turn=${turn.tick}`,
    `/traces/${turn.traceId}`,
  ];
  const wide: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [widthPx, heightPx] of [
      [360, 740],
      [768, 1024],
      [1280, 800],
      [1920, 1080],
      [3840, 2160],
    ] as const) {
      const { page } = await browser.open(`${collector.url}/`, { widthPx, heightPx, colorScheme });
      for (const path of paths) {
        await page.goto(collector.url + path);
        await page.locator('main h1').first().waitFor();
        const over = await page.evaluate(() =>
          [document.documentElement, document.querySelector('main')!].map(
            one => one.scrollWidth - one.clientWidth,
          ),
        );
        if (over.some(px => px > 0)) wide.push(`${path} at ${widthPx}: ${over.join(', ')} px over`);
      }
      await page.close();
    }
  expect(wide).toEqual([]);
}, 240_000);
