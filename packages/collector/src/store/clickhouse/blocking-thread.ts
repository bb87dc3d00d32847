// The thread that holds the connection for blocking.ts: one call, one answer.

import { workerData } from 'node:worker_threads';
import { StoreError } from '../errors.ts';
import type { BlockingAnswer, BlockingCall, BlockingThreadData } from './blocking.ts';
import { ClickHouseWriter } from './writer.ts';

const { options, port, answered } = workerData as BlockingThreadData;
const state: { writer?: ClickHouseWriter } = {};

async function work({ method, args }: BlockingCall): Promise<unknown> {
  if (method === 'open') {
    state.writer = await ClickHouseWriter.open({ ...options, nowUnixMs: Date.now });
    return undefined;
  }
  const { writer } = state;
  if (writer === undefined) throw new Error('the store is not open');
  const call = writer[method] as (...all: readonly unknown[]) => unknown;
  return call.apply(writer, [...args]);
}

async function answerOf(call: BlockingCall): Promise<BlockingAnswer> {
  try {
    return { ok: true, value: await work(call) };
  } catch (problem) {
    const error = problem instanceof Error ? problem : new Error(String(problem));
    const isStore = error instanceof StoreError;
    return {
      ok: false,
      name: error.name,
      code: isStore ? error.code : '',
      message: error.message,
      isRetryable: isStore && error.isRetryable,
      stack: error.stack ?? '',
    };
  }
}

port.on('message', async (call: BlockingCall) => {
  port.postMessage(await answerOf(call));
  Atomics.add(answered, 0, 1);
  Atomics.notify(answered, 0);
});
