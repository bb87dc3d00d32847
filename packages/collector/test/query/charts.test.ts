// Charts over a store with known rows: what they answer against a naive reckoning of the same rows.

import { parseFilter, type Filter } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { SCHEMAS } from '../../src/serve/schema.ts';
import type { DerivedRows } from '../../src/store/store.ts';
import { callOf, HOUR, HOUR_NS, MS, storeOf } from '../support/charts.ts';
import { derivedOf, MINUTE_NS, NOON_MINUTE, rollupOf, seeded } from '../support/derived.ts';
import { schemaProblems } from '../support/json-schema.ts';
import { NOON_NS } from '../support/spans.ts';

const V2V = 'voice_to_voice.client';
const FRAMES = 'frame.mic.agent/receive';

const filterOf = (text: string): Filter => {
  const result = parseFilter(text);
  if (!result.ok) throw new Error(result.problem);
  return result.filter;
};

/** 40 calls of 20 turns; one turn in ten waits a second longer for inference, all of them on bad-1. */
function badHost(): DerivedRows[] {
  const random = seeded(7);
  return Array.from({ length: 40 }, (_, i) =>
    callOf({
      key: `call${String(i).padStart(2, '0')}`,
      attributes: { host: i % 8 === 0 ? 'bad-1' : `good-${i % 8}`, customer: `customer ${i}` },
      turns: Array.from({ length: 20 }, () => ({
        uplink: 40 + Math.floor(random() * 20),
        endpointing: 200 + Math.floor(random() * 50),
        inference: 300 + Math.floor(random() * 40) + (i % 8 === 0 ? 1_000 : 0),
      })),
    }),
  );
}

interface Why {
  inside: { turns: number; sessions: number };
  outside: { turns: number };
  total: { deltaNs: number; lowNs: number; highNs: number };
  parts: { name: string; deltaNs: number; share: number; group: string | null }[];
  attributes: { name: string; value: string; inside: number; low: number }[];
  tooFew: string | null;
  verdict: { kind: string; name: string; value: string | null; with: string[]; text: string };
}

test('the slow turns of a bad host are blamed on inference and on the host, and the parts sum to the whole', async () => {
  const ask = storeOf(badHost());
  const why = await ask<Why>('tailWhy', { ...HOUR, minNs: 1_000 * MS });
  expect(why.inside).toEqual({ turns: 100, sessions: 5 });
  expect(why.outside.turns).toBe(700);
  expect(why.parts[0]).toMatchObject({ name: 'inference', group: null });
  expect(why.parts.find(part => part.name === 'uplink')?.group).toBe('network');
  const sum = why.parts.reduce((total, part) => total + part.deltaNs, 0);
  expect(sum).toBeCloseTo(why.total.deltaNs, 3);
  expect(why.total.lowNs).toBeLessThan(875 * MS);
  expect(why.total.highNs).toBeGreaterThan(875 * MS);
  expect(why.attributes[0]).toMatchObject({ name: 'host', value: 'bad-1', inside: 100 });
  expect(why.verdict).toEqual({
    kind: 'attribute',
    name: 'host',
    value: 'bad-1',
    with: ['inference'],
    text: 'host is bad-1 for 100 % inside and 0 % outside; inference is 875 ms longer than usual, of 875 ms in all',
  });
});

test('29 turns, or turns of 4 calls, are too few to say anything', async () => {
  const call = (key: string, count: number, slow: number): DerivedRows =>
    callOf({
      key,
      turns: Array.from({ length: count }, (_, i) => ({ inference: i < slow ? 2_000 : 300 })),
    });
  const calls = ['a', 'b', 'c', 'd', 'e'];
  const few = storeOf(calls.map((key, i) => call(key, 20, i === 0 ? 5 : 6)));
  const why = await few<Why>('tailWhy', { ...HOUR, minNs: 1_000 * MS });
  expect([why.inside.turns, why.tooFew?.slice(0, 22)]).toEqual([29, '29 turns in 5 calls: 3']);
  expect(why.verdict.kind).toBe('none');
  const enough = storeOf(calls.map(key => call(key, 20, 6)));
  expect((await enough<Why>('tailWhy', { ...HOUR, minNs: 1_000 * MS })).tooFew).toBe(null);
});

