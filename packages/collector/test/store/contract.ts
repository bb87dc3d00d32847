// What every engine behind `Store` has to do, as tests that any of them is run through.
//
// A test gets a store of its own, empty, with a writer and a reader; `again` closes the writer and opens
// another on the same data. What only files can do (volumes, caps, packing) is tested beside the engine.

import { SCOPE_NAME } from '@framescope/protocol';
import { expect, test } from 'vitest';
import type {
  CommitResult,
  RollupRow,
  StoreReader,
  StoreWriter,
  UnixRange,
  ValueRow,
} from '../../src/store/store.ts';
import {
  derivedOf,
  MINUTE_NS,
  NOON_MINUTE,
  rollupOf,
  seeded,
  valueOf,
} from '../support/derived.ts';
import { batchOf, flushOf, NOON_NS, seconds, spanOf } from '../support/spans.ts';

type Awaitable<T> = T | Promise<T>;
/** The same methods, which may answer later. */
type Soon<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Awaitable<Awaited<R>>
    : T[K];
};

export type ContractWriter = Soon<Omit<StoreWriter, 'sizeBytes'>>;
export type ContractReader = Pick<
  StoreReader,
  | 'sessions'
  | 'session'
  | 'summaries'
  | 'turns'
  | 'turn'
  | 'flushes'
  | 'flushesSince'
  | 'sessionSpans'
  | 'collectorClocks'
  | 'clockSamples'
  | 'measures'
  | 'waits'
  | 'scanGroup'
  | 'scanSessions'
  | 'scanFacets'
  | 'groupValues'
  | 'annotations'
  | 'trace'
  | 'traceOwner'
  | 'traces'
  | 'search'
  | 'spansAfter'
  | 'lastCommit'
  | 'metricPoints'
  | 'metricMeasures'
>;

export interface OpenStore {
  readonly writer: ContractWriter;
  readonly reader: ContractReader;
  /** Another writer on the same data, after this one is closed. */
  again(): Promise<ContractWriter>;
}

/** Opens an empty store that is gone after the test. */
export type OpenEngine = () => Promise<OpenStore>;

const MS = 1e6;
const DAY_NS = 86_400_000_000_000n;
const DAY: UnixRange = { fromUnixNs: NOON_NS - DAY_NS / 2n, toUnixNs: NOON_NS + DAY_NS / 2n };
const FRAMES = 'frame.mic.agent/receive';

/** "2 spans, 1 flush, 3 repeated" */
const told = ({ committed, repeatedCount }: CommitResult): string =>
  `${committed.spanCount} spans, ${committed.flushes.length} flushes, ${repeatedCount} repeated`;

