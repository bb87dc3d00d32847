// The main thread's end of the writer: bodies in, answers out, and no more
// waiting than there is memory for.

import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import type { MeasureReport } from '../metrics/buckets.ts';
import type { Change } from '../assemble/assembler.ts';
import { StoreError } from '../store/errors.ts';
import type { DerivedChanges, RawChanges } from '../store/store.ts';
import { isRawChange, makeLoop, TICK_MS } from './compose.ts';
import type {
  Answer,
  Body,
  Changed,
  FromAssembly,
  FromWriter,
  ToAssembly,
  ToChange,
  ToWriter,
  WriterCounts,
  WriterOptions,
} from './messages.ts';

/** Bodies that may wait for their commit: two seconds of what the writer takes. */
export const QUEUE_BYTES_MAX: number = 64 * 1024 * 1024;

export interface WriterEvents {
  readonly onChanges: (changes: readonly Change[]) => void;
  readonly onVolumes: () => void;
  readonly onCounts: (counts: WriterCounts) => void;
  readonly onMeasures: (report: MeasureReport) => void;
  /** Other limits apply, by measure. */
  readonly onLimits: (limits: Readonly<Record<string, number>>) => void;
  /** The writer is gone, unasked: nothing can be stored any more. */
  readonly onCrash: (problem: Error) => void;
}

/** Where bodies go. `submit` answers `full` at once when the queue has no room. */
export interface Writer {
  submit(body: Body): Promise<Answer> | 'full';
  queuedBytes(): number;
  /** What the store's method of that name answered; undefined when it could not be stored. */
  change<N extends keyof Changes>(name: N, ...args: Parameters<Changes[N]>): Promise<Done<N>>;
  /** Commits what waits and closes the store. */
  close(): Promise<void>;
}

type Changes = RawChanges & DerivedChanges;
type Done<N extends keyof Changes> = { readonly answer: ReturnType<Changes[N]> } | undefined;

/** How messages reach the loops: through threads, or by a call. */
interface Line {
  send(message: ToWriter | ToAssembly): void;
  /** After a crash of one end: the other ends too. */
  cut(): void;
}

class QueuedWriter implements Writer {
  readonly #line: Line;
  readonly #events: WriterEvents;
  readonly #waiting = new Map<number, { bytes: number; answer: (answer: Answer) => void }>();
  readonly #changing = new Map<number, (done: Changed['done']) => void>();
  #nextId = 0;
  #queuedBytes = 0;
  #isClosing = false;
  #hasFailed = false;
  #onClosed: (() => void) | undefined;

  constructor(line: Line, events: WriterEvents) {
    this.#line = line;
    this.#events = events;
  }

  submit(body: Body): Promise<Answer> | 'full' {
    if (this.#isClosing) return Promise.resolve(CLOSING);
    const bytes = body.bytes.length;
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > QUEUE_BYTES_MAX) return 'full';
    const id = this.#nextId++;
    this.#queuedBytes += bytes;
    return new Promise(answer => {
      this.#waiting.set(id, { bytes, answer });
      this.#line.send({ type: 'body', id, body });
    });
  }

  queuedBytes(): number {
    return this.#queuedBytes;
  }

  receive(message: FromWriter | FromAssembly): void {
    if (message.type === 'answers')
      for (const [id, answer] of message.answers) this.#answer(id, answer);
    else if (message.type === 'changes') this.#events.onChanges(message.changes);
    else if (message.type === 'counts') this.#events.onCounts(message.counts);
    else if (message.type === 'measures') this.#events.onMeasures(message.report);
    else if (message.type === 'limits') this.#events.onLimits(message.limits);
    else if (message.type === 'changed') this.#changed(message);
    else if (message.type === 'volumes') this.#events.onVolumes();
    else if (message.type === 'closed') this.#onClosed?.();
  }

  change<N extends keyof Changes>(name: N, ...args: Parameters<Changes[N]>): Promise<Done<N>> {
    if (this.#isClosing) return Promise.resolve(undefined);
    const id = this.#nextId++;
    return new Promise(resolve => {
      this.#changing.set(id, done => resolve(done as Done<N>));
      const asked: ToChange<keyof Changes> = { type: 'change', id, name, args };
      this.#line.send(asked as ToWriter | ToAssembly);
    });
  }

  #changed({ id, done, limits }: Changed): void {
    // Before whoever changed them is answered: what is asked next goes by the new ones.
    if (limits) this.#events.onLimits(limits);
    this.#changing.get(id)?.(done);
    this.#changing.delete(id);
  }

