// A store with known waits for tests of charts, and questions to it.

import { onTestFinished } from 'vitest';
import { ANSWERS, type AnswerName, type ArgumentsOf } from '../../src/query/answers.ts';
import type { QueryContext } from '../../src/query/queries.types.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import type { DerivedRows, ValueRow } from '../../src/store/store.ts';
import { derivedOf, valueOf } from './derived.ts';
import { NOON_NS, temporaryFolder } from './spans.ts';

export const MS = 1e6;
export const HOUR_NS = 3_600_000_000_000n;
/** The hour from noon. */
export const HOUR: { readonly fromUnixNs: bigint; readonly toUnixNs: bigint } = {
  fromUnixNs: NOON_NS,
  toUnixNs: NOON_NS + HOUR_NS,
};

export type Ask = <T>(name: AnswerName, args: unknown) => Promise<T>;

/** A store with `rows`, asked in place; packed unless said otherwise. */
export function storeOf(rows: readonly DerivedRows[], isPacked = true): Ask {
  const folder = temporaryFolder();
  const writer = new SqliteWriter({ folder, maxBytes: 1e9 });
  writer.commitDerived(rows);
  while (isPacked && writer.tidy(NOON_NS + 24n * HOUR_NS));
  const reader = new SqliteReader(folder);
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  const context: QueryContext = {
    reader,
    nowUnixNs: () => NOON_NS + HOUR_NS,
    budgets: { voice_to_voice: 800 * MS },
  };
  return async <T>(name: AnswerName, args: unknown) =>
    (await ANSWERS[name](context, args as ArgumentsOf<never>)) as T;
}

export interface Call {
  readonly key: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly turns: readonly Readonly<Record<string, number>>[];
}

/** A wait's parts in ms; the wait is their sum. */
export function callOf({ key, attributes, turns }: Call): DerivedRows {
  const values = turns.flatMap((parts, i): ValueRow[] => {
    const tick = i * 1_000;
    const named = Object.entries(parts);
    const sumNs = named.reduce((sum, [, value]) => sum + value * MS, 0);
    const worst = named.toSorted((a, b) => b[1] - a[1])[0]!;
    const shared = { worstPart: worst[0], worstPartNs: worst[1] * MS };
    return [
      valueOf(key, tick, { valueNs: sumNs, isOverBudget: sumNs > 800 * MS, ...shared }),
      ...named.map(([name, value]) =>
        valueOf(key, tick, {
          measure: `part.${name}`,
          valueNs: value * MS,
          savesNs: name === 'inference' ? 50 * MS : value * MS,
          ...shared,
        }),
      ),
    ];
  });
  return derivedOf({ key, ...(attributes && { attributes }) }, { values });
}