test('where all vary a little no cause is claimed: some waits are always the slowest', async () => {
  const random = seeded(3);
  const calls = Array.from({ length: 40 }, (_, i) =>
    callOf({
      key: `k${i}`,
      turns: Array.from({ length: 20 }, () => ({
        endpointing: 200 + Math.floor(80 * random()),
        inference: 200 + Math.floor(72 * random()),
      })),
    }),
  );
  const why = await storeOf(calls)<Why>('tailWhy', HOUR);
  expect(why.parts[0]!.share).toBeGreaterThan(0.4);
  expect(why.verdict).toMatchObject({
    kind: 'none',
    text: expect.stringMatching(/^nothing stands out: no part left its usual range/) as string,
  });
});

test('without a box the slowest twentieth is asked about, of few turns thirty or a quarter', async () => {
  const slowestOf = async (length: number): Promise<[number, number]> => {
    const turns = Array.from({ length }, (_, i) => ({ inference: i + 1 }));
    const ask = storeOf([callOf({ key: 'a', turns })]);
    const why = await ask<Why & { fromValueNs: number }>('tailWhy', HOUR);
    return [why.inside.turns, why.fromValueNs / MS];
  };
  expect(await slowestOf(1_000)).toEqual([51, 950]);
  expect(await slowestOf(300)).toEqual([31, 270]);
  expect(await slowestOf(100)).toEqual([26, 75]);
});

test('a part shortened by more than it saves gains what it saves', async () => {
  const turns = Array.from({ length: 100 }, () => ({ endpointing: 400, inference: 300 }));
  const ask = storeOf([callOf({ key: 'a', turns })]);
  const after = async (part: string, byMs: number): Promise<unknown> =>
    (await ask<{ after: { p50Ns: number } }>('whatIf', { ...HOUR, part, byNs: byMs * MS })).after
      .p50Ns / MS;
  expect(await after('endpointing', 150)).toBe(550);
  expect(await after('inference', 40)).toBe(660);
  expect(await after('inference', 200)).toBe(650);
});

test('what the graph cannot say is refused, with what there is', async () => {
  const ask = storeOf([callOf({ key: 'a', turns: [{ inference: 300 }] })]);
  const refused = async (more: object): Promise<unknown> =>
    (await ask<{ refused: string }>('whatIf', { ...HOUR, byNs: MS, ...more })).refused;
  expect(await refused({ part: 'tool' })).toBe(
    'no wait here has a part named tool; there are inference',
  );
  expect(await refused({ part: 'inference', byNs: -1 })).toMatch(/give byNs above 0$/);
  expect(await refused({ part: 'inference', measure: 'part.inference' })).toMatch(/has no parts/);
});

interface Map_ {
  cells: { count: number[] };
  total: { n: number; p50Ns: number | null; p99Ns: number | null };
  intervals: { p50: { lowNs: number; highNs: number } | null };
  coverage: { covered: number; of: number; sessions: number };
  overBudget: number[];
  exemplars: { sessionKey: string; valueNs: number }[];
  groups: { value: string | null; heatmap: Map_ }[];
  omittedGroupCount: number;
}
const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

test('a filtered heatmap holds the turns that pass, by session and by turn', async () => {
  const ask = storeOf(badHost());
  const count = async (text: string): Promise<number> =>
    (await ask<Map_>('heatmap', { ...HOUR, columns: 60, filter: filterOf(text) })).total.n;
  expect(await count('')).toBe(800);
  expect(await count('host:bad-1')).toBe(100);
  expect(await count('host:bad-1 v2v>1s')).toBe(100);
  expect(await count('-host:bad-1 v2v>1s')).toBe(0);
  expect(await count('inference>1s worst:inference')).toBe(100);
  expect(await count('"customer 8" OR id:call00')).toBe(20);
});

