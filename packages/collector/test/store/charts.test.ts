// What charts read must be the same whether a session stands in rows or packed, before and after
// it changed: a naive list of the same rows is kept beside the store.

import { join } from 'node:path';
import { Sketch } from '@framescope/protocol';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { encodeMinutes, entryOf, MinuteCursor, rowOf } from '../../src/rollup/minute-codec.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import type { RollupRow, UnixRange, ValueRow } from '../../src/store/store.ts';
import {
  derivedOf,
  MINUTE_NS,
  NOON_MINUTE,
  rollupOf,
  seeded,
  valueOf,
} from '../support/derived.ts';
import { NOON_NS, temporaryFolder } from '../support/spans.ts';

const MS = 1e6;
const DAY_NS = 86_400_000_000_000n;
const DAY: UnixRange = { fromUnixNs: NOON_NS - DAY_NS / 2n, toUnixNs: NOON_NS + DAY_NS / 2n };
const FRAMES = 'frame.mic.agent/receive';

function stores(): { writer: SqliteWriter; reader: SqliteReader; tidy: () => void } {
  const folder = temporaryFolder();
  const writer = new SqliteWriter({ folder, maxBytes: 1e9 });
  const reader = new SqliteReader(folder);
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  const tidy = (): void => {
    while (writer.tidy(NOON_NS + DAY_NS));
  };
  return { writer, reader, tidy };
}

