// Inference split into the way, the queue and the work: what fits is believed, what cannot be so is
// quoted, what nobody told stays unknown. The pieces sum to the part, always.

import { ATTR, type Attributes } from '@framescope/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitOf, vendorTold } from '../../../src/assemble/ledger/split.ts';

const MS = 1_000_000;
const KEYS = {
  way: ATTR.vendorRttNs,
  connect: ATTR.vendorConnectNs,
  queue: ATTR.vendorQueueNs,
  work: ATTR.vendorProcessingNs,
} as const;

/** Told figures in ms; `full` and `exposed` of the part. */
function split(
  told: Partial<Record<keyof typeof KEYS, number>>,
  full: number,
  exposed = full,
): { pieces: string; note: string | null } {
  const attributes: Attributes = Object.fromEntries(
    Object.entries(told).map(([name, ms]) => [KEYS[name as keyof typeof KEYS], ms * MS]),
  );
  const { pieces, note } = splitOf(vendorTold(attributes)!, full * MS, exposed * MS);
  return { pieces: pieces.map(one => `${one.name} ${one.exposedNs / MS}`).join(', '), note };
}

test('a way that was measured and work that was told leave what nobody knows', () => {
  expect(split({ way: 90, queue: 40, work: 300 }, 420)).toEqual({
    pieces: 'network 90, queue 40, compute 260, unknown 30',
    note: null,
  });
  expect(split({ way: 20, connect: 60, work: 300 }, 380)).toEqual({
    pieces: 'network 80, compute 300',
    note: null,
  });
});

test('without its word the work is unknown, without a ping the way is', () => {
  expect(split({ way: 90 }, 400)).toEqual({
    pieces: 'network 90, unknown 310',
    note: 'it told nothing of its work',
  });
  expect(split({ work: 300 }, 400)).toEqual({
    pieces: 'compute 300, unknown 100',
    note: 'the way to it was not measured',
  });
  expect(vendorTold({ 'gen_ai.system': 'openai' })).toBeUndefined();
});

test('a service that says it took longer than the request is quoted and not believed', () => {
  expect(split({ way: 90, work: 900 }, 400)).toEqual({
    pieces: 'network 90, unknown 310',
    note: 'it says that it took 900 ms, of a request that took 400 ms',
  });
  // From both sides: 2 ms are what headers round and ways vary.
  expect(split({ work: 402 }, 400).pieces).toBe('compute 400');
  expect(split({ work: 402.1 }, 400).pieces).toBe('unknown 400');
});

test('a way that was quicker than usual has what the work leaves of the request, and it is said', () => {
  expect(split({ way: 200, work: 300 }, 400)).toEqual({
    pieces: 'network 100, compute 300',
    note: 'the way takes 200 ms as a rule, and had 100 ms at most in this request',
  });
  expect(split({ way: 900, work: 300 }, 400)).toEqual({
    pieces: 'compute 300, unknown 100',
    note: 'the way was measured as 900 ms, of a request that took 400 ms',
  });
  expect(split({ queue: 300, work: 100 }, 400)).toEqual({
    pieces: 'unknown 400',
    note: 'it says that 300 ms of its 100 ms were its queue',
  });
});

test('what is no duration is said to be none', () => {
  expect(split({ work: -1 / MS }, 400)).toEqual({
    pieces: 'unknown 400',
    note: 'it told no duration',
  });
  expect(split({ way: -1 / MS, work: 300 }, 400)).toEqual({
    pieces: 'compute 300, unknown 100',
    note: 'the way to it was told as no duration',
  });
  expect(vendorTold({ [ATTR.vendorProcessingNs]: 'soon' })?.processingNs).toBeNaN();
});

test('of a part that was hidden at its beginning, its end is split', () => {
  // 45 there, 100 queue, 200 work, 10 unknown, 45 back: the last 300 of 400.
  expect(split({ way: 90, queue: 100, work: 300 }, 400, 300).pieces).toBe(
    'network 45, queue 45, compute 200, unknown 10',
  );
  expect(split({ way: 90, work: 300 }, 400, 45).pieces).toBe('network 45');
});

test('whatever is told, no piece is negative and they sum to the part to the nanosecond', () => {
  const told = fc.option(
    fc.oneof(fc.integer({ min: -5, max: 3e9 }), fc.constantFrom(Number.NaN, Infinity, 1e18, 0.5)),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fc.tuple(told, told, told, told), fc.nat(2e9), fc.nat(2e9), (all, full, more) => {
      const attributes = Object.fromEntries(
        Object.values(KEYS).map((key, i) => [key, all[i]]),
      ) as Attributes;
      const known = vendorTold(attributes);
      if (known === undefined) return;
      const exposed = Math.min(full, more);
      const { pieces } = splitOf(known, full, exposed);
      expect(pieces.reduce((sum, one) => sum + one.exposedNs, 0)).toBe(exposed);
      for (const one of pieces) expect(one.exposedNs).toBeGreaterThan(0);
    }),
    { numRuns: 2_000 },
  );
});
