// Puts the writer together: store, assembler, loop. Used by the thread and by the inline writer.

import { makeAssembler } from '../assemble/make-assembler.ts';
import { measureZeroUnixNs } from '../receive/clock.ts';
import { Redactor } from '../decode/redact.ts';
import { SqliteWriter } from '../store/sqlite/writer.ts';
import { ClockKeeper } from './clock-keeper.ts';
import { WriterLoop, type LoopPorts } from './loop.ts';
import type { FromWriter, WriterOptions } from './messages.ts';

/** How often derived rows are written and viewers told. */
export const TICK_MS = 250;

/** @throws {StoreError} when the data folder cannot be used. */
export function makeLoop(
  options: WriterOptions,
  ports: Pick<LoopPorts, 'nowUnixNs' | 'nowNs' | 'soon'> & { post: (message: FromWriter) => void },
): WriterLoop {
  const store = new SqliteWriter({
    folder: options.folder,
    maxBytes: options.maxBytes,
    ...(options.retention && { retention: options.retention }),
    onVolumes: () => ports.post({ type: 'volumes' }),
  });
  const keeper = new ClockKeeper({
    ...ports,
    store,
    measured: options.clock,
    measureZero: measureZeroUnixNs,
  });
  const assembler = makeAssembler({
    clockBook: keeper.book,
    startedUnixNs: ports.nowUnixNs(),
    budgets: options.budgets,
  });
  const { redact = [] } = options;
  const loop = new WriterLoop({
    ...ports,
    store,
    assembler,
    keepClock: () => keeper.look(),
    ...(redact.length > 0 && { redactor: new Redactor(redact) }),
  });
  loop.resume();
  return loop;
}
