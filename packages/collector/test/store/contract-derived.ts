// The contract of a store, second half: what was derived, replaced as it changes, and what charts read.

import { expect } from 'vitest';
import type { RollupRow, UnixRange, ValueRow } from '../../src/store/store.ts';
import {
  derivedOf,
  MINUTE_NS,
  NOON_MINUTE,
  rollupOf,
  seeded,
  valueOf,
} from '../support/derived.ts';
import { NOON_NS, seconds } from '../support/spans.ts';
import {
  contract,
  type ContractReader,
  type ContractTest,
  type ContractWriter,
} from './contract-test.ts';

const MS = 1e6;
const DAY_NS = 86_400_000_000_000n;
const DAY: UnixRange = { fromUnixNs: NOON_NS - DAY_NS / 2n, toUnixNs: NOON_NS + DAY_NS / 2n };
const FRAMES = 'frame.mic.agent/receive';

async function waitsIn(reader: ContractReader, range: UnixRange = DAY): Promise<string[]> {
  const table = await reader.waits(range, {
    measures: ['voice_to_voice.*', 'part.*'],
    hasSaves: true,
  });
  const lines: string[] = [];
  for (const [name, column] of table.columns)
    for (let row = 0; row < table.length; row++) {
      if (Number.isNaN(column.valueNs[row]!)) continue;
      const at = table.fromUnixNs + BigInt(table.atNs[row]!);
      const session = table.sessions[table.session[row]!]!.key;
      lines.push(
        `${session} ${table.tick[row]} ${table.waitIndex[row]} ${at} ${name} ${column.valueNs[row]} ${column.flags[row]} ${column.savesNs[row]} ${table.partName(table.worst[row]!)}`,
      );
    }
  return lines.sort();
}

const naiveWaits = (values: readonly ValueRow[]): string[] =>
  values
    .map(
      one =>
        `${one.sessionKey} ${one.tick} ${one.waitIndex} ${one.atUnixNs} ${one.measure} ${one.valueNs} ${(one.isCensored ? 1 : 0) + (one.isOverBudget ? 2 : 0)} ${one.savesNs ?? Number.NaN} ${one.worstPart}`,
    )
    .sort();

const someValues = (key: string, random: () => number): ValueRow[] =>
  Array.from({ length: 12 }, (_, i) => i * 7_000).flatMap(tick => [
    valueOf(key, tick, {
      valueNs: Math.floor(random() * 9e9),
      isCensored: random() < 0.2,
      isOverBudget: random() < 0.3,
      waitIndex: tick === 7_000 ? 1 : 0,
    }),
    valueOf(key, tick, {
      measure: random() < 0.5 ? 'part.inference' : 'part.tool',
      valueNs: Math.floor(random() * 3e9),
      savesNs: random() < 0.5 ? null : 17,
      waitIndex: tick === 7_000 ? 1 : 0,
    }),
  ]);

const someRollups = (key: string, random: () => number): RollupRow[] =>
  Array.from({ length: 90 }, (_, i) =>
    rollupOf(
      key,
      NOON_MINUTE + i,
      Array.from({ length: 50 }, () => Math.floor(random() * 400 * MS)),
    ),
  );

async function tidyAll(writer: ContractWriter): Promise<void> {
  while (await writer.tidy(NOON_NS + DAY_NS));
}

/** All that a walk over minutes tells, as one line a minute. */
async function framesIn(
  reader: ContractReader,
  group?: { name: string; value: string },
): Promise<Map<number, string>> {
  const minutes = new Map<number, { count: number; lost: number; worst: number[] }>();
  const add = (minute: number, one: { count: number; lost: number; worst: number[] }): void => {
    const sum = minutes.get(minute) ?? { count: 0, lost: 0, worst: [] };
    minutes.set(minute, {
      count: sum.count + one.count,
      lost: sum.lost + one.lost,
      worst: [...sum.worst, ...one.worst].sort((a, b) => b - a).slice(0, 32),
    });
  };
  const worstOf = (one: { worst(): readonly { valueNs: number }[] }): number[] =>
    one.worst().map(it => it.valueNs);
  await reader.scanGroup({
    measure: FRAMES,
    range: DAY,
    ...(group && { group }),
    visit: one => add(one.minute, { count: one.count, lost: one.lostCount, worst: worstOf(one) }),
    visitSession: (one, session) => {
      if (group === undefined || session.facets.attributes[group.name] === group.value)
        add(one.minute, { count: one.count, lost: one.lostCount, worst: worstOf(one) });
    },
  });
  return new Map([...minutes].map(([minute, one]) => [minute, JSON.stringify(one)]));
}

