// The contract of a store: a tail is attributed to its parts, to the nanosecond, whoever adds up.

import { expect } from 'vitest';
import { attribute, attributeSums } from '../../src/query/attribution.ts';
import { rankOfFirst } from '../../src/query/tail-why.ts';
import { rowsWith } from '../../src/query/wait-rows.ts';
import type { UnixRange, ValueRow } from '../../src/store/store.ts';
import { derivedOf, seeded, valueOf } from '../support/derived.ts';
import { NOON_NS } from '../support/spans.ts';
import { contract, type ContractReader, type ContractTest } from './contract-test.ts';

const DAY_NS = 86_400_000_000_000n;
const DAY: UnixRange = { fromUnixNs: NOON_NS - DAY_NS / 2n, toUnixNs: NOON_NS + DAY_NS / 2n };

/** Row by row, and by the engine's sums where it makes them, against sums of whole numbers. */
async function expectAttributed(
  reader: ContractReader,
  values: readonly ValueRow[],
): Promise<void> {
  const measure = 'voice_to_voice.client';
  const table = await reader.waits(DAY, { measures: [measure, 'part.*'] });
  const column = table.columns.get(measure)!;
  const rows = rowsWith(column, new Uint8Array(table.length).fill(1));
  const lengths = values.filter(one => one.measure === measure).map(one => one.valueNs);
  expect(rows.length).toBe(lengths.length);
  const least = lengths.sort((a, b) => a - b)[rankOfFirst(lengths.length) - 1]!;
  const inside = new Uint8Array(table.length);
  for (const row of rows) if (column.valueNs[row]! >= least) inside[row] = 1;
  const byRows = attribute(table, rows, inside);

  const slow = new Set(
    values
      .filter(one => one.measure === measure && one.valueNs >= least)
      .map(one => `${one.sessionKey} ${one.tick}`),
  );
  const isSlow = (one: ValueRow): boolean => slow.has(`${one.sessionKey} ${one.tick}`);
  const parts = values.filter(one => one.measure.startsWith('part.'));
  const waitsIn = (some: readonly ValueRow[]): bigint =>
    BigInt(new Set(some.map(one => `${one.sessionKey} ${one.tick}`)).size);
  const [all, slowest] = [waitsIn(parts), waitsIn(parts.filter(isSlow))];
  const sum = (some: readonly ValueRow[]): bigint =>
    some.reduce((ns, one) => ns + BigInt(one.valueNs), 0n);
  for (const part of byRows.parts) {
    const own = parts.filter(one => one.measure === `part.${part.name}`);
    expect(part.meanAllNs).toBe(Number(sum(own)) / Number(all));
    expect(part.meanInNs).toBe(Number(sum(own.filter(isSlow))) / Number(slowest));
  }
  if (reader.waitSums === undefined) return;
  const sums = await reader.waitSums({ measure, range: DAY, sessionCount: 9, rankOfFirst });
  expect(sums.inside.turns).toBe(lengths.filter(one => one >= least).length);
  expect(sums.inside.turns + sums.outside.turns).toBe(lengths.length);
  expect(sums.fromValueNs).toBe(least);
  const told = sums.rows.flatMap(row => row.sumNs).reduce((ns, one) => ns + BigInt(one), 0n);
  expect(told).toBe(sum(parts));
  const bySums = attributeSums(sums);
  // As of many calls: dealt into groups by a hash; what is added up is the same.
  const many = await reader.waitSums({ measure, range: DAY, sessionCount: 5_000, rankOfFirst });
  const grouped = attributeSums(many);
  expect(many.inside).toEqual(sums.inside);
  expect(many.fromValueNs).toBe(least);
  expect(grouped.total).toMatchObject({
    meanInNs: bySums.total.meanInNs,
    meanAllNs: bySums.total.meanAllNs,
    deltaNs: bySums.total.deltaNs,
  });
  expect(grouped.parts.map(part => [part.name, part.deltaNs])).toEqual(
    bySums.parts.map(part => [part.name, part.deltaNs]),
  );
  const box = { minNs: least - 0.5, maxNs: 1.5e9, toUnixNs: NOON_NS + 3_000_000_000n };
  const boxed = await reader.waitSums({ measure, range: DAY, sessionCount: 9, box, rankOfFirst });
  expect(boxed.inside.turns).toBe(
    values.filter(
      one =>
        one.measure === measure &&
        one.valueNs >= least &&
        one.valueNs <= box.maxNs &&
        one.atUnixNs < box.toUnixNs,
    ).length,
  );
  expect(bySums.total).toEqual(byRows.total);
  expect(bySums.parts).toEqual(byRows.parts.map(({ unusual: _unusual, ...part }) => part));
}

export const TAIL_CONTRACT: readonly ContractTest[] = [
  contract('a tail is attributed to its parts, exactly, by rows and by sums', async open => {
    const { writer, reader } = await open();
    const random = seeded(7);
    const names = ['inference', 'synthesis', 'jitter_buffer', 'inference+synthesis'];
    const turnOf = (key: string, tick: number, shiftNs = 0n): ValueRow[] => {
      const atUnixNs = NOON_NS + BigInt(tick) * 1_000_000n + shiftNs;
      const parts = names.filter(() => random() < 0.7);
      const given = parts.map(name =>
        valueOf(key, tick, {
          measure: `part.${name}`,
          valueNs: Math.floor(random() * 1e9),
          atUnixNs,
        }),
      );
      const valueNs =
        given.length === 0
          ? Math.floor(random() * 2e9)
          : given.reduce((sum, one) => sum + one.valueNs, 0);
      return [valueOf(key, tick, { valueNs, atUnixNs }), ...given];
    };
    const keys = Array.from({ length: 9 }, (_, i) => `call ${i}`);
    const values = new Map(
      keys.map(key => [key, Array.from({ length: 20 }, (_, i) => turnOf(key, i * 500)).flat()]),
    );
    for (const [key, own] of values)
      await writer.commitDerived([derivedOf({ key }, { values: own })]);
    await expectAttributed(reader, [...values.values()].flat());

    // One turn is another now and stands in another hour, one has no wait any more, one call is no more.
    const moved = turnOf('call 3', 500, 3_600_000_000_000n);
    const turns = [500, 1_000].map(tick => ({ tick, words: [], traceId: null }) as never);
    await writer.commitDerived([
      derivedOf({ key: 'call 3' }, { replace: 'given', turns, values: moved }),
    ]);
    values.set('call 3', [
      ...values.get('call 3')!.filter(one => one.tick !== 500 && one.tick !== 1_000),
      ...moved,
    ]);
    await writer.commitDerived([derivedOf({ key: 'call 5' }, { values: [] })]);
    values.delete('call 5');
    await expectAttributed(reader, [...values.values()].flat());
  }),
];
