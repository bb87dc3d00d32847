import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { startForwarding } from '../../src/forward/forwarding.ts';
import type { ForwardOptions } from '../../src/forward/messages.ts';

/** Stands in for the real thread: says what it was started with, and dies when volumes change. */
const MORTAL = `
  const { parentPort, workerData } = require('node:worker_threads');
  const status = [{ target: 'there', send: ['all'], state: 'idle', lastError: null,
    lagNs: workerData.budgets.frame }];
  parentPort.on('message', ({ type }) => {
    if (type === 'volumes') throw new Error('a fault of ours');
    if (type === 'close') { parentPort.postMessage({ type: 'closed' }); parentPort.close(); }
  });
  parentPort.postMessage({ type: 'status', status });
  parentPort.postMessage({ type: 'ready' });`;

test('a thread that dies is told, seen in the status, and started again with the limits of now', async () => {
  const logged: string[] = [];
  const target = { name: 'there' } as ForwardOptions['targets'][number];
  const forwarding = await startForwarding(
    { place: { folder: '' }, targets: [target], budgets: { frame: 1 } },
    {
      log: (message, error) => logged.push(`${message} ${String(error)}`),
      start: options => new Worker(MORTAL, { eval: true, workerData: options }),
    },
  );
  onTestFinished(() => forwarding.close());
  expect(forwarding.status()).toMatchObject([{ state: 'idle', lagNs: 1 }]);
  forwarding.limit({ frame: 2 });
  forwarding.refresh();
  await expect
    .poll(() => forwarding.status(), { timeout: 20_000 })
    .toMatchObject([{ state: 'stopped', lastError: 'stopped: a fault of ours' }]);
  expect(logged).toEqual([expect.stringMatching(/starts again in 1 s.*a fault of ours/s)]);
  await expect
    .poll(() => forwarding.status(), { timeout: 20_000 })
    .toMatchObject([{ state: 'idle', lastError: null, lagNs: 2 }]);
  expect(forwarding.restarts()).toBe(1);
});
