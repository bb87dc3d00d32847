// What turns were made with, as columns: filtered, grouped, and found as a cause, packed or not.

import { parseFilter, type Filter, type TailWhy } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { bandOf, featureColumns } from '../../src/rollup/turn-features.ts';
import { attributeOdds } from '../../src/query/attribute-odds.ts';
import type { DerivedRows, FacetSession } from '../../src/store/store.ts';
import { callOf, HOUR, MS, storeOf } from '../support/charts.ts';
import { seeded, valueOf } from '../support/derived.ts';

interface MadeWith {
  readonly [key: string]: string | number;
}

/** 30 calls of 20 turns: `inference` in ms and what each turn was made with. */
function calls(
  turnOf: (call: number, turn: number) => { inference: number; with: MadeWith },
): DerivedRows[] {
  return Array.from({ length: 30 }, (_, call) => {
    const key = `call${String(call).padStart(2, '0')}`;
    const turns = Array.from({ length: 20 }, (__, turn) => turnOf(call, turn));
    const rows = callOf({
      key,
      attributes: { 'llm.model': 'large, small' },
      turns: turns.map(({ inference }) => ({ endpointing: 200, inference })),
    });
    const features = turns.flatMap((turn, i) =>
      featureColumns(turn.with).map(([measure, valueNs]) =>
        valueOf(key, i * 1_000, { measure, valueNs }),
      ),
    );
    return { ...rows, values: [...rows.values, ...features] };
  });
}

const filterOf = (text: string): Filter => {
  const read = parseFilter(text);
  if (!read.ok) throw new Error(read.problem);
  return read.filter;
};

interface Map_ {
  total: { n: number };
  groups: { value: string | null; heatmap: { total: { n: number } } }[];
}

const mixed = (): DerivedRows[] => {
  const random = seeded(3);
  return calls((_, turn) => ({
    inference: 300 + Math.floor(random() * 50),
    with: {
      'llm.model': turn % 4 === 0 ? 'large' : 'small',
      'llm.input_tokens': 100 * (turn + 1),
      'tts.voice': 'anna',
      ...(turn % 5 === 0 && { 'tool.name': 'search, book', 'tool.calls': 2 }),
      'stt.audio_seconds': 1.5,
    },
  }));
};

test('turns are filtered by what each was made with, not by what its call used somewhere', async () => {
  for (const isPacked of [false, true]) {
    const ask = storeOf(mixed(), isPacked);
    const count = async (text: string): Promise<number> =>
      (await ask<Map_>('heatmap', { ...HOUR, columns: 60, filter: filterOf(text) })).total.n;
    expect(await count('llm.model:large')).toBe(150);
    expect(await count('-llm.model:large')).toBe(450);
    expect(await count('tool.name:book')).toBe(120);
    expect(await count('tool.calls:2 llm.model:large')).toBe(30);
    expect(await count('tool.name:*')).toBe(120);
    expect(await count('llm.input_tokens>=1000')).toBe(330);
    expect(await count('llm.input_tokens:512..1024')).toBe(150);
    expect(await count('stt.audio_seconds>1s stt.audio_seconds<2s tts.voice:an*')).toBe(600);
    expect(await count('tts.voice:berta')).toBe(0);
  }
});

test('turns are grouped by text, by number in bands, by outcome and by part', async () => {
  const ask = storeOf(mixed());
  const by = async (group: string): Promise<string[]> =>
    (await ask<Map_>('heatmap', { ...HOUR, columns: 60, group })).groups.map(
      one => `${one.value} ${one.heatmap.total.n}`,
    );
  expect(await by('llm.model')).toEqual(['small 450', 'large 150']);
  expect(await by('llm.input_tokens')).toEqual([
    '1024..2048 300',
    '512..1024 150',
    '256..512 90',
    '128..256 30',
    '64..128 30',
  ]);
  expect(await by('tool.name')).toEqual(['null 480', 'book 120', 'search 120']);
  expect(await by('outcome')).toEqual(['answered 600']);
  expect(await by('worst')).toEqual(['inference 600']);
  expect(await by('inference')).toEqual(['256ms..512ms 600']);
});