async function waitsIn(reader: SqliteReader, range: UnixRange = DAY): Promise<string[]> {
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

test('waits are the same in rows, packed, and after a packed session changed', async () => {
  const { writer, reader, tidy } = stores();
  const random = seeded(1);
  const values = new Map(['a', 'b', 'c'].map(key => [key, someValues(key, random)]));
  for (const [key, own] of values) writer.commitDerived([derivedOf({ key }, { values: own })]);
  const all = (): string[] => naiveWaits([...values.values()].flat());
  expect(await waitsIn(reader)).toEqual(all());
  tidy();
  expect(await waitsIn(reader)).toEqual(all());

  const changed = [valueOf('b', 7_000, { valueNs: 42 })];
  const turn = { tick: 7_000, words: [], traceId: null } as never;
  writer.commitDerived([
    derivedOf({ key: 'b' }, { replace: 'given', turns: [turn], values: changed }),
  ]);
  values.set('b', [...values.get('b')!.filter(one => one.tick !== 7_000), ...changed]);
  expect(await waitsIn(reader)).toEqual(all());
  tidy();
  expect(await waitsIn(reader)).toEqual(all());

  writer.commitDerived([derivedOf({ key: 'c' }, { values: [] })]);
  values.set('c', []);
  expect(await waitsIn(reader)).toEqual(all());
});

test('a range takes the waits that start in it, its end not included, out of packs as out of rows', async () => {
  const { writer, reader, tidy } = stores();
  const values = [0, 10, 20, 30].map(tick => valueOf('a', tick));
  writer.commitDerived([derivedOf({ key: 'a' }, { values })]);
  const range = { fromUnixNs: NOON_NS + 10_000_000n, toUnixNs: NOON_NS + 30_000_000n };
  const expected = naiveWaits(values.slice(1, 3));
  expect(await waitsIn(reader, range)).toEqual(expected);
  tidy();
  expect(await waitsIn(reader, range)).toEqual(expected);
});

/** All that a walk over minutes tells, as one line a minute and source. */
async function framesIn(
  reader: SqliteReader,
  group?: { name: string; value: string },
): Promise<Map<number, string>> {
  const minutes = new Map<number, { count: number; lost: number; worst: number[] }>();
  const add = (minute: number, count: number, lost: number, worst: readonly number[]): void => {
    const sum = minutes.get(minute) ?? { count: 0, lost: 0, worst: [] };
    minutes.set(minute, {
      count: sum.count + count,
      lost: sum.lost + lost,
      worst: [...sum.worst, ...worst].sort((a, b) => b - a).slice(0, 32),
    });
  };
  await reader.scanGroup({
    measure: FRAMES,
    range: DAY,
    ...(group && { group }),
    visit: one =>
      add(
        one.minute,
        one.count,
        one.lostCount,
        one.worst().map(it => it.valueNs),
      ),
    visitSession: (one, session) => {
      if (group === undefined || session.facets.attributes[group.name] === group.value)
        add(
          one.minute,
          one.count,
          one.lostCount,
          one.worst().map(it => it.valueNs),
        );
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

const someRollups = (key: string, random: () => number): RollupRow[] =>
  Array.from({ length: 90 }, (_, i) =>
    rollupOf(
      key,
      NOON_MINUTE + i,
      Array.from({ length: 50 }, () => Math.floor(random() * 400 * MS)),
    ),
  );

test('minutes of all calls and of a region add up, while dirty, clean, packed and changed', async () => {
  const { writer, reader, tidy } = stores();
  const random = seeded(2);
  const rows = new Map(['a', 'b', 'c'].map(key => [key, someRollups(key, random)]));
  const regionOf = (key: string): string => (key === 'c' ? 'us' : 'eu');
  const made = (key: string) => ({ key, attributes: { region: regionOf(key) } });
  for (const [key, own] of rows) writer.commitDerived([derivedOf(made(key), { rollups: own })]);
  const eu = { name: 'region', value: 'eu' };
  const check = async (): Promise<void> => {
    const all = [...rows.values()].flat();
    expect(await framesIn(reader)).toEqual(naiveFrames(all));
    const ofEu = all.filter(one => regionOf(one.sessionKey) === 'eu');
    expect(await framesIn(reader, eu)).toEqual(naiveFrames(ofEu));
  };
  await check();
  tidy();
  await check();
  const again = rows
    .get('b')!
    .map((row, i) => (i % 9 === 0 ? rollupOf('b', row.minute, [7 * MS]) : row));
  rows.set('b', again);
  writer.commitDerived([derivedOf(made('b'), { rollups: again })]);
  await check();
  tidy();
  await check();
});

test('minutes of all calls go with the sessions that they were added up from', async () => {
  const folder = temporaryFolder();
  const before = new SqliteWriter({ folder, maxBytes: 1e9 });
  const rows = someRollups('a', seeded(5));
  const nextDay = rollupOf('b', NOON_MINUTE + 1_440, [7 * MS]);
  before.commitDerived([
    derivedOf({ key: 'a' }, { rollups: rows }),
    derivedOf({ key: 'b', startUnixNs: NOON_NS + DAY_NS }, { rollups: [nextDay] }),
  ]);
  while (before.tidy(NOON_NS + 2n * DAY_NS));
  before.close();
  const writer = new SqliteWriter({ folder, maxBytes: 1e9, retention: { turnsNs: DAY_NS } });
  const reader = new SqliteReader(folder);
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  expect(await framesIn(reader)).toEqual(naiveFrames(rows));
  while (writer.retain(NOON_NS + DAY_NS + 30n * MINUTE_NS));
  expect(await framesIn(reader)).toEqual(naiveFrames([]));
  const database = new Database(join(folder, 'meta.db'), { readonly: true });
  expect(database.prepare('SELECT DISTINCT minute FROM group_rollup').pluck().all()).toEqual([
    nextDay.minute,
  ]);
  database.close();
});

test('a session walk sees whole packs of 64 minutes at a time, only sessions that are wanted', async () => {
  const { writer, reader, tidy } = stores();
  const random = seeded(3);
  for (const key of ['a', 'b'])
    writer.commitDerived([derivedOf({ key }, { rollups: someRollups(key, random) })]);
  tidy();
  const from = NOON_NS + 60n * MINUTE_NS;
  const seen: string[] = [];
  await reader.scanSessions({
    measure: FRAMES,
    range: { fromUnixNs: from, toUnixNs: from + 10n * MINUTE_NS },
    wants: session => session.key === 'b',
    visit: (one, session) => seen.push(`${session.key} ${one.minute - NOON_MINUTE}`),
  });
  expect(seen).toEqual([60, 61, 62, 63, 64, 65, 66, 67, 68, 69].map(minute => `b ${minute}`));
});

test('counts of measures stay right through packing, change and loss of a session', async () => {
  const { writer, reader, tidy } = stores();
  const told = async (): Promise<string[]> =>
    (await reader.measures()).map(one => `${one.measure} ${one.count} of ${one.sessionCount}`);
  const random = seeded(4);
  for (const key of ['a', 'b'])
    writer.commitDerived([
      derivedOf(
        { key, commit: key === 'a' ? 1 : 2 },
        { values: [valueOf(key, 0), valueOf(key, 1)], rollups: someRollups(key, random) },
      ),
    ]);
  const expected = [`${FRAMES} 9000 of 2`, 'voice_to_voice.client 4 of 2'];
  expect(await told()).toEqual(expected);
  tidy();
  expect(await told()).toEqual(expected);
  writer.commitDerived([derivedOf({ key: 'b', commit: 2 }, { values: [valueOf('b', 0)] })]);
  tidy();
  expect(await told()).toEqual([`${FRAMES} 4500 of 1`, 'voice_to_voice.client 3 of 2']);
});

test('a minute from the packed form is the row that went in, to the last count', () => {
  const values = [0, 500, 1_000, 1_001, 20 * MS, 21.5 * MS, 5e9, 3e14];
  const row = rollupOf('a', NOON_MINUTE, values, { concealedCount: 3 });
  const cursor = new MinuteCursor();
  expect(cursor.open(encodeMinutes([entryOf(row)!]))).toBe(true);
  expect(cursor.step()).toBe(true);
  const back = rowOf(cursor.entry(), row.measure, 'a');
  const sketch = Sketch.fromBytes(back.sketch);
  // A day and a half and more are all alike: beyond the last bucket of charts.
  expect(sketch.ok && sketch.value.count).toBe(8);
  expect({ ...back, sketch: undefined }).toEqual({ ...row, sketch: undefined });
  expect(cursor.step()).toBe(false);
});
