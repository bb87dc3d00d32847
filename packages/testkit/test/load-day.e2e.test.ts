// The simulated day in a real collector: it is there, it is labelled, and a
// second load of the same day adds nothing.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadDay, SYNTHETIC_LABEL } from '@framescope/testkit';
import { testCollector, type TestCollector } from './collector.ts';

let collector: TestCollector;
beforeAll(async () => {
  collector = await testCollector();
});
afterAll(() => collector.close());

const DAY_MS = 86_400_000;
const endUnixMs = Math.floor(Date.now() / 3_600_000) * 3_600_000;

/** What the day looks like from above, once it no longer changes. */
async function settledDay(): Promise<string> {
  const query = {
    measure: 'voice_to_voice.client',
    from: `${endUnixMs - DAY_MS}000000`,
    to: `${endUnixMs}000000`,
  };
  let last = '';
  for (let same = 0; same < 4;) {
    await new Promise(resolve => setTimeout(resolve, 250));
    const { total, coverage, cells, neverAnswered } = await collector.api.heatmap(query);
    const { items } = await collector.api.sessions();
    const sessions = items.map(one => [
      one.id,
      one.turnCount,
      one.spanCount,
      one.frames,
      one.status,
    ]);
    const now = JSON.stringify({ total, coverage, cells, neverAnswered, sessions });
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}

/** How much of it is listed by now. */
async function toldOf(): Promise<{ calls: number; turns: number; isOver: boolean }> {
  const { items } = await collector.api.sessions();
  return {
    calls: items.length,
    turns: items.reduce((sum, one) => sum + one.turnCount, 0),
    isOver: items.every(one => one.status === 'ended'),
  };
}

test('a small day is listed with its label, regions and releases, and loading it again adds nothing', async () => {
  const load = { url: collector.api.url, turns: 120, seed: 1, endUnixMs };
  const loaded = await loadDay(load);
  await expect
    .poll(toldOf, { timeout: 60_000 })
    .toEqual({ calls: loaded.calls, turns: loaded.turns, isOver: true });
  const first = await settledDay();
  const { items } = await collector.api.sessions();
  expect(new Set(items.map(one => one.synthetic))).toEqual(new Set([SYNTHETIC_LABEL]));
  expect(new Set(items.map(one => one.attributes['release'])).size).toBe(2);
  expect(new Set(items.map(one => one.attributes['region'])).size).toBe(3);
  expect(await loadDay(load)).toEqual(loaded);
  expect(await settledDay()).toBe(first);
});

const LOAD_DAY = fileURLToPath(new URL('../out/load-day.js', import.meta.url));

test('a folder kept from earlier gets no second day over the first, and is told so', async () => {
  const { url } = collector.api;
  const before = (await collector.api.sessions()).items.length;
  const loadUntil = async (endMs: number): Promise<string> => {
    const end = new Date(endMs).toISOString();
    const args = [LOAD_DAY, '--url', url, '--turns', '120', '--end', end];
    return (await promisify(execFile)(process.execPath, args)).stdout;
  };
  // The same, and an hour and 23 hours later.
  for (const hours of [0, 1, 23])
    expect(await loadUntil(endUnixMs + hours * 3_600_000)).toMatch(
      /^simulated day: one until \S+ \d\d:00 UTC is there already \(\d+ calls\); not loaded again\..*\n$/,
    );
  expect((await collector.api.sessions()).items).toHaveLength(before);
});
