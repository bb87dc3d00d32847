// The first cause of a tail on rows whose cause is known, and on rows that have none.

import type { TailWhy } from '@framescope/protocol';
import { expect, test } from 'vitest';
import type { DerivedRows } from '../../src/store/store.ts';
import { callOf, HOUR, storeOf } from '../support/charts.ts';
import { seeded } from '../support/derived.ts';

/** 30 calls of 12 turns; `slow` says how much longer the parts of a turn are. */
function callsWith(
  seed: number,
  slow: (call: number, turn: number) => Record<string, number>,
  attributes: (call: number, random: () => number) => Record<string, string> = () => ({}),
): DerivedRows[] {
  const random = seeded(seed);
  const around = (ms: number): number => Math.round(ms * (0.75 + 0.5 * random()));
  return Array.from({ length: 30 }, (_, call) =>
    callOf({
      key: `c${call}`,
      attributes: attributes(call, random),
      turns: Array.from({ length: 12 }, (__, turn) => {
        const parts: Record<string, number> = {
          uplink: around(40),
          endpointing: around(250),
          inference: around(350),
          synthesis: around(150),
        };
        for (const [name, ms] of Object.entries(slow(call, turn))) parts[name]! += ms;
        return parts;
      }),
    }),
  );
}

const verdictOf = async (calls: DerivedRows[]): Promise<TailWhy['verdict']> =>
  (await storeOf(calls)<TailWhy>('tailWhy', HOUR)).verdict;

/** Each world is a store of its own: fifty take ten seconds on a free machine. */
const STORES_MS = 180_000;

const isOneIn = (n: number, call: number, turn: number): boolean => (call * 5 + turn * 7) % n === 0;

test('two parts that are slow in the same turns are told together, the longer one first', async () => {
  const verdict = await verdictOf(
    callsWith(1, (call, turn) =>
      isOneIn(9, call, turn) ? { inference: 500, synthesis: 400 } : {},
    ),
  );
  expect(verdict).toMatchObject({ kind: 'part', name: 'inference', with: ['synthesis'] });
  expect(verdict.text).toMatch(/inference and synthesis are slow together, in 3\d of 3\d turns$/);
});

test('two parts that are slow in different turns are told as that', async () => {
  const verdict = await verdictOf(
    callsWith(2, (call, turn) =>
      isOneIn(9, call, turn) ? (call % 2 === 0 ? { inference: 700 } : { synthesis: 700 }) : {},
    ),
  );
  expect(new Set([verdict.name, ...verdict.with])).toEqual(new Set(['inference', 'synthesis']));
  expect(verdict.text).toMatch(/are slow in different turns$/);
});

test('a network that is slow for three calls in ten is named, though its usual range is wide', async () => {
  const usual = seeded(9);
  const verdict = await verdictOf(
    callsWith(3, call => ({
      uplink: Math.round(120 + 400 * usual() ** 0.5) + (call % 10 < 3 ? 1_000 : 0),
    })),
  );
  expect(verdict).toMatchObject({ kind: 'part', name: 'network' });
});

test(
  'where all calls have such a network, and none is slow, nothing is claimed',
  async () => {
    const claimed: string[] = [];
    for (let seed = 1; seed <= 6; seed++) {
      const usual = seeded(100 + seed);
      const verdict = await verdictOf(
        callsWith(seed, () => ({ uplink: Math.round(120 + 400 * usual() ** 0.5) })),
      );
      if (verdict.kind !== 'none') claimed.push(verdict.text);
    }
    expect(claimed).toEqual([]);
  },
  STORES_MS,
);

test('one bad call is named as that, and no part or attribute of it is blamed', async () => {
  const calls = callsWith(
    3,
    () => ({}),
    (call, random) => ({
      host: `h${Math.floor(3 * random())}`,
      customer: `customer ${call}`,
    }),
  );
  calls.push(
    callOf({
      key: 'bad',
      attributes: { host: 'h1' },
      turns: Array.from({ length: 30 }, () => ({ endpointing: 250, inference: 1_500 })),
    }),
  );
  const verdict = await verdictOf(calls);
  expect([verdict.kind, verdict.value]).toEqual(['session', 'bad']);
  expect(verdict.text).toMatch(/^30 of the 3\d slow turns are of one call/);
});

test(
  'of fifty worlds without a cause and with twelve attributes none is claimed',
  async () => {
    const attributes = (_call: number, random: () => number): Record<string, string> =>
      Object.fromEntries(
        Array.from({ length: 12 }, (_, i) => [`a${i}`, `v${Math.floor((2 + (i % 5)) * random())}`]),
      );
    const claimed: string[] = [];
    for (let seed = 100; seed < 150; seed++) {
      const { kind, text } = await verdictOf(callsWith(seed, () => ({}), attributes));
      if (kind !== 'none') claimed.push(`${seed}: ${text}`);
    }
    expect(claimed).toEqual([]);
  },
  STORES_MS,
);
