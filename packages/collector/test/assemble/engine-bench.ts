// An engine on small calls, and what it told.

import { expect } from 'vitest';
import { SessionEngine } from '../../src/assemble/engine.ts';
import type { DerivedRows, StoredFlush } from '../../src/store/store.ts';
import { BOOK, flush, MS, NOON, SECOND } from './call.ts';

export const at = (seconds: number): bigint => NOON + BigInt(Math.round(seconds * SECOND));
export const engine = (startedS = -3_600): SessionEngine =>
  new SessionEngine({
    clockBook: BOOK,
    startedUnixNs: at(startedS),
    budgets: { voice_to_voice: 800 * MS, frame: 300 * MS },
  });

export const AGENT_SESSION = {
  authority: true,
  attributes: { region: 'eu', 'framescope.synthetic': 'test day' },
};

/** Both processes, second by second. */
export function call(
  seconds: number,
  more: Partial<Parameters<typeof flush>[0]> = {},
): StoredFlush[] {
  return Array.from({ length: seconds }, (_, s) => [
    flush({ producer: 'client', seq: s, fromS: s, toS: s + 1, commit: s + 1, session: {} }),
    flush({
      producer: 'agent',
      seq: s,
      fromS: s,
      toS: s + 1,
      commit: s + 1,
      session: AGENT_SESSION,
      ...more,
    }),
  ]).flat();
}
export const only = (rows: readonly DerivedRows[]): DerivedRows => {
  expect(rows).toHaveLength(1);
  return rows[0]!;
};
export const measures = (rows: DerivedRows): string[] =>
  rows.values.map(
    one => `${one.measure} ${Math.round(one.valueNs / MS)}${one.isCensored ? ' or more' : ''}`,
  );
