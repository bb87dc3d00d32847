// The long runs of hostile.test.ts and adapters-hostile.test.ts, and what they leave
// in memory. A hundred thousand runs of the first take two to four minutes of a core:
//
//   FC_RUNS=100000 npx vitest run --project e2e packages/instrument/test/hostile-long
//   FC_ADAPTER_RUNS=100000 …    as many of each adapter; without it a tenth of FC_RUNS

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import {
  checkFrameworkClient,
  checkRealtimeClient,
  checkTelephoneLine,
} from './support/hostile-adapters.ts';
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

/** Of each adapter; its steps pass minutes of virtual time. */
const ADAPTER_RUNS = Math.max(500, RUNS / 10);

test.each([
  ['realtime client', (runs: number) => checkRealtimeClient(runs)],
  ['telephone line', (runs: number) => checkTelephoneLine(runs)],
  ['client of Pipecat', (runs: number) => checkFrameworkClient('pipecat', runs)],
  ['room of LiveKit', (runs: number) => checkFrameworkClient('livekit', runs)],
])(
  'a %s is not disturbed in the long run',
  async (_, check) => {
    await expect(
      check(Number(process.env['FC_ADAPTER_RUNS'] ?? ADAPTER_RUNS)),
    ).resolves.toBeUndefined();
  },
  3_600_000,
);
