// Calls that should not be: one frame, 500 lanes, a clock that leaps by years, times that are no
// numbers or run backwards, a gap of a day. And a collector that goes while each page is open.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  encodeRecord,
  recordSpanId,
  sessionKey,
  sessionTraceId,
  toBase64,
  unixNs,
  type FrameRecord,
} from '@framescope/protocol';
import { startCollector, type Collector } from 'framescope';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type TestBrowser } from '../../../test/browser.ts';

const viewerFolder = fileURLToPath(new URL('../dist/', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'framescope-strange-'));
const PRODUCER = '0f'.repeat(8);
const TRACE = 'e'.repeat(32);
const RATE = 16_000;
const FRAME_TICKS = 320;
const FRAME_NS = 20_000_000;
const START_NS = BigInt(Date.now() - 600_000) * 1_000_000n;
const DAY_NS = 86_400_000_000_000n;

let browser: TestBrowser;
let collector: Collector;

beforeAll(async () => {
  collector = await startCollector({ data, viewerFolder });
  browser = await launchBrowser();
  await send('one-frame', [recordOf({ hops: ['client/capture'], frames: 1 })]);
  await send('many-lanes', [
    recordOf({ hops: Array.from({ length: 500 }, (_, i) => `hop${i}/seen`), frames: 20 }),
  ]);
  await send('leaping-clock', [
    recordOf({ hops: ['client/capture', 'agent/receive'], frames: 100 }),
    // Ten years on, and a new epoch; then ten years back.
    recordOf({
      hops: ['client/capture', 'agent/receive'],
      frames: 100,
      firstFrame: 100,
      seq: 1,
      epoch: 1,
      zeroUnixNs: START_NS + 3_650n * DAY_NS,
    }),
    recordOf({ hops: ['agent/receive'], frames: 50, seq: 2, epoch: 2, zeroUnixNs: 1n }),
  ]);
  await send('day-between', [
    recordOf({ hops: ['client/capture', 'agent/receive'], frames: 50 }),
    recordOf({
      hops: ['client/capture', 'agent/receive'],
      frames: 50,
      firstFrame: 50,
      seq: 1,
      shiftNs: -Number(DAY_NS),
    }),
  ]);
  await send('backwards', [recordOf({ hops: ['client/capture'], frames: 50 })], backwards());
  for (const id of CALLS) await isListed(id);
  await sendTrace();
});

afterAll(async () => {
  await browser.close();
  await collector.close();
  rmSync(data, { recursive: true, force: true });
});

const CALLS = ['one-frame', 'many-lanes', 'leaping-clock', 'day-between', 'backwards'];

interface RecordSpec {
  readonly hops: readonly string[];
  readonly frames: number;
  readonly firstFrame?: number;
  readonly seq?: number;
  readonly epoch?: number;
  readonly zeroUnixNs?: bigint;
  readonly shiftNs?: number;
}

function recordOf(spec: RecordSpec): FrameRecord {
  const { hops, frames, firstFrame = 0, seq = 0, epoch = 0, shiftNs = 0 } = spec;
  const columns = hops.map((key, place) => {
    const [role = '', name = ''] = key.split('/');
    const column = (of: (frame: number) => number): Float64Array =>
      Float64Array.from({ length: frames }, (_, i) => of(firstFrame + i));
    return {
      hop: { role, name, nth: 0 },
      length: frames,
      startTick: column(frame => frame * FRAME_TICKS),
      endTick: column(frame => (frame + 1) * FRAME_TICKS),
      atNs: column(frame => (frame + 1) * FRAME_NS + place * 1_000_000 + shiftNs),
      late: [],
    };
  });
  return {
    producer: PRODUCER,
    seq,
    domain: 'cd'.repeat(8),
    epoch,
    zeroUnixNs: unixNs(spec.zeroUnixNs ?? START_NS),
    quantumNs: 10_000,
    blocks: [{ stream: 'mic', direction: 'up', sampleRate: RATE, columns, ranges: [] }],
    clockSamples: [],
  };
}

/** A turn that ends before it begins, with a wait from beyond its end and a moment before the call. */
const backwards = (): string =>
  JSON.stringify({
    v: 1,
    session: {
      attributes: { region: '\u202Eevil' },
      authority: true,
      startedAt: 0,
      flushNs: 1e9,
      streams: [{ name: 'mic', sampleRate: RATE, direction: 'up' }],
    },
    turns: [
      {
        tick: 0,
        stream: 'mic',
        traceId: 'a'.repeat(32),
        spanId: 'b'.repeat(16),
        rev: 1,
        startedAt: 9e9,
        endedAt: 1e9,
        outcome: 'completed',
        waits: [
          {
            kind: 'response',
            opens: { stream: 'mic', tick: 9e9, source: 'vad', errorNs: 20e6 },
            closes: { stream: 'mic', tick: 320, source: 'energy', errorNs: 20e6 },
            moments: [{ name: 'turn_decided', at: -5e9 }],
          },
        ],
        stages: [{ name: 'llm', spanId: 'c'.repeat(16), startedAt: 8e9, endedAt: 2e9 }],
        words: [],
      },
    ],
  });

const text = (key: string, value: string): object => ({ key, value: { stringValue: value } });
const integer = (key: string, value: number): object => ({
  key,
  value: { intValue: String(value) },
});

