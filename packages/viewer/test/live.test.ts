// The event stream under outages, silence and several tabs, in a world made of promises.

import type { LiveEvent } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { LiveHub, type FromHub, type HubPort } from '../src/data/live-hub.ts';
import { LiveStream, type LiveSink, type LiveStatus } from '../src/data/live-stream.ts';

interface Line {
  readonly headers: Readonly<Record<string, string>>;
  answer(): void;
  refuse(): void;
  say(text: string): void;
  cut(): void;
  isAborted(): boolean;
}

/** A network and a clock that do nothing until told to. */
function world() {
  const lines: Line[] = [];
  const timers = new Map<object, { ms: number; run: () => void }>();
  return {
    lines,
    /** Milliseconds of the timers that wait, shortest first. */
    waits: () => [...timers.values()].map(one => Math.round(one.ms)).toSorted((a, b) => a - b),
    /** Lets the shortest timer end. */
    pass: async () => {
      const [id, timer] = [...timers].toSorted((a, b) => a[1].ms - b[1].ms)[0]!;
      timers.delete(id);
      timer.run();
      await settled();
    },
    random: () => 0.4,
    after: (ms: number, run: () => void) => {
      const id = {};
      timers.set(id, { ms, run });
      return () => void timers.delete(id);
    },
    fetch: (headers: Readonly<Record<string, string>>, signal: AbortSignal) =>
      new Promise<Response>((resolve, reject) =>
        lines.push(lineOf(headers, signal, { resolve, reject })),
      ),
  };
}

function lineOf(
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  { resolve, reject }: { resolve: (response: Response) => void; reject: (why: Error) => void },
): Line {
  let out: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: controller => void (out = controller) });
  signal.addEventListener('abort', () => {
    out?.error(new Error('aborted'));
    reject(new Error('aborted'));
  });
  return {
    headers,
    answer: () => resolve(new Response(body)),
    refuse: () => reject(new Error('refused')),
    say: text => out?.enqueue(new TextEncoder().encode(text)),
    cut: () => out?.close(),
    isAborted: () => signal.aborted,
  };
}

/** All promises that wait on each other have settled. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

function follow() {
  const made = world();
  const told: string[] = [];
  const sink: LiveSink = {
    event: event => told.push(event.type),
    status: status => told.push(status),
  };
  const stream = new LiveStream(sink, made);
  stream.start();
  return { made, told, stream };
}

test('a stream that broke off is taken up again after its last event', async () => {
  const { made, told } = follow();
  made.lines[0]!.answer();
  await settled();
  made.lines[0]!.say('id: 7\ndata: {"type":"turns","sessionKey":"k","ticks":[1]}\n\n');
  await settled();
  made.lines[0]!.cut();
  await settled();
  await made.pass();
  expect(made.lines[1]!.headers['last-event-id']).toBe('7');
  expect(told).toEqual(['open', 'turns', 'away']);
});

test('while somebody looks, a collector that is away is tried again each second, for hours', async () => {
  const { made } = follow();
  for (let attempt = 0; attempt < 50; attempt++) {
    made.lines.at(-1)!.refuse();
    await settled();
    expect(made.waits()[0]).toBe(700);
    await made.pass();
  }
  expect(made.lines).toHaveLength(51);
});

test('hidden, it asks ever more rarely; seen again, at once', async () => {
  const { made, stream } = follow();
  stream.setSeen(false);
  for (let attempt = 0; attempt < 6; attempt++) {
    made.lines.at(-1)!.refuse();
    await settled();
    if (attempt < 5) await made.pass();
  }
  expect(made.waits()[0]).toBe(10_000);
  const before = made.lines.length;
  stream.setSeen(true);
  await settled();
  expect(made.lines).toHaveLength(before + 1);
});

test('a line that says nothing for 40 seconds is cut; each word puts that off', async () => {
  const { made, told } = follow();
  made.lines[0]!.answer();
  await settled();
  made.lines[0]!.say(': still here\n\n');
  await settled();
  expect(made.waits()).toEqual([40_000]);
  await made.pass();
  expect(made.lines[0]!.isAborted()).toBe(true);
  expect(told).toEqual(['open', 'away']);
});

test('a collector that takes the connection and never answers is given up after 40 seconds', async () => {
  const { made, told } = follow();
  await made.pass();
  expect(made.lines[0]!.isAborted()).toBe(true);
  expect(told).toEqual(['away']);
});

function hubOf() {
  const opened: { seen: boolean; isClosed: boolean; sink: LiveSink }[] = [];
  const hub = new LiveHub({
    sessions: () => Promise.resolve([]),
    stream: sink => {
      const one = { seen: true, isClosed: false, sink };
      opened.push(one);
      return {
        status: 'open' as LiveStatus,
        start: () => undefined,
        close: () => void (one.isClosed = true),
        setSeen: (isSeen: boolean) => void (one.seen = isSeen),
      };
    },
  });
  return { hub, opened };
}

function portOf(): HubPort & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    postMessage: (message: FromHub) =>
      told.push('event' in message ? message.event.type : message.status),
  };
}

const CHANGE: LiveEvent = { type: 'turns', sessionKey: 'k', ticks: [1] };

test('ten tabs share one stream, and each is told everything from when it joined', async () => {
  const { hub, opened } = hubOf();
  const ports = Array.from({ length: 10 }, portOf);
  for (const port of ports) hub.take(port, 'seen');
  await settled();
  opened[0]!.sink.event(CHANGE);
  expect(opened).toHaveLength(1);
  expect(ports[0]!.told).toEqual(['turns']);
  expect(ports[9]!.told).toEqual(['open', 'snapshot', 'turns']);
});

test('the stream counts as seen while any tab is, and ends with the last one', () => {
  const { hub, opened } = hubOf();
  const [first, second] = [portOf(), portOf()];
  hub.take(first, 'seen');
  hub.take(second, 'hidden');
  hub.take(first, 'hidden');
  expect(opened[0]!.seen).toBe(false);
  hub.take(second, 'seen');
  expect(opened[0]!.seen).toBe(true);
  hub.take(first, 'bye');
  expect(opened[0]!.isClosed).toBe(false);
  hub.take(second, 'bye');
  expect(opened[0]!.isClosed).toBe(true);
  hub.take(first, 'seen');
  expect(opened).toHaveLength(2);
});