export function rawContract(open: OpenEngine): void {
  test('a span sent again is not stored again, in the same batch or in a later one', async () => {
    const { writer } = await open();
    expect(told(await writer.commit(batchOf([spanOf('a1'), spanOf('a2'), spanOf('a1')])))).toBe(
      '2 spans, 0 flushes, 1 repeated',
    );
    expect(told(await writer.commit(batchOf([spanOf('a2'), spanOf('a3')])))).toBe(
      '1 spans, 0 flushes, 1 repeated',
    );
  });

  test('a flush sent again is not stored again; another part or producer is', async () => {
    const { writer } = await open();
    const flushes = [flushOf('s', 1), flushOf('s', 1), flushOf('s', 1, { part: 1 })];
    expect(told(await writer.commit(batchOf([], flushes)))).toBe('0 spans, 2 flushes, 1 repeated');
    const again = [flushOf('s', 1), flushOf('s', 1, { producer: 'ef'.repeat(8) })];
    expect(told(await writer.commit(batchOf([], again)))).toBe('0 spans, 1 flushes, 1 repeated');
  });

  test('a restarted writer knows what is stored, and its commits go on rising', async () => {
    const store = await open();
    const batch = batchOf([spanOf('a1', { sessionId: 's' })], [flushOf('s', 1)]);
    const first = await store.writer.commit(batch);
    const writer = await store.again();
    const again = await writer.commit(
      batchOf([spanOf('a1', { sessionId: 's' }), spanOf('b1')], [flushOf('s', 1)]),
    );
    expect(told(again)).toBe('1 spans, 0 flushes, 2 repeated');
    expect(again.committed.commit).toBeGreaterThan(first.committed.commit);
  });

  test('a session.id that comes back within an hour is the same session, later a new one', async () => {
    const { writer } = await open();
    const keyAt = async (arrival: bigint, name: string): Promise<string | undefined> =>
      (await writer.commit(batchOf([spanOf(name, { sessionId: 's' })], [], arrival))).committed
        .sessions[0]?.key;
    const first = await keyAt(NOON_NS, 'a1');
    expect(await keyAt(NOON_NS + seconds(3_600), 'a2')).toBe(first);
    const later = await keyAt(NOON_NS + seconds(3_600 + 3_601), 'a3');
    expect(later).not.toBe(first);
    expect(later).toMatch(/^[0-9a-z]{13}$/);
  });

  test('a record sent again an hour later is still a repetition, not a new session', async () => {
    const { writer } = await open();
    await writer.commit(batchOf([], [flushOf('s', 1)]));
    const again = await writer.commit(batchOf([], [flushOf('s', 1)], NOON_NS + seconds(7_200)));
    expect(told(again)).toBe('0 spans, 0 flushes, 1 repeated');
  });

  test('spans that name no session belong to the session that their trace named', async () => {
    const { writer, reader } = await open();
    const { committed } = await writer.commit(
      batchOf([spanOf('a2'), spanOf('a1', { sessionId: 's' }), spanOf('b1')]),
    );
    const late = (await writer.commit(batchOf([spanOf('a3')]))).committed;
    const { key } = committed.sessions[0]!;
    const keysOf = async (trace: string): Promise<(string | null)[]> =>
      (await reader.trace(trace.repeat(32), 9))!.spans.map(span => span.sessionKey);
    expect(await keysOf('a')).toEqual([key, key, key]);
    expect(await keysOf('b')).toEqual([null]);
    expect(committed.tallies.map(one => [one.sessionKey, one.count])).toEqual([[key, 2]]);
    expect(late.tallies.map(one => [one.sessionKey, one.count])).toEqual([[key, 1]]);
    expect(late.sessions[0]?.isNew).toBe(false);
  });

  test('a session adopts the spans of its traces that came before it was named', async () => {
    const { writer, reader } = await open();
    await writer.commit(batchOf([spanOf('a2'), spanOf('a3'), spanOf('b1')]));
    // Over midnight: where volumes are files, the children stand in another than the root that names the session.
    const later = (second: number): bigint => NOON_NS + seconds(12 * 3_600 + second);
    await writer.commit(batchOf([spanOf('a4'), spanOf('b2')], [], later(0)));
    const { committed } = await writer.commit(
      batchOf([spanOf('a1', { sessionId: 's' })], [], later(1)),
    );
    const { key } = committed.sessions[0]!;
    expect(committed.spanCount).toBe(1);
    expect(committed.tallies.map(one => one.count).toSorted()).toEqual([1, 1, 2]);
    const names = (await reader.sessionSpans(key, 99)).map(span => [span.name, span.sessionKey]);
    expect(names.toSorted()).toEqual(['a1', 'a2', 'a3', 'a4'].map(name => [name, key]));
    const raw = await writer.loadSession(key);
    expect(raw?.tallies.map(one => one.count)).toEqual([2, 1, 1]);
    expect(raw?.lastCommit).toBe(committed.commit);
    // Read again with the root's commit left out, as when that one is ingested by itself: nothing is there.
    expect(raw?.tallies.filter(one => one.commit < committed.commit)).toEqual([]);
    // A second span of the session adopts nothing again.
    const last = await writer.commit(batchOf([spanOf('a5', { sessionId: 's' })], [], later(2)));
    expect(last.committed.tallies.map(one => one.count)).toEqual([1]);
  });

  test('pages of traces hold each trace once, the latest first', async () => {
    const { writer, reader } = await open();
    for (const [index, name] of [...'abcdefa'].entries())
      await writer.commit(
        batchOf([spanOf(`${name}${index + 1}`)], [], NOON_NS + seconds(index * 6 * 3_600)),
      );
    const seen: string[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await reader.traces({ limit: 2, ...(cursor && { cursor }) });
      seen.push(...page.items.map(one => `${one.traceId[0]}${one.spanCount}`));
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen.join(' ')).toBe('a2 f1 e1 d1 c1 b1');
  });

  test('what a session holds comes back as it was stored', async () => {
    const { writer, reader } = await open();
    const span = spanOf('a1', {
      sessionId: 's',
      parentSpanId: 'e'.repeat(16) as never,
      startUnixNs: 0n,
      endUnixNs: 2n ** 63n - 1n,
      attributes: {
        'session.id': 's',
        text: 'höre 🎙 "quoted" \\ \t\n\0',
        empty: '',
        long: 'x'.repeat(5_000),
        list: [1, null, true],
        map: { deep: ['x'] },
        share: 0.25,
        yes: true,
        negative: -(2 ** 53) + 1,
        __proto__: 1,
      },
      resource: { attributes: { 'service.name': 'svc', port: 4318 } },
      scope: SCOPE_NAME,
      events: [{ name: 'e', atUnixNs: 7n, attributes: { a: 1 } }],
      links: [{ traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), attributes: {} }],
      statusCode: 2,
      statusMessage: 'broken',
    });
    const backwards = spanOf('a2', {
      sessionId: 's',
      attributes: { 'session.id': 's' },
      endUnixNs: NOON_NS - 5n,
      scope: SCOPE_NAME,
    });
    const flush = flushOf('s', 1, { state: { v: 1 } });
    const { committed } = await writer.commit(batchOf([span, backwards], [flush]));
    const key = committed.sessions[0]!.key;
    const raw = await writer.loadSession(key);
    expect(raw?.spans).toEqual(committed.spans);
    expect(raw?.flushes).toEqual(committed.flushes);
    expect(await reader.sessionSpans(key, 9)).toEqual(committed.spans);
    expect(await reader.flushes(key)).toEqual(committed.flushes);
    expect(committed.spans[0]).toMatchObject(span);
    expect(committed.spans[1]).toMatchObject(backwards);
    const counted = (tallies: readonly { count: number; errorCount: number }[] = []): number[] =>
      tallies.reduce((sum, one) => [sum[0]! + one.count, sum[1]! + one.errorCount], [0, 0]);
    expect(counted(raw?.tallies)).toEqual(counted(committed.tallies));
  });

  test('records of a window are those whose own time touches it', async () => {
    const { writer, reader } = await open();
    const flushes = [1, 2, 3, 4].map(seq => flushOf('s', seq));
    const { committed } = await writer.commit(batchOf([], flushes));
    const range = { fromUnixNs: NOON_NS + seconds(3), toUnixNs: NOON_NS + seconds(4) };
    const found = await reader.flushes(committed.sessions[0]!.key, range);
    expect(found.map(one => one.seq)).toEqual([2, 3]);
  });

  test('a flush that comes minutes after younger ones is among those since the last look', async () => {
    const { writer, reader } = await open();
    const first = (await writer.commit(batchOf([], [flushOf('s', 500)]))).committed;
    const late = (await writer.commit(batchOf([], [flushOf('s', 1)]))).committed;
    const key = first.sessions[0]!.key;
    expect((await reader.flushesSince(key, 0)).map(one => one.seq)).toEqual([500, 1]);
    expect((await reader.flushesSince(key, first.commit)).map(one => one.seq)).toEqual([1]);
    expect(await reader.flushesSince(key, late.commit)).toEqual([]);
  });

  test('a session is unfinished until derived rows cover its last commit', async () => {
    const { writer } = await open();
    const { committed } = await writer.commit(batchOf([spanOf('a1', { sessionId: 's' })]));
    const { key } = committed.sessions[0]!;
    const unfinished = async (): Promise<unknown[]> =>
      (await writer.unfinishedSessions()).map(one => [one.id, one.coveredCommit, one.lastCommit]);
    expect(await unfinished()).toEqual([['s', 0, committed.commit]]);
    await writer.commitDerived([derivedOf({ key, commit: committed.commit })]);
    expect(await unfinished()).toEqual([]);
    expect((await writer.loadSession(key))?.revision).toBe(1);
  });

  test('spans are handed on in whole commits, by their order', async () => {
    const { writer, reader } = await open();
    const commits: number[] = [];
    for (const names of [['a1', 'a2'], ['b1'], ['c1', 'c2', 'c3']])
      commits.push(
        (await writer.commit(batchOf(names.map(name => spanOf(name))))).committed.commit,
      );
    const run = async (after: number, limit: number): Promise<string> => {
      const { spans, last } = await reader.spansAfter(after, limit);
      return `${spans.map(span => span.name).join(' ')} | ${last ? commits.indexOf(last.commit) : ''}`;
    };
    expect(await run(0, 3)).toBe('a1 a2 b1 | 1');
    expect(await run(commits[1]!, 1)).toBe('c1 c2 c3 | 2');
    expect(await run(commits[2]!, 9)).toBe(' | ');
    expect((await reader.lastCommit())?.commit).toBe(commits[2]);
  });

  test('points of a histogram come back as sent, each once', async () => {
    const { writer, reader } = await open();
    const point = {
      measure: 'metric.http.duration',
      series: 'ab'.repeat(8),
      attributes: { route: '/x' },
      resource: { 'service.name': 'svc' },
      startUnixNs: NOON_NS,
      atUnixNs: NOON_NS + seconds(60),
      isCumulative: true,
      count: 3,
      sumNs: 5e9,
      minNs: null,
      maxNs: 2e9,
      sketch: Uint8Array.of(0, 255, 128, 7),
      isExact: false,
    };
    const batch = { ...batchOf([]), points: [point] };
    expect((await writer.commit(batch)).repeatedCount).toBe(0);
    expect((await writer.commit(batch)).repeatedCount).toBe(1);
    const found = await reader.metricPoints(point.measure, DAY);
    expect(found.map(one => ({ ...one, sketch: Uint8Array.from(one.sketch) }))).toEqual([point]);
    expect(await reader.metricMeasures()).toEqual([
      { measure: point.measure, seriesCount: 1, pointCount: 1 },
    ]);
  });

  test('a zero of the clock that was noted is known to the next writer', async () => {
    const store = await open();
    const clock = { domain: 'ab'.repeat(8), epoch: 1, zeroUnixNs: NOON_NS + 7n };
    const noted = await store.writer.noteCollectorClock(clock);
    expect(noted).toMatchObject(clock);
    const writer = await store.again();
    expect(await writer.collectorClocks()).toEqual([noted]);
    expect(await store.reader.collectorClocks()).toEqual([noted]);
  });
}

