// The long run of hostile.test.ts, and what it leaves in memory. A hundred
// thousand runs take two to four minutes of a core:
//
//   FC_RUNS=100000 npx vitest run --project e2e packages/instrument/test/hostile-long

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { checkHostileCalls } from './support/hostile-calls.ts';

const RUNS = Number(process.env['FC_RUNS'] ?? 2_000);
/** A scope that stayed would be a third of a megabyte: one in ten would be seen. */
const LEFT_BYTES_MAX = 60 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is held, not what waits to be collected. Buffers are freed a turn after their owners. */
async function heldBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await new Promise(resolve => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('nothing throws in the long run, and no scope of it stays in memory', async () => {
  await checkHostileCalls(500);
  const before = await heldBytes();
  await checkHostileCalls(RUNS);
  const grown = (await heldBytes()) - before;
  expect(grown).toBeLessThan(LEFT_BYTES_MAX);
}, 1_800_000);