test('groups are heatmaps of their own that add up, the twelve largest shown', async () => {
  const ask = storeOf(badHost());
  const byHost = await ask<Map_>('heatmap', { ...HOUR, columns: 60, group: 'host' });
  expect(byHost.groups.map(one => one.heatmap.total.n)).toEqual(
    Array.from({ length: 8 }, () => 100),
  );
  expect(sum(byHost.groups.map(one => sum(one.heatmap.cells.count)))).toBe(sum(byHost.cells.count));
  const byCustomer = await ask<Map_>('heatmap', { ...HOUR, columns: 60, group: 'customer' });
  expect([byCustomer.groups.length, byCustomer.omittedGroupCount]).toEqual([12, 28]);
  const byNothing = await ask<Map_>('heatmap', { ...HOUR, columns: 60, group: 'codec' });
  expect(byNothing.groups.map(one => one.value)).toEqual([null]);
});

/** Frames of 30 sessions over 70 minutes, 40 a minute. */
function framesOfDay(): DerivedRows[] {
  const random = seeded(5);
  return Array.from({ length: 30 }, (_, i) =>
    derivedOf(
      { key: `f${i}`, attributes: { region: i % 3 === 0 ? 'us' : 'eu' } },
      {
        rollups: Array.from({ length: 70 }, (__, minute) =>
          rollupOf(
            `f${i}`,
            NOON_MINUTE + minute,
            Array.from({ length: 40 }, () => Math.floor((20 + 300 * random() ** 8) * MS)),
          ),
        ),
      },
    ),
  );
}

test('frames of all calls, of a filter and of groups agree, whether added up or not', async () => {
  const asked = {
    measure: FRAMES,
    fromUnixNs: NOON_NS,
    toUnixNs: NOON_NS + 2n * HOUR_NS,
    columns: 24,
  };
  const rows = framesOfDay();
  const [loose, packed] = [storeOf(rows, false), storeOf(rows)];
  for (const more of [{}, { filter: filterOf('region:us') }, { group: 'region' }]) {
    const [a, b] = [
      await loose<Map_>('heatmap', { ...asked, ...more }),
      await packed<Map_>('heatmap', { ...asked, ...more }),
    ];
    // Of minutes added up only how many sessions met at most is known.
    expect({ ...b, coverage: 0, measure: 0, groups: 0 }).toEqual({
      ...a,
      coverage: 0,
      measure: 0,
      groups: 0,
    });
    expect(b.groups.map(one => [one.value, one.heatmap.total])).toEqual(
      a.groups.map(one => [one.value, one.heatmap.total]),
    );
  }
  const all = await packed<Map_>('heatmap', asked);
  const us = await packed<Map_>('heatmap', { ...asked, filter: filterOf('region:us') });
  expect([all.total.n, us.total.n]).toEqual([84_000, 28_000]);
  expect(all.exemplars.length).toBe(14);
});

test('a filter about turns on frames is refused in words', async () => {
  const ask = storeOf(framesOfDay().slice(0, 1));
  const asked = { measure: FRAMES, ...HOUR, columns: 1, filter: filterOf('interrupted:true') };
  await expect(ask('heatmap', asked)).rejects.toThrow(
    '"interrupted" asks about turns, and this measure is one of frames',
  );
});

test('the tail of frames counts all inside and names the slowest', async () => {
  const ask = storeOf(framesOfDay());
  const everything = await ask<{ n: number; items: { valueNs: number }[] }>('tail', {
    measure: FRAMES,
    fromUnixNs: NOON_NS,
    toUnixNs: NOON_NS + 2n * HOUR_NS,
    limit: 5,
  });
  expect(everything.n).toBe(84_000);
  const values = everything.items.map(one => one.valueNs);
  expect(values).toEqual(values.toSorted((a, b) => b - a));
  expect(values.length).toBe(5);
});