// ---- derived ------------------------------------------------------------------------------

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

export function derivedContract(open: OpenEngine): void {
  test('waits are the same before and after tidying, and after a session changed', async () => {
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
  });

  test('a range takes the waits that start in it, its end not included', async () => {
    const { writer, reader } = await open();
    const values = [0, 10, 20, 30].map(tick => valueOf('a', tick));
    await writer.commitDerived([derivedOf({ key: 'a' }, { values })]);
    const range = { fromUnixNs: NOON_NS + 10_000_000n, toUnixNs: NOON_NS + 30_000_000n };
    const expected = naiveWaits(values.slice(1, 3));
    expect(await waitsIn(reader, range)).toEqual(expected);
    await tidyAll(writer);
    expect(await waitsIn(reader, range)).toEqual(expected);
  });

  test('minutes of all calls and of a region add up, before and after tidying, and when changed', async () => {
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
  });

  test('a session walk sees the minutes of the sessions that are wanted', async () => {
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
  });

  test('counts of measures stay right through tidying, change and loss of values', async () => {
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
    await writer.commitDerived([derivedOf({ key: 'b', commit: 2 }, { values: [valueOf('b', 0)] })]);
    await tidyAll(writer);
    expect(await measured()).toEqual([`${FRAMES} 4500 of 1`, 'voice_to_voice.client 3 of 2']);
  });

  test('lists of sessions come newest first, in pages, and by their state', async () => {
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
  });

  test('turns are listed by tick, found by trace and by words, and replaced', async () => {
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
  });

  test('notes and samples of clocks come back', async () => {
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
  });
}
