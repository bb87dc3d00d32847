// Derived rows of made-up sessions, for tests of the store and of queries.

import { Sketch, WorstList, type SessionDetail, type SessionStatus } from '@framescope/protocol';
import type { DerivedRows, RollupRow, ValueRow } from '../../src/store/store.ts';
import { NOON_NS } from './spans.ts';

export const MINUTE_NS = 60_000_000_000n;
export const NOON_MINUTE: number = Number(NOON_NS / MINUTE_NS);
const MS = 1e6;

/** Numbers in [0, 1), the same on every machine. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface MadeSession {
  readonly key: string;
  readonly status?: SessionStatus;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly startUnixNs?: bigint;
  readonly commit?: number;
}

export function detailOf(session: MadeSession): SessionDetail {
  const startUnixNs = session.startUnixNs ?? NOON_NS;
  return {
    key: session.key,
    id: `call ${session.key}`,
    status: session.status ?? 'ended',
    startUnixNs: String(startUnixNs),
    endUnixNs: String(startUnixNs + 600_000_000_000n),
    attributes: session.attributes ?? {},
    services: ['agent'],
    synthetic: null,
    spanCount: 0,
    turnCount: 1,
    voiceToVoice: null,
    worstTurn: null,
    overBudgetCount: 0,
    bargeInCount: 0,
    frames: { expected: 0, lost: 0, late: 0, concealed: 0 },
    strip: [],
    zeroUnixNs: String(startUnixNs),
    durationNs: 600e9,
    streams: [],
    processes: [],
    budgets: [],
    traceIds: [],
    dropped: {},
  };
}

export function valueOf(session: string, tick: number, change: Partial<ValueRow> = {}): ValueRow {
  return {
    measure: 'voice_to_voice.client',
    sessionKey: session,
    tick,
    waitIndex: 0,
    atUnixNs: NOON_NS + BigInt(tick) * 1_000_000n,
    valueNs: 500 * MS,
    isCensored: false,
    outcome: 'answered',
    errorNs: 1_234,
    resolved: 0.98,
    worstPart: 'inference',
    worstPartNs: 200 * MS,
    isOverBudget: false,
    ...change,
  };
}

export function rollupOf(
  session: string,
  minute: number,
  values: readonly number[],
  change: Partial<RollupRow> = {},
): RollupRow {
  const sketch = new Sketch();
  const worst = new WorstList();
  values.forEach((valueNs, i) => {
    sketch.add(valueNs);
    worst.add(valueNs, String(i * 320));
  });
  return {
    sessionKey: session,
    measure: 'frame.mic.agent/receive',
    minute,
    count: sketch.count,
    expectedCount: sketch.count + 1,
    lostCount: 1,
    lateCount: 2,
    concealedCount: 0,
    overBudgetCount: values.filter(value => value > 300 * MS).length,
    sumNs: sketch.sumNs,
    minNs: sketch.minNs,
    maxNs: sketch.maxNs,
    sketch: sketch.toBytes(),
    worst: worst.items().map(one => ({ valueNs: one.valueNs, ref: Number(one.ref) })),
    ...change,
  };
}

export const derivedOf = (
  session: MadeSession,
  rows: Partial<Pick<DerivedRows, 'values' | 'rollups' | 'replace' | 'turns'>> = {},
): DerivedRows => ({
  sessionKey: session.key,
  coveredCommit: session.commit ?? 1,
  revision: 1,
  session: detailOf(session),
  replace: 'all',
  turns: [],
  values: [],
  rollups: [],
  ...rows,
});