function naiveFrames(rows: readonly RollupRow[]): Map<number, string> {
  const minutes = new Map<number, RollupRow[]>();
  for (const row of rows) minutes.set(row.minute, [...(minutes.get(row.minute) ?? []), row]);
  const lines = [...minutes].map(([minute, own]): [number, string] => [
    minute,
    JSON.stringify({
      count: own.reduce((sum, one) => sum + one.count, 0),
      lost: own.reduce((sum, one) => sum + one.lostCount, 0),
      worst: own
        .flatMap(one => one.worst.map(it => it.valueNs))
        .sort((a, b) => b - a)
        .slice(0, 32),
    }),
  ]);
  return new Map(lines);
}

export const DERIVED_CONTRACT: readonly ContractTest[] = [
  contract(
    'waits are the same before and after tidying, and after a session changed',
    async open => {
      const { writer, reader } = await open();
      const random = seeded(1);
      const values = new Map(['a', 'b', 'c'].map(key => [key, someValues(key, random)]));
      for (const [key, own] of values)
        await writer.commitDerived([derivedOf({ key }, { values: own })]);
      const all = (): string[] => naiveWaits([...values.values()].flat());
      expect(await waitsIn(reader)).toEqual(all());
      await tidyAll(writer);
      expect(await waitsIn(reader)).toEqual(all());

      const changed = [valueOf('b', 7_000, { valueNs: 42 })];
      const turn = { tick: 7_000, words: [], traceId: null } as never;
      await writer.commitDerived([
        derivedOf({ key: 'b' }, { replace: 'given', turns: [turn], values: changed }),
      ]);
      values.set('b', [...values.get('b')!.filter(one => one.tick !== 7_000), ...changed]);
      expect(await waitsIn(reader)).toEqual(all());
      await tidyAll(writer);
      expect(await waitsIn(reader)).toEqual(all());

      await writer.commitDerived([derivedOf({ key: 'c' }, { values: [] })]);
      values.set('c', []);
      expect(await waitsIn(reader)).toEqual(all());
    },
  ),

  contract('a range takes the waits that start in it, its end not included', async open => {
    const { writer, reader } = await open();
    const values = [0, 10, 20, 30].map(tick => valueOf('a', tick));
    await writer.commitDerived([derivedOf({ key: 'a' }, { values })]);
    const range = { fromUnixNs: NOON_NS + 10_000_000n, toUnixNs: NOON_NS + 30_000_000n };
    const expected = naiveWaits(values.slice(1, 3));
    expect(await waitsIn(reader, range)).toEqual(expected);
    await tidyAll(writer);
    expect(await waitsIn(reader, range)).toEqual(expected);
  }),

  contract(
    'minutes of all calls and of a region add up, before and after tidying, and when changed',
    async open => {
      const { writer, reader } = await open();
      const random = seeded(2);
      const rows = new Map(['a', 'b', 'c'].map(key => [key, someRollups(key, random)]));
      const regionOf = (key: string): string => (key === 'c' ? 'us' : 'eu');
      const made = (key: string) => ({ key, attributes: { region: regionOf(key) } });
      for (const [key, own] of rows)
        await writer.commitDerived([derivedOf(made(key), { rollups: own })]);
      const eu = { name: 'region', value: 'eu' };
      const check = async (): Promise<void> => {
        const all = [...rows.values()].flat();
        expect(await framesIn(reader)).toEqual(naiveFrames(all));
        const ofEu = all.filter(one => regionOf(one.sessionKey) === 'eu');
        expect(await framesIn(reader, eu)).toEqual(naiveFrames(ofEu));
      };
      await check();
      await tidyAll(writer);
      await check();
      expect(await reader.groupValues('region')).toEqual(['eu', 'us']);
      const again = rows
        .get('b')!
        .slice(0, 50)
        .map((row, i) => (i % 9 === 0 ? rollupOf('b', row.minute, [7 * MS]) : row));
      rows.set('b', again);
      await writer.commitDerived([derivedOf(made('b'), { rollups: again })]);
      await check();
      await tidyAll(writer);
      await check();
    },
  ),

  contract('a session walk sees the minutes of the sessions that are wanted', async open => {
    const { writer, reader } = await open();
    const random = seeded(3);
    for (const key of ['a', 'b'])
      await writer.commitDerived([derivedOf({ key }, { rollups: someRollups(key, random) })]);
    await tidyAll(writer);
    const from = NOON_NS + 60n * MINUTE_NS;
    const seen: string[] = [];
    await reader.scanSessions({
      measure: FRAMES,
      range: { fromUnixNs: from, toUnixNs: from + 10n * MINUTE_NS },
      wants: session => session.key === 'b',
      visit: (one, session) => seen.push(`${session.key} ${one.minute - NOON_MINUTE}`),
    });
    expect(seen).toEqual([60, 61, 62, 63, 64, 65, 66, 67, 68, 69].map(minute => `b ${minute}`));
  }),

  contract(
    'counts of measures stay right through tidying, change and loss of values',
    async open => {
      const { writer, reader } = await open();
      const measured = async (): Promise<string[]> =>
        (await reader.measures()).map(one => `${one.measure} ${one.count} of ${one.sessionCount}`);
      const random = seeded(4);
      for (const key of ['a', 'b'])
        await writer.commitDerived([
          derivedOf(
            { key, commit: key === 'a' ? 1 : 2 },
            { values: [valueOf(key, 0), valueOf(key, 1)], rollups: someRollups(key, random) },
          ),
        ]);
      const expected = [`${FRAMES} 9000 of 2`, 'voice_to_voice.client 4 of 2'];
      expect(await measured()).toEqual(expected);
      await tidyAll(writer);
      expect(await measured()).toEqual(expected);
      await writer.commitDerived([
        derivedOf({ key: 'b', commit: 2 }, { values: [valueOf('b', 0)] }),
      ]);
      await tidyAll(writer);
      expect(await measured()).toEqual([`${FRAMES} 4500 of 1`, 'voice_to_voice.client 3 of 2']);
    },
  ),

  contract('lists of sessions come newest first, in pages, and by their state', async open => {
    const { writer, reader } = await open();
    for (const [i, key] of ['a', 'b', 'c', 'd', 'e'].entries())
      await writer.commitDerived([
        derivedOf({
          key,
          startUnixNs: NOON_NS + seconds(i),
          status: i === 3 ? 'live' : 'ended',
        }),
      ]);
    const seen: string[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await reader.sessions({ limit: 2, ...(cursor && { cursor }) });
      seen.push(page.items.map(one => one.key).join(''));
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen).toEqual(['ed', 'cb', 'a']);
    const live = await reader.sessions({ limit: 9, status: 'live' });
    expect(live.items.map(one => one.key)).toEqual(['d']);
    const early = await reader.sessions({ limit: 9, toUnixNs: NOON_NS + seconds(2) });
    expect(early.items.map(one => one.key)).toEqual(['b', 'a']);
    expect((await reader.summaries(['c', 'nobody', 'a'])).map(one => one.key)).toEqual(['c', 'a']);
    expect((await reader.session('c'))?.key).toBe('c');
    expect(await reader.session('nobody')).toBeUndefined();
    const facets: string[] = [];
    await reader.scanFacets(DAY, one => facets.push(one.key) < 4);
    expect(facets.join('')).toBe('edcb');
  }),

  contract('turns are listed by tick, found by trace and by words, and replaced', async open => {
    const { writer, reader } = await open();
    const turnOf = (tick: number, text: string, traceId: string | null = null) =>
      ({ tick, traceId, words: [{ text }] }) as never;
    const trace = 'd'.repeat(32);
    await writer.commitDerived([
      derivedOf({ key: 'a' }, { turns: [turnOf(9, 'Hello THERE'), turnOf(5, 'refund', trace)] }),
    ]);
    const ticks = async (): Promise<number[]> =>
      (await reader.turns('a', { limit: 9 })).items.map(one => one.tick);
    expect(await ticks()).toEqual([5, 9]);
    const first = await reader.turns('a', { limit: 1 });
    expect((await reader.turns('a', { limit: 1, cursor: first.nextCursor! })).items[0]?.tick).toBe(
      9,
    );
    expect(await reader.traceOwner(trace)).toEqual({
      sessionKey: 'a',
      sessionId: 'call a',
      turnTick: 5,
    });
    expect((await reader.search('there', 9)).turns.map(one => one.turn.tick)).toEqual([9]);
    expect((await reader.search('call a', 9)).sessions.map(one => one.key)).toEqual(['a']);
    const given = { replace: 'given', turns: [turnOf(9, 'bye')] } as const;
    await writer.commitDerived([derivedOf({ key: 'a' }, given)]);
    expect(await ticks()).toEqual([5, 9]);
    expect((await reader.search('there', 9)).turns).toEqual([]);
    await writer.commitDerived([derivedOf({ key: 'a' }, { turns: [turnOf(7, 'new')] })]);
    expect(await ticks()).toEqual([7]);
    expect((await reader.turn('a', 7))?.tick).toBe(7);
    expect(await reader.turn('a', 9)).toBeUndefined();
  }),

  contract(
    'what turns were made with comes in columns, and only those that were asked for',
    async open => {
      const { writer, reader } = await open();
      const made = (tick: number, measure: string, valueNs: number): ValueRow =>
        valueOf('a', tick, { measure, valueNs });
      const values = [
        valueOf('a', 0, { valueNs: 900 }),
        made(0, 'feature.llm.model=gpt-4o', 1),
        made(0, 'feature.llm.input_tokens', 874),
        valueOf('a', 7_000, { valueNs: 800 }),
        made(7_000, 'feature.llm.model=a=b, "c"', 1),
        made(7_000, 'feature.stt.audio_seconds', 2_400_000_000),
      ];
      await writer.commitDerived([derivedOf({ key: 'a' }, { values })]);
      for (let round = 0; round < 2; round++) {
        const read = async (...measures: string[]): Promise<string[]> => {
          const { columns, tick, length } = await reader.waits(DAY, { measures });
          return [...columns]
            .flatMap(([name, { valueNs }]) =>
              Array.from({ length }, (_, row) => `${tick[row]} ${name} ${valueNs[row]}`),
            )
            .filter(line => line.startsWith('0 ') || line.startsWith('7000 '))
            .filter(line => !line.endsWith('NaN'))
            .sort();
        };
        expect(await read('voice_to_voice.*', 'feature.llm.model=*')).toEqual([
          '0 feature.llm.model=gpt-4o 1',
          '0 voice_to_voice.client 900',
          '7000 feature.llm.model=a=b, "c" 1',
          '7000 voice_to_voice.client 800',
        ]);
        expect(await read('feature.llm.input_tokens', 'feature.stt.audio_seconds')).toEqual([
          '0 feature.llm.input_tokens 874',
          '7000 feature.stt.audio_seconds 2400000000',
        ]);
        expect((await read('feature.*')).length).toBe(4);
        await tidyAll(writer);
      }
    },
  ),

  contract('notes and samples of clocks come back', async open => {
    const { writer, reader } = await open();
    const note = { kind: 'deploy', text: '2.5.0', attributes: {} };
    const at = String(NOON_NS + 5n);
    const kept = await writer.annotate({ ...note, atUnixNs: at, endUnixNs: null } as never);
    expect(await reader.annotations(DAY)).toEqual([kept]);
    const sample = {
      domain: 'x',
      epoch: 0,
      peer: 'y',
      peerEpoch: 1,
      t1: -5,
      t2: 6,
      t3: 7,
      t4: 2 ** 51,
    };
    await writer.commitDerived([{ ...derivedOf({ key: 'a' }), clockSamples: [sample, sample] }]);
    expect(await reader.clockSamples('a')).toEqual([sample]);
  }),
];
