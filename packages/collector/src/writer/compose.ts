// Puts the loops together with their stores: one by one, each for its thread, or both
// on one store, for tests and where no worker can be started.

import { makeAssembler } from '../assemble/make-assembler.ts';
import { measureZeroUnixNs } from '../receive/clock.ts';
import { Redactor } from '../decode/redact.ts';
import { openAssemblyStore, openRawWriter } from '../store/engine.ts';
import { SqliteWriter } from '../store/sqlite/writer.ts';
import type { AssemblyStore, RawChanges, RawWriter } from '../store/store.ts';
import { AssemblyLoop, type AssemblyPorts } from './assembly-loop.ts';
import { ClockKeeper } from './clock-keeper.ts';
import { WriterLoop, type LoopPorts } from './loop.ts';
import type {
  Body,
  FromAssembly,
  FromWriter,
  ToAssembly,
  ToChange,
  ToWriter,
  WriterOptions,
} from './messages.ts';

/** How often derived rows are written and viewers told. */
export const TICK_MS = 250;

type Ports = Pick<LoopPorts, 'nowUnixNs' | 'nowNs' | 'soon'>;
type WriterPorts = Ports & Pick<LoopPorts, 'post' | 'tell'>;
type AssemblyLoopPorts = Ports & Pick<AssemblyPorts, 'post' | 'done'>;

/** The writer's loop. @throws {StoreError} when the data folder cannot be used. */
export const makeWriterLoop = (options: WriterOptions, ports: WriterPorts): WriterLoop =>
  writerLoopOn(
    openRawWriter(options, () => ports.post({ type: 'volumes' })),
    options,
    ports,
  );

/** Assembly's loop, on a folder that a writer has opened. @throws {StoreError} */
export const makeAssemblyLoop = (options: WriterOptions, ports: AssemblyLoopPorts): AssemblyLoop =>
  assemblyLoopOn(openAssemblyStore(options), options, ports);

function storeOf(options: WriterOptions, post: (message: FromWriter) => void): SqliteWriter {
  return new SqliteWriter({
    folder: options.folder,
    maxBytes: options.maxBytes,
    ...(options.retention && { retention: options.retention }),
    budgets: options.budgets,
    onVolumes: () => post({ type: 'volumes' }),
  });
}

function writerLoopOn(store: RawWriter, options: WriterOptions, ports: WriterPorts): WriterLoop {
  const { redact = [] } = options;
  return new WriterLoop({
    ...ports,
    store,
    ...(redact.length > 0 && { redactor: new Redactor(redact) }),
  });
}

function assemblyLoopOn(
  store: AssemblyStore,
  options: WriterOptions,
  ports: AssemblyLoopPorts,
): AssemblyLoop {
  const keeper = new ClockKeeper({
    ...ports,
    store,
    measured: options.clock,
    measureZero: measureZeroUnixNs,
  });
  const assembler = makeAssembler({
    clockBook: keeper.book,
    startedUnixNs: ports.nowUnixNs(),
    budgets: store.limits(),
  });
  const loop = new AssemblyLoop({ ...ports, store, assembler, keepClock: () => keeper.look() });
  loop.resume();
  return loop;
}

/** Which of the two a change concerns. */
export const isRawChange = (asked: ToChange<string>): asked is ToChange<keyof RawChanges> =>
  asked.name === 'pin' || asked.name === 'unpin';

/** Both loops in one thread. */
export interface WholeLoop {
  accept(id: number, body: Body): void;
  change(asked: (ToWriter & { type: 'change' }) | ToAssembly): void;
  tick(): void;
  close(): void;
}

/** @throws {StoreError} when the data folder cannot be used. */
export function makeLoop(
  options: WriterOptions,
  ports: Ports & { post: (message: FromWriter | FromAssembly) => void },
): WholeLoop {
  return wholeLoop(storeOf(options, ports.post), options, ports);
}

/** On a store that is both. */
export function wholeLoop(
  store: RawWriter & AssemblyStore,
  options: WriterOptions,
  ports: Ports & { post: (message: FromWriter | FromAssembly) => void },
): WholeLoop {
  const writer = writerLoopOn(store, options, { ...ports, tell: news => assembly.take(news) });
  const assembly = assemblyLoopOn(store, options, {
    ...ports,
    done: () => writer.assemblyDone(),
  });
  return {
    accept: (id, body) => writer.accept(id, body),
    change: asked =>
      isRawChange(asked) ? writer.change(asked) : assembly.change(asked as ToAssembly),
    tick: () => {
      writer.tick();
      assembly.tick();
    },
    close: () => {
      const last = writer.finish();
      if (last !== undefined) assembly.take(last);
      assembly.close();
      ports.post({ type: 'closed' });
    },
  };
}
