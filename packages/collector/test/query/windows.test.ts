import { expect, test } from 'vitest';
import { SessionEngine } from '../../src/assemble/engine.ts';
import { frames } from '../../src/query/frames.ts';
import type { QueryContext } from '../../src/query/queries.types.ts';
import { gridOf, timeline } from '../../src/query/timeline.ts';
import type { StoredFlush, StoreReader } from '../../src/store/store.ts';
import { batch, BOOK, flush, HERE, KEY, MS, NOON, SECOND } from '../assemble/call.ts';

/** The store with one session in it; only what windows read. */
function contextOf(flushes: readonly StoredFlush[]): QueryContext {
  const budgets = { frame: 300 * MS };
  const engine = new SessionEngine({ clockBook: BOOK, startedUnixNs: NOON, budgets });
  engine.ingest(batch(flushes));
  const { session } = engine.tick(NOON).derived[0]!;
  const reader = {
    session: (key: string) => Promise.resolve(key === KEY ? session : undefined),
    flushes: () => Promise.resolve(flushes),
    collectorClocks: () => Promise.resolve([{ ...HERE, sinceCommit: 0 }]),
    flushesSince: () => Promise.resolve(flushes),
  } as unknown as StoreReader;
  return { reader, nowUnixNs: () => NOON, budgets };
}

const call = (lost: readonly number[] = []): StoredFlush[] =>
  [0, 1, 2, 3, 4, 5].flatMap(s => [
    flush({ producer: 'client', seq: s, fromS: s, toS: s + 1 }),
    flush({ producer: 'agent', seq: s, fromS: s, toS: s + 1, lost }),
  ]);

test('buckets are a power of two times 1 ms and line up with those of the next window', () => {
  expect(gridOf(0, 8 * SECOND, 1_000)).toEqual({ fromNs: 0, bucketNs: 8 * MS, buckets: 1_000 });
  expect(gridOf(0, 8 * SECOND + 1, 1_000).bucketNs).toBe(16 * MS);
  expect(gridOf(5 * MS, 37 * MS, 10)).toEqual({ fromNs: 4 * MS, bucketNs: 4 * MS, buckets: 9 });
  expect(gridOf(-3 * MS, 3 * MS, 1)).toMatchObject({ buckets: 2 });
});

test('a bucket shows how many frames, the worst of them, and what was lost; never the mean', async () => {
  const answer = await timeline(contextOf(call([10, 12])), KEY, {
    fromNs: 0,
    toNs: 6 * SECOND,
    buckets: 12,
  });
  const [mic, agent] = answer!.hops;
  expect(answer!.bucketNs).toBe(512 * MS);
  expect(mic!.count.reduce((a, b) => a + b)).toBe(300);
  expect(agent!.count.reduce((a, b) => a + b)).toBe(298);
  expect(agent!.lost).toEqual([2, ...Array.from({ length: agent!.lost.length - 1 }, () => 0)]);
  expect(Math.round(agent!.worstNs[3]! / MS)).toBe(30);
});

test('a window holds the frames that left each hop in it: from its start, up to its end', async () => {
  const answer = await frames(contextOf(call()), KEY, { fromNs: 80 * MS, toNs: 120 * MS });
  // The zero is the first data, the start of the first frame.
  const rows = answer!.hops.map(hop => [
    hop.key,
    Array.from({ length: hop.length }, (_, i) => hop.startTick[i]! / 320),
  ]);
  expect(rows).toEqual([
    ['mic.client/capture', [3, 4]],
    ['mic.agent/receive', [2, 3]],
  ]);
  expect(answer!.truncated).toBe(false);
});

test('a session that is not there answers nothing', async () => {
  const context = contextOf(call());
  expect(await timeline(context, 'nobody', { buckets: 10 })).toBeUndefined();
  expect(await frames(context, 'nobody', {})).toBeUndefined();
});
