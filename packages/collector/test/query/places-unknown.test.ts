// What is not known of places is said so and never guessed: processes without a region, names that change
// with each start, two callers on one call ID, an instance that never says goodbye.

import { domainNs, type Findings, type Places } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { SessionEngine } from '../../src/assemble/engine.ts';
import type { DerivedRows, StoredFlush } from '../../src/store/store.ts';
import { BOOK, flush, MS, NOON, SECOND, turn } from '../assemble/call.ts';
import { storeOf, type Ask } from '../support/charts.ts';

interface CallSpec {
  readonly key: string;
  readonly flushes: readonly StoredFlush[];
}

/** What the assembly makes of a call, as it would be stored. */
function assembled({ key, flushes }: CallSpec): DerivedRows {
  const engine = new SessionEngine({
    clockBook: BOOK,
    startedUnixNs: NOON - 3_600_000_000_000n,
    budgets: { voice_to_voice: 800 * MS },
  });
  engine.ingest({
    commit: 1,
    arrivalUnixNs: NOON,
    sessions: [{ key, id: `call ${key}`, incarnation: 0, isNew: true }],
    spanCount: 0,
    tallies: [],
    spans: [],
    flushes: flushes.map((one, i) => ({ ...one, sessionKey: key, commit: i + 1 })),
  });
  const { derived } = engine.tick(NOON + BigInt(60 * SECOND));
  expect(derived).toHaveLength(1);
  return derived[0]!;
}