async function send(id: string, records: readonly FrameRecord[], state?: string): Promise<void> {
  const traceId = sessionTraceId(id);
  const spans = records.flatMap(record =>
    encodeRecord(record).map((bytes, part) => ({
      traceId,
      spanId: recordSpanId(PRODUCER, traceId, record.seq, part),
      name: 'audio.frames',
      kind: 1,
      startTimeUnixNano: String(START_NS),
      endTimeUnixNano: String(START_NS + 1_000_000_000n),
      attributes: [
        text('session.id', id),
        text('framescope.producer', PRODUCER),
        integer('framescope.seq', record.seq),
        integer('framescope.record.part', part),
        text('framescope.clock.domain', record.domain),
        integer('framescope.clock.epoch', record.epoch),
        text('framescope.clock.zero_unix_ns', String(record.zeroUnixNs)),
        text('framescope.record', toBase64(bytes)),
        ...(state !== undefined && part === 0 ? [text('framescope.state', state)] : []),
      ],
    })),
  );
  const resource = { attributes: [text('service.name', 'strange')] };
  const scopeSpans = [{ scope: { name: '@framescope/instrument' }, spans }];
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] }),
  });
  if (response.status !== 200) throw new Error(`${id}: ${await response.text()}`);
}

async function isListed(id: string): Promise<void> {
  for (let ask = 0; ask < 100; ask++) {
    const answer = await fetch(`${collector.url}/api/v1/sessions/${sessionKey(id)}`);
    await answer.arrayBuffer();
    if (answer.ok) return;
    await sleep(100);
  }
  throw new Error(`${id} is not there after 10 s`);
}

const LISTS = ['/', '/sessions', '/tail', '/compare', '/places', '/collector', '/traces'];

/** A trace of one span, to be looked at while the collector goes. */
async function sendTrace(): Promise<void> {
  const span = {
    traceId: TRACE,
    spanId: 'a'.repeat(16),
    name: 'turn',
    kind: 1,
    startTimeUnixNano: String(START_NS),
    endTimeUnixNano: String(START_NS + 1_000_000n),
  };
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
  });
  if (response.status !== 200) throw new Error(await response.text());
}

interface Seen {
  readonly text: number;
  readonly isWaiting: boolean;
  readonly isNaN: boolean;
}

test('a state whose numbers are none is refused by name, and the page does not know of it', async () => {
  const state = backwards().replace('"endedAt":1000000000', '"endedAt":1e999');
  const record = recordOf({ hops: ['client/capture'], frames: 5 });
  await expect(send('no-numbers', [record], state)).rejects.toThrow(/endedAt/);
  const answer = await fetch(`${collector.url}/api/v1/sessions/${sessionKey('no-numbers')}`);
  await answer.arrayBuffer();
  expect(answer.status).toBe(404);
});

test('each of them is drawn, in whole and zoomed in, with nothing that spins for ever', async () => {
  for (const id of CALLS) {
    const { page, problems } = await browser.open(`${collector.url}/sessions/${sessionKey(id)}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.locator('.progress').first().waitFor({ state: 'detached' });
    for (const key of ['w', 'w', 'w', 'w', '.', 's', 'f', ']', 'd', 'r', 'Escape'])
      await page.keyboard.press(key);
    await page.waitForTimeout(300);
    const seen = await page.evaluate((): Seen => {
      const shown = document.querySelector('main')!.innerText;
      return {
        text: shown.length,
        isWaiting: document.querySelector('.progress') !== null,
        isNaN: /\bNaN\b|undefined|Invalid Date|Infinity/.test(shown),
      };
    });
    expect({ id, ...seen, text: seen.text > 20 }).toEqual({
      id,
      text: true,
      isWaiting: false,
      isNaN: false,
    });
    expect(problems(), id).toEqual([]);
    await page.close();
  }
});

test('a call of five hundred hops scrolls its lanes and keeps the page', async () => {
  const { page, problems } = await browser.open(
    `${collector.url}/sessions/${sessionKey('many-lanes')}`,
  );
  await page.locator('.lanes canvas').waitFor();
  await expect
    .poll(() => page.locator('.lanes').evaluate(one => one.scrollHeight > one.clientHeight))
    .toBe(true);
  expect(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight)).toBe(
    true,
  );
  expect(problems()).toEqual([]);
  await page.close();
});

test('lists, tail and Find show none of their oddities as numbers that are none', async () => {
  for (const path of [...LISTS, '/?q=frame']) {
    const { page, problems } = await browser.open(collector.url + path);
    await page.locator('main *').first().waitFor();
    await page.locator('.progress').first().waitFor({ state: 'detached' });
    const shown = await page.locator('main').innerText();
    expect(shown, path).not.toMatch(/\bNaN\b|undefined|Invalid Date|Infinity/);
    expect(problems(), path).toEqual([]);
    await page.close();
  }
});

test('on every page the collector may go and come back: said, kept, and gone on with', async () => {
  const paths = [...LISTS, `/sessions/${sessionKey('one-frame')}`, `/traces/${TRACE}`];
  const pages = [];
  for (const path of paths) {
    const { page } = await browser.open(collector.url + path);
    await page.locator('.progress').first().waitFor({ state: 'detached' });
    pages.push(page);
  }
  const { port } = collector;
  await collector.close();
  for (const [i, page] of pages.entries()) {
    await page.bringToFront();
    await page.getByText('The collector went away.').first().waitFor();
    expect((await page.locator('main').innerText()).length, paths[i]!).toBeGreaterThan(20);
  }
  collector = await startCollector({ data, viewerFolder, port });
  for (const [i, page] of pages.entries()) {
    await page.bringToFront();
    await page
      .getByText('The collector went away.')
      .first()
      .waitFor({ state: 'hidden', timeout: 10_000 });
    expect(await page.locator('.progress').count(), paths[i]!).toBe(0);
    await page.close();
  }
});