test('the same range compared with itself moved by nothing, beneath its noise', async () => {
  const ask = storeOf(badHost());
  const asked = { measure: V2V, a: { ...HOUR, text: '' }, b: { ...HOUR, text: '' } };
  const same = await ask<{
    changes: { deltaNs: number | null; lowNs: number; highNs: number }[];
    distance: { gap: number; noise: number };
  }>('compare', asked);
  expect(same.changes.slice(0, 3).map(one => one.deltaNs)).toEqual([0, 0, 0]);
  expect(same.distance.gap).toBe(0);
  const moved = await ask<typeof same & { parts: { name: string; deltaNs: number }[] }>('compare', {
    measure: V2V,
    a: { ...HOUR, filter: filterOf('-host:bad-1'), text: '-host:bad-1' },
    b: { ...HOUR, filter: filterOf('host:bad-1'), text: 'host:bad-1' },
  });
  expect(moved.changes[0]!.lowNs).toBeGreaterThan(900 * MS);
  expect(moved.changes[0]!.highNs).toBeLessThan(1_100 * MS);
  expect(moved.distance).toMatchObject({ gap: 1 });
  expect(moved.distance.noise).toBeLessThan(0.7);
  expect(moved.parts[0]).toMatchObject({ name: 'inference' });
});

test('sessions are listed by what they are and by what their turns were, page by page', async () => {
  const ask = storeOf(badHost());
  const keys = async (text: string, cursor?: string): Promise<[string[], string | null]> => {
    const page = await ask<{ items: { key: string }[]; nextCursor: string | null }>('sessions', {
      limit: 3,
      filter: filterOf(text),
      ...(cursor !== undefined && { cursor }),
    });
    return [page.items.map(one => one.key), page.nextCursor];
  };
  const [first, cursor] = await keys('inference>1s');
  expect(first).toEqual(['call32', 'call24', 'call16']);
  expect(await keys('inference>1s', cursor!)).toEqual([['call08', 'call00'], null]);
  expect((await keys('customer:"customer 7"'))[0]).toEqual(['call07']);
});

test('the vocabulary has the keys that occur with their values, most frequent first', async () => {
  const ask = storeOf(badHost());
  const { keys } = await ask<{
    keys: { name: string; values: { value: string; count: number }[] }[];
  }>('vocabulary', { for: 'sessions' });
  const host = keys.find(one => one.name === 'host');
  expect(host?.values.map(one => one.count)).toEqual(Array.from({ length: 8 }, () => 5));
  expect(keys.some(one => one.name === 'v2v')).toBe(true);
  expect(keys.some(one => one.name === 'duration')).toBe(false);
});

test('a column of a heatmap is a stretch of time: minutes stay whole', async () => {
  const ask = storeOf(framesOfDay().slice(0, 1));
  const map = await ask<Map_ & { columnNs: number; fromUnixNs: string }>('heatmap', {
    measure: FRAMES,
    fromUnixNs: NOON_NS + 30_000_000_000n,
    toUnixNs: NOON_NS + 10n * MINUTE_NS,
    columns: 4,
  });
  expect([map.columnNs, map.fromUnixNs]).toEqual([180e9, String(NOON_NS)]);
  expect(map.total.n).toBe(400);
});

test.each([
  ['heatmap', 'Heatmap', { ...HOUR, columns: 10, group: 'host' }],
  ['tail', 'Tail', { ...HOUR, limit: 10 }],
  ['tailWhy', 'TailWhy', HOUR],
  ['whatIf', 'WhatIf', { ...HOUR, part: 'inference', byNs: MS }],
  ['cutOffs', 'CutOffs', { ...HOUR, limit: 10 }],
  ['compare', 'Comparison', { a: { ...HOUR, text: '' }, b: { ...HOUR, text: '' } }],
  ['vocabulary', 'FilterVocabulary', { for: 'turns' }],
  ['measures', 'MeasureList', {}],
] as const)('%s answers as the OpenAPI document says: %s', async (name, schema, args) => {
  const answer = JSON.parse(JSON.stringify(await storeOf(badHost())(name, args))) as unknown;
  const document = { components: { schemas: SCHEMAS } };
  const reference = { $ref: `#/components/schemas/${schema}` };
  expect(schemaProblems(answer, reference, document, name)).toEqual([]);
});