interface From {
  readonly producer?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Seconds of one process, which is called what `from` says. */
const seconds = (
  producer: 'client' | 'agent' | 'successor',
  [fromS, toS]: readonly [number, number],
  from: From = {},
): StoredFlush[] =>
  Array.from({ length: toS - fromS }, (_, i) => {
    const s = fromS + i;
    const own = flush({ producer, seq: s, fromS: s, toS: s + 1, session: {} });
    return {
      ...own,
      ...(from.producer === undefined
        ? {}
        : { producer: from.producer, spanId: `${own.spanId.slice(0, 15)}9` as typeof own.spanId }),
      resource: { attributes: { 'service.name': producer, ...from.attributes } },
    };
  });

const EU = { 'cloud.region': 'eu' };
const RANGE = { fromUnixNs: NOON - 60_000_000_000n, toUnixNs: NOON + 3_600_000_000_000n };
const placesOf = (ask: Ask): Promise<Places> => ask<Places>('places', RANGE);

test('processes without a region are a group of their own, and it is said how many', async () => {
  const ask = storeOf([
    assembled({
      key: '0000000000001',
      flushes: [...seconds('client', [0, 3]), ...seconds('agent', [0, 3], { attributes: EU })],
    }),
  ]);
  const places = await placesOf(ask);
  expect(places.legs.map(leg => [leg.fromRegion, leg.toRegion])).toEqual([[null, 'eu']]);
  expect(places.served).toMatchObject([{ callerRegion: null, agentRegion: 'eu' }]);
  expect(places.unknowns).toEqual([
    '1 process of client told no region (cloud.region of the resource): counted as unknown',
  ]);
  // And no move is computed from nowhere.
  const moved = await ask<Places>('places', { ...RANGE, moveFrom: 'us', moveTo: 'eu' });
  expect(moved.whatIf?.refusal).not.toBeNull();
});

test('a service whose name changes with each start is told to have no names, from both sides of the limit', async () => {
  const call = (i: number, names: number): DerivedRows =>
    assembled({
      key: String(i).padStart(13, '0'),
      flushes: [
        ...seconds('client', [0, 2], { attributes: EU }),
        ...seconds('agent', [0, 2], {
          attributes: { ...EU, 'service.instance.id': `pod-${i % names}` },
        }),
      ],
    });
  const calls = (names: number): DerivedRows[] =>
    Array.from({ length: 30 }, (_, i) => call(i, names));
  const said = async (names: number): Promise<readonly string[]> =>
    (await placesOf(storeOf(calls(names)))).unknowns.filter(text => text.includes('agent'));
  expect(await said(30)).toEqual([
    'agent has 30 instances in 30 calls: its service.instance.id changes with each start, so they are told apart by host alone',
  ]);
  expect(await said(20)).toEqual([]);
});

test('two callers at a time on one call ID stand in one session, which says so, and nobody handed over', async () => {
  const ask = storeOf([
    assembled({
      key: '0000000000001',
      flushes: [
        ...seconds('client', [0, 4], { attributes: EU }),
        ...seconds('client', [1, 4], { producer: 'd4'.repeat(8), attributes: EU }),
        ...seconds('agent', [0, 4], { attributes: EU }),
      ],
    }),
  ]);
  const places = await placesOf(ask);
  expect(places.unknowns).toEqual([
    'two callers at a time used the call ID call 0000000000001: their frames stand in one session, each on a line of its own',
  ]);
  expect(places.handovers).toEqual([]);
});

test('an instance that never says goodbye is gone without a word when another goes on, and only then', async () => {
  const agent = (name: string): From => ({ attributes: { ...EU, 'service.instance.id': name } });
  const replaced = assembled({
    key: '0000000000001',
    flushes: [
      ...seconds('client', [0, 6], { attributes: EU }),
      ...seconds('agent', [0, 3], agent('a-1')),
      ...seconds('successor', [3, 6], {
        attributes: { ...EU, 'service.name': 'agent', 'service.instance.id': 'a-2' },
      }),
    ],
  });
  const silent = assembled({
    key: '0000000000002',
    flushes: [
      ...seconds('client', [0, 6], { attributes: EU }),
      ...seconds('agent', [0, 3], agent('a-9')),
    ],
  });
  const ask = storeOf([replaced, silent]);
  const { handovers, restarts } = await placesOf(ask);
  expect(handovers.map(one => [one.from.instance, one.to.instance, one.wasTold])).toEqual([
    ['a-1', 'a-2', false],
  ]);
  expect(restarts.map(one => one.place.instance)).toEqual(['a-1']);
  const { items } = await ask<Findings>('findings', RANGE);
  expect(items[0]).toMatchObject({ kind: 'handover' });
  expect(items[0]!.title).toMatch(/a-1.* went away without a word .* went on over .*a-2/);
  expect(items.some(one => one.title.includes('a-9'))).toBe(false);
});

test('a service that lies is named with how often, and a connection that came back with what it cost', async () => {
  const attributes = {
    'framescope.vendor.name': 'openai',
    'framescope.vendor.processing_ns': 9_000 * MS,
  };
  const stage = {
    name: 'llm',
    spanId: '4'.repeat(16),
    startedAt: domainNs(1_000 * MS),
    firstAt: domainNs(1_400 * MS),
    attributes,
  };
  const asked = turn({ endsAtMs: 900, endedAtMs: 1_900 });
  const [told, ...others] = seconds('agent', [0, 6], { attributes: EU });
  const state = {
    ...told!.state!,
    turns: [{ ...asked, stages: [stage] }],
    session: { ...told!.state!.session!, authority: true },
  };
  const torn = Array.from({ length: 40 }, (_, i) => 120 + i);
  const frames = seconds('agent', [0, 6], { attributes: EU }).map((one, s) => ({
    ...one,
    record: flush({ producer: 'agent', seq: s, fromS: s, toS: s + 1, lost: torn }).record!,
  }));
  const client = seconds('client', [0, 6], { attributes: EU });
  const outage = flush({
    producer: 'client',
    seq: 5,
    fromS: 5,
    toS: 6,
    setup: [
      ['connection_lost', 2_800],
      ['connection_restored', 3_100],
    ],
  });
  const ask = storeOf([
    assembled({
      key: '0000000000001',
      flushes: [
        ...client.slice(0, 5),
        { ...client[5]!, state: outage.state! },
        { ...frames[0]!, state },
        ...frames.slice(1),
      ],
    }),
  ]);
  expect(others).toHaveLength(5);
  const { items } = await ask<Findings>('findings', RANGE);
  expect(items.map(one => one.title)).toEqual([
    '1 call lost the connection and got it back: silent for up to 800 ms, last at 08:00:02 UTC',
    'openai says of 1 of 1 requests that they took longer than they did',
  ]);
  const { vendors } = await placesOf(ask);
  expect(vendors).toMatchObject([{ vendor: 'openai', stage: 'llm', requests: 1, unlikely: 1 }]);
});
