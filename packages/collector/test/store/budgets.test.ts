import { expect, onTestFinished, test } from 'vitest';
import type { BudgetList } from '@framescope/protocol';
import type { BudgetConflict } from '../../src/store/store.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { detailOf, derivedOf, valueOf } from '../support/derived.ts';
import { NOON_NS, temporaryFolder } from '../support/spans.ts';

const MS = 1e6;
const DEFAULTS = { voice_to_voice: 800 * MS, frame: 300 * MS };

function open(folder: string, limits: Readonly<Record<string, number>> = DEFAULTS): SqliteWriter {
  const writer = new SqliteWriter({
    folder,
    maxBytes: 1e9,
    budgets: { limits, inFile: limits === DEFAULTS ? [] : ['voice_to_voice'] },
  });
  onTestFinished(() => writer.close());
  return writer;
}

const set = (writer: SqliteWriter, items: readonly (readonly [string, number | null])[]) =>
  writer.setBudgets({
    items: items.map(([measure, limitNs]) => ({ measure, limitNs })),
    atUnixNs: NOON_NS,
  });

const shown = (list: BudgetList | BudgetConflict): string[] =>
  ('items' in list ? list : list.now).items.map(
    one => `${one.measure} ${(one.limitNs ?? NaN) / MS} ${one.source}`,
  );

test('what the page sets goes before a file, and a file before the defaults', () => {
  const folder = temporaryFolder();
  const writer = open(folder, { ...DEFAULTS, voice_to_voice: 900 * MS });
  expect(shown(set(writer, []))).toEqual(['frame 300 default', 'voice_to_voice 900 file']);
  const changed = set(writer, [
    ['voice_to_voice', 700 * MS],
    ['part.inference', 250 * MS],
  ]);
  expect(shown(changed)).toEqual([
    'frame 300 default',
    'part.inference 250 page',
    'voice_to_voice 700 page',
  ]);
  expect(writer.limits()).toEqual({
    frame: 300 * MS,
    'part.inference': 250 * MS,
    voice_to_voice: 700 * MS,
  });
  // All that the page sets: what it leaves out is the file's again.
  expect(shown(set(writer, [['frame', null]]))).toEqual([
    'frame NaN page',
    'voice_to_voice 900 file',
  ]);
  expect(writer.limits()).toEqual({ voice_to_voice: 900 * MS });
});

test('they are there after a restart', () => {
  const folder = temporaryFolder();
  const first = new SqliteWriter({
    folder,
    maxBytes: 1e9,
    budgets: { limits: DEFAULTS, inFile: [] },
  });
  set(first, [['voice_to_voice', 700 * MS]]);
  first.close();
  expect(open(folder).limits()['voice_to_voice']).toBe(700 * MS);
});

test('of two who edit at once the second is told', () => {
  const writer = open(temporaryFolder());
  const revision = 0;
  const change = { items: [], atUnixNs: NOON_NS, revision };
  expect(writer.setBudgets(change)).toMatchObject({ revision: revision + 1 });
  expect(writer.setBudgets(change)).toMatchObject({
    conflict: true,
    now: { revision: revision + 1 },
  });
});

/** A session of three turns of 500, 750 and 900 ms, counted by a limit of 800. */
function threeTurns(writer: SqliteWriter, key: string): void {
  const values = [500, 750, 900].map((ms, i) => valueOf(key, i + 1, { valueNs: ms * MS }));
  const v2v = {
    n: 3,
    censored: 0,
    p50Ns: null,
    p95Ns: null,
    p99Ns: null,
    p999Ns: null,
    maxNs: 900 * MS,
  };
  const session = {
    ...detailOf({ key }),
    overBudgetCount: 1,
    voiceToVoice: { ...v2v, definition: 'client' as const },
  };
  writer.commitDerived([{ ...derivedOf({ key }, { values }), session }]);
}

async function counts(folder: string): Promise<number[]> {
  const reader = new SqliteReader(folder);
  const { items } = await reader.sessions({ limit: 99 });
  const facets: number[] = [];
  await reader.scanFacets({ fromUnixNs: 0n, toUnixNs: 2n ** 62n }, one => {
    facets.push(one.facets.counts['overbudget'] ?? -1);
    return true;
  });
  reader.close();
  // Lists and filters say the same.
  expect(facets.toSorted()).toEqual(items.map(one => one.overBudgetCount).toSorted());
  return items.map(one => one.overBudgetCount);
}

test('with another limit the turns over it are counted again, packed and unpacked sessions alike', async () => {
  const folder = temporaryFolder();
  const writer = open(folder);
  for (let i = 0; i < 60; i++) threeTurns(writer, `call${i}`);
  // Packed as it is tidied; one more comes after.
  while (writer.tidy(NOON_NS));
  threeTurns(writer, 'late');
  expect(new Set(await counts(folder))).toEqual(new Set([1]));
  set(writer, [['voice_to_voice.client', 600 * MS]]);
  while (writer.tidy(NOON_NS));
  expect(await counts(folder)).toEqual(Array.from({ length: 61 }, () => 2));
  set(writer, [['voice_to_voice', null]]);
  while (writer.tidy(NOON_NS));
  expect(new Set(await counts(folder))).toEqual(new Set([0]));
});

test('a file that changed between two starts counts again too', async () => {
  const folder = temporaryFolder();
  const first = new SqliteWriter({
    folder,
    maxBytes: 1e9,
    budgets: { limits: DEFAULTS, inFile: [] },
  });
  threeTurns(first, 'a');
  first.close();
  const writer = open(folder, { voice_to_voice: 400 * MS });
  while (writer.tidy(NOON_NS));
  expect(await counts(folder)).toEqual([3]);
});
