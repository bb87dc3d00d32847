// The long run of hostile.test.ts, and what it leaves in memory. A hundred
// thousand runs take some minutes:
//
//   FC_RUNS=100000 npx vitest run --project e2e packages/instrument/test/hostile-long

import { expect, test } from 'vitest';
import { checkHostileCalls } from './support/hostile-calls.ts';

const RUNS = Number(process.env['FC_RUNS'] ?? 2_000);
/** A scope that stayed would be a third of a megabyte: one in ten would be seen. */
const LEFT_BYTES_MAX = 60 * 1024 * 1024;

test('nothing throws in the long run, and no scope of it stays in memory', async () => {
  await checkHostileCalls(500);
  const before = process.memoryUsage();
  await checkHostileCalls(RUNS);
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.external - before.heapUsed - before.external;
  expect(grown).toBeLessThan(LEFT_BYTES_MAX);
}, 1_800_000);