test('a band is a filter that its values pass, at both ends', () => {
  for (const value of [0, 1, 7, 8, 15, 16, 1_000, 1_024]) {
    const band = bandOf(value, 'count');
    const [from, below] = band.includes('..')
      ? band.split('..').map(Number)
      : [Number(band), value + 1];
    expect([from! <= value, value < below!]).toEqual([true, true]);
    expect(parseFilter(`llm.input_tokens:"${band}"`).ok).toBe(true);
  }
  expect([0, 1e6, 999e6, 1_024e6].map(ns => bandOf(ns, 'duration'))).toEqual([
    '0ms..1ms',
    '1ms..2ms',
    '512ms..1024ms',
    '1024ms..2048ms',
  ]);
});

test('features are no measures: they are not listed, and charted by nobody', async () => {
  const ask = storeOf(mixed());
  const { items } = await ask<{ items: { name: string }[] }>('measures', undefined);
  expect(items.map(one => one.name)).toEqual([
    'voice_to_voice.client',
    'part.endpointing',
    'part.inference',
  ]);
});

test('sessions are listed by any model that they used', async () => {
  const ask = storeOf(mixed());
  const list = async (text: string): Promise<number> =>
    (await ask<{ items: unknown[] }>('sessions', { limit: 50, filter: filterOf(text) })).items
      .length;
  expect(await list('llm.model:small')).toBe(30);
  expect(await list('llm.model:other')).toBe(0);
  expect(await list('tool.calls>1')).toBe(30);
});

test('a tool that is slow in every call is named, although all calls use it', async () => {
  const random = seeded(11);
  const ask = storeOf(
    calls((_, turn) => ({
      inference: 300 + Math.floor(random() * 60) + (turn % 10 === 3 ? 900 : 0),
      with: { 'tool.name': turn % 10 === 3 ? 'slow_crm' : 'weather', 'tts.voice': 'anna' },
    })),
  );
  const why = await ask<TailWhy>('tailWhy', { ...HOUR, minNs: 1_000 * MS });
  expect(why.attributes[0]).toMatchObject({
    name: 'tool.name',
    value: 'slow_crm',
    inside: 60,
    outside: 0,
    isSure: true,
  });
  expect(why.verdict).toMatchObject({ kind: 'attribute', name: 'tool.name', value: 'slow_crm' });
});

test('calls that are slow as a whole say nothing of a tool that all calls use alike', async () => {
  const random = seeded(12);
  const ask = storeOf(
    calls((call, turn) => ({
      inference: 300 + Math.floor(random() * 60) + (call % 5 === 0 ? 900 : 0),
      with: { 'tool.name': turn % 2 === 0 ? 'search' : 'weather' },
    })),
  );
  const why = await ask<TailWhy>('tailWhy', { ...HOUR, minNs: 1_000 * MS });
  expect(why.attributes.filter(one => one.name === 'tool.name' && one.isSure)).toEqual([]);
});

/** A call of which only the name matters. */
const callNamed = (key: string): FacetSession => ({
  row: 0,
  key,
  id: key,
  status: 'ended',
  startUnixNs: 0n,
  facets: { attributes: {}, synthetic: null, places: [], hops: {}, counts: {} },
  isPinned: () => false,
});

test('of 300 worlds in which tools mean nothing, and slow turns come in slow calls, hardly one names a tool', () => {
  let named = 0;
  for (let world = 0; world < 300; world++) {
    const random = seeded(100 + world);
    const splits = Array.from({ length: 30 }, (_, i) => ({
      session: callNamed(`call${i}`),
      inside: 0,
      outside: 0,
    }));
    const tools = ['a', 'b', 'c', 'd'].map(value => ({
      name: 'tool.name',
      value,
      calls: new Map<FacetSession, { inside: number; outside: number }>(),
    }));
    for (const split of splits) {
      const slow = random() < 0.2 ? 0.6 : 0.05;
      for (let turn = 0; turn < 20; turn++) {
        const side = random() < slow ? 'inside' : 'outside';
        const { calls } = tools[Math.floor(random() * tools.length)]!;
        const call = calls.get(split.session) ?? { inside: 0, outside: 0 };
        calls.set(split.session, call);
        call[side]++;
        split[side]++;
      }
    }
    if (attributeOdds(splits, tools).some(one => one.isSure)) named++;
  }
  expect(named).toBeLessThanOrEqual(9);
});

test('names that nobody knows become no columns, and no turn has more than 32', () => {
  expect(featureColumns({ 'my.secret': 'x', 'llm.model': 'm', 'llm.calls': -1 })).toEqual([
    ['feature.llm.model=m', 1],
  ]);
  const many = Array.from({ length: 100 }, (_, i) => `tool${i}`).join(', ');
  expect(featureColumns({ 'tool.name': many }).length).toBe(32);
});