  #answer(id: number, answer: Answer): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    this.#queuedBytes -= waiting.bytes;
    waiting.answer(answer);
  }

  /** The line is dead: whoever waits is told so. */
  fail(problem: Error): void {
    if (this.#hasFailed) return;
    this.#hasFailed = this.#isClosing = true;
    const answer: Answer = { kind: 'unavailable', message: 'the writer stopped' };
    for (const id of this.#waiting.keys()) this.#answer(id, answer);
    for (const id of this.#changing.keys()) this.#changed({ type: 'changed', id, done: undefined });
    this.#line.cut();
    this.#onClosed?.();
    this.#events.onCrash(problem);
  }

  close(): Promise<void> {
    if (this.#isClosing) return Promise.resolve();
    this.#isClosing = true;
    return new Promise(resolve => {
      this.#onClosed = resolve;
      this.#line.send({ type: 'close' });
    });
  }

  isClosing(): boolean {
    return this.#isClosing;
  }
}

const CLOSING: Answer = { kind: 'unavailable', message: 'the collector is stopping' };

/**
 * Starts the writer thread, and the assembly thread beside it.
 * @throws {StoreError} when the data folder cannot be used.
 */
export async function startWriterThread(
  options: WriterOptions,
  events: WriterEvents,
): Promise<Writer> {
  const { port1: toAssembly, port2: toWriter } = new MessageChannel();
  const writing = threadOf('thread.js', { options, assembly: toAssembly }, toAssembly);
  const threads: Worker[] = [writing];
  const writer = new QueuedWriter(
    {
      send: message =>
        message.type === 'change' && !isRawChange(message)
          ? assembling.postMessage(message)
          : writing.postMessage(
              message,
              message.type === 'body' ? [owned(message.body.bytes)] : [],
            ),
      cut: () => void Promise.all(threads.map(thread => thread.terminate())),
    },
    events,
  );
  // One after the other: assembly opens the files that the writer makes.
  await ready(writing, writer);
  const assembling = threadOf('assembly-thread.js', { options, writer: toWriter }, toWriter);
  threads.push(assembling);
  try {
    await ready(assembling, writer);
  } catch (problem) {
    await writing.terminate();
    throw problem;
  }
  for (const [thread, name] of [
    [writing, 'writer'],
    [assembling, 'assembly'],
  ] as const) {
    thread.on('error', problem => writer.fail(asError(problem)));
    thread.on('exit', code => {
      if (code !== 0 || !writer.isClosing())
        writer.fail(new Error(`the ${name} thread ended with code ${code}`));
    });
  }
  return writer;
}

const threadOf = (file: string, data: object, port: MessagePort): Worker =>
  new Worker(new URL(file, import.meta.url), { workerData: data, transferList: [port] });

/** Waits until a thread is ready, and passes on what it says from then on. */
async function ready(thread: Worker, writer: QueuedWriter): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    thread.once('error', reject);
    thread.on('message', (message: FromWriter | FromAssembly) => {
      if (message.type === 'ready') resolve();
      else if (message.type === 'failed') reject(namedError(message));
      else writer.receive(message);
    });
  });
  thread.removeAllListeners('error');
}

/** The same writer in this thread: for tests, and where no worker can be started. */
export function startInlineWriter(
  options: WriterOptions,
  events: WriterEvents,
  now: { readonly unixNs: () => bigint; readonly ns: () => number },
): Writer & { tick(): void } {
  const post = (message: FromWriter | FromAssembly): void => writer.receive(message);
  const line: Line = {
    send: message => {
      if (message.type === 'body') loop.accept(message.id, message.body);
      else if (message.type === 'change') loop.change(message);
      else {
        clearInterval(timer);
        loop.close();
      }
    },
    cut: () => undefined,
  };
  const writer = new QueuedWriter(line, events);
  const loop = makeLoop(options, {
    nowUnixNs: now.unixNs,
    nowNs: now.ns,
    soon: setImmediate,
    post,
  });
  const timer = setInterval(() => loop.tick(), TICK_MS);
  return {
    submit: body => writer.submit(body),
    queuedBytes: () => writer.queuedBytes(),
    change: (name, ...args) => writer.change(name, ...args),
    close: () => writer.close(),
    tick: () => loop.tick(),
  };
}

/** A buffer that belongs to this body alone: one out of a pool cannot be moved. */
function owned(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer as ArrayBuffer;
}

const asError = (problem: unknown): Error =>
  problem instanceof Error ? problem : new Error(String(problem));

function namedError(message: { name: string; code: string; message: string }): StoreError {
  const error = new StoreError(message.code, message.message);
  Object.defineProperty(error, 'name', { value: message.name });
  return error;
}
