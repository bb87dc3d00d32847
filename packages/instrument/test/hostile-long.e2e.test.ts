// The long run of hostile.test.ts: 100,000 runs, and what they leave in memory.

import { expect, test } from 'vitest';
import { checkHostileCalls } from './support/hostile-calls.ts';

const RUNS = 100_000;
/** A scope that stayed would be a quarter of a megabyte: a hundredth of them would be seen. */
const LEFT_BYTES_MAX = 100 * 1024 * 1024;

test('nothing throws in a hundred thousand runs, and nothing of them stays in memory', async () => {
  await checkHostileCalls(1_000);
  const before = process.memoryUsage();
  await checkHostileCalls(RUNS);
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.external - before.heapUsed - before.external;
  expect(grown).toBeLessThan(LEFT_BYTES_MAX);
}, 900_000);
