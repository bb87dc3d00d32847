import { expect, test } from 'vitest';
import { measureWallZero } from '../src/wall-zero.ts';

const MS = 1_000_000;
const ZERO = 1_790_000_000_000_123_457n;

/** A machine on which each reading takes some time, and the thread pauses now and then. */
function machine(
  options: { readNs?: number; pauses?: readonly number[]; setAtNs?: number; byMs?: number } = {},
) {
  const { readNs = 60, pauses = [], setAtNs = Infinity, byMs = 0 } = options;
  let nowNs = 5_000_000_777;
  let reads = 0;
  const read = (): number => {
    nowNs += readNs + (pauses[reads++] ?? 0);
    return nowNs;
  };
  return {
    monotonicNs: read,
    wallMs: () => {
      const wallNs = ZERO + BigInt(read()) + BigInt(nowNs > setAtNs ? byMs * MS : 0);
      return Number(wallNs / BigInt(MS));
    },
  };
}
const errorOf = (zeroUnixNs: bigint): number => Math.abs(Number(zeroUnixNs - ZERO));

test('the wall clock at the zero of a monotonic one is found to less than a microsecond, and says so', () => {
  const { zeroUnixNs, errorNs } = measureWallZero(machine());
  expect(errorNs).toBeLessThan(300);
  expect(errorOf(zeroUnixNs)).toBeLessThanOrEqual(errorNs);
});

test('a pause of the thread costs precision, not truth', () => {
  for (let at = 0; at < 400; at++) {
    const pauses = Array.from({ length: at + 1 }, (_, i) => (i === at ? 1_700_000 : 0));
    const { zeroUnixNs, errorNs } = measureWallZero(machine({ pauses }));
    expect(errorOf(zeroUnixNs)).toBeLessThanOrEqual(errorNs);
    expect(errorNs).toBeLessThan(MS);
  }
});

test('a wall clock that is set while it is read is told as it is afterwards', () => {
  const { zeroUnixNs, errorNs } = measureWallZero(machine({ setAtNs: 5_000_010_000, byMs: 700 }));
  expect(errorOf(zeroUnixNs - 700n * BigInt(MS))).toBeLessThanOrEqual(errorNs);
});

test('clocks that stand still are read to their own step, and no longer waited for', () => {
  let reads = 0;
  const { zeroUnixNs, errorNs } = measureWallZero({
    monotonicNs: () => 0,
    wallMs: () => (reads++, 1_000),
  });
  expect(Number(zeroUnixNs - 1_000_000_000n)).toBe(MS / 2);
  expect(errorNs).toBe(MS / 2 + 1);
  expect(reads).toBeLessThan(3_000);
});
