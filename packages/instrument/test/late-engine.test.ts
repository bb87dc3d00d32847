// A page loads what sends when its first call begins: what happens until then
// waits, and is sent as it was.

import { trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { expect, test } from 'vitest';
import { Engine, type EngineFacts } from '../src/engine.ts';
import { Scope } from '../src/framescope.ts';
import { makeMachine } from '../src/platform/node/platform.ts';
import type { FramescopeOptions } from '../src/options.ts';
import { passedAt } from './support/captured.ts';
import { MS, World } from './support/world.ts';

type Make = (facts: EngineFacts) => Engine;

interface Late {
  readonly world: World;
  readonly scope: Scope;
  readonly asked: () => number;
  /** The file has come, or not. */
  arrive(): void;
  fail(): void;
}

function late(options: Partial<FramescopeOptions> = {}): Late {
  const world = new World();
  const waiting: { resolve: (make: Make) => void; reject: (cause: Error) => void }[] = [];
  let asked = 0;
  const { makeEngine: _, ...machine } = makeMachine();
  const loadEngine = (): Promise<Make> => {
    asked += 1;
    return new Promise((resolve, reject) => void waiting.push({ resolve, reject }));
  };
  const scope = new Scope(world.options(options), { ...machine, loadEngine });
  return {
    world,
    scope,
    asked: () => asked,
    arrive: () => waiting.splice(0).forEach(one => one.resolve(facts => new Engine(facts))),
    fail: () => waiting.splice(0).forEach(one => one.reject(new Error('blocked'))),
  };
}

test('nothing is loaded before the first call', () => {
  const { scope, asked } = late();
  expect(asked()).toBe(0);
  scope.startSession({ id: 'call' });
  scope.startSession({ id: 'another' });
  expect(asked()).toBe(1);
});

test('marks, ranges, turns and triggers from before are sent as they were', async () => {
  const { world, scope, arrive } = late();
  const call = scope.startSession({ id: 'call' });
  const mic = call.stream('mic');
  const [capture, send] = [mic.hop('capture'), mic.hop('send')];
  const turn = call.startTurn({ at: 0 });
  for (let frame = 0; frame < 100; frame++) {
    capture.mark(320);
    send.mark(320);
    await world.pass(20);
  }
  mic.silence('send', 32_000, 320);
  turn.heard('hello');
  expect(call.trigger('odd')).toBe(true);
  expect(world.posts).toHaveLength(0);
  arrive();
  await world.pass(2_000);
  const sent = passedAt(world.records(), 'mic', 'send');
  expect(sent).toHaveLength(100);
  expect(sent.map(({ atNs }) => atNs / MS)).toEqual(Array.from({ length: 100 }, (_, i) => i * 20));
  expect(world.records().flatMap(({ blocks }) => blocks.flatMap(one => one.ranges))).toMatchObject([
    { kind: 'silence', startTick: 32_000 },
  ]);
  expect(world.states().at(-1)?.turns?.[0]?.words).toMatchObject([{ text: 'hello' }]);
  expect(world.triggers).toMatchObject([{ reason: 'odd', stream: 'mic' }]);
  expect(world.codes()).toEqual([]);
});

test('a call that was over before is sent all the same, and its end waits for that', async () => {
  const { world, scope, arrive } = late();
  const call = scope.startSession({ id: 'call' });
  call.stream('mic').hop('capture').mark(320);
  let isOver = false;
  void call.end().then(() => (isOver = true));
  await world.pass(100);
  expect(isOver).toBe(false);
  arrive();
  await world.pass(100);
  expect(isOver).toBe(true);
  expect(passedAt(world.records(), 'mic', 'capture')).toHaveLength(1);
  expect(world.states()[0]?.session?.endedAt).toBe(0);
});

test('what could not be loaded is told, tried again, and what had no room meanwhile is counted', async () => {
  const { world, scope, asked, arrive, fail } = late();
  const hop = scope.startSession({ id: 'call' }).stream('mic').hop('capture');
  for (let frame = 0; frame < 4_100; frame++) hop.mark(320);
  fail();
  await world.pass(4_000);
  expect(world.problems).toMatchObject([{ code: 'engine_missing' }]);
  expect(world.problems[0]!.message).toContain('blocked');
  await world.pass(1_500);
  expect(asked()).toBe(2);
  arrive();
  await world.pass(2_000);
  expect(passedAt(world.records(), 'mic', 'capture')).toHaveLength(4_096);
  expect(world.states().at(-1)?.dropped).toEqual({ ring_full: 4 });
});

test('shutdown is over in its time though the file never comes, and sends what comes in time', async () => {
  const never = late({ shutdownMs: 500 });
  never.scope.startSession({ id: 'call' }).stream('mic').hop('capture').mark(320);
  let isOver = false;
  void never.scope.shutdown().then(() => (isOver = true));
  await never.world.pass(1_100);
  expect(isOver).toBe(true);
  expect(never.scope.stats()).toMatchObject({ openSessions: 0, waitingItems: 0 });

  const inTime = late({ shutdownMs: 500 });
  inTime.scope.startSession({ id: 'call' }).stream('mic').hop('capture').mark(320);
  void inTime.scope.shutdown();
  inTime.arrive();
  await inTime.world.pass(100);
  expect(passedAt(inTime.world.records(), 'mic', 'capture')).toHaveLength(1);
});

test('spans of turns from before are written, by the provider with IDs of its choice', async () => {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const { world, scope, arrive } = late({ tracerProvider });
  const call = scope.startSession({ id: 'call' });
  const turn = call.startTurn({ at: 0 });
  const stage = turn.stage('llm');
  expect(stage.run(() => 'its answer')).toBe('its answer');
  expect(trace.getSpanContext(turn.context)?.traceId).toBe(turn.traceId);
  await world.pass(50);
  stage.end();
  turn.end();
  const derived = turn.spanId;
  arrive();
  await world.pass(2_000);
  const spans = exporter.getFinishedSpans();
  expect(spans.map(span => span.name).toSorted()).toEqual(['llm', 'session.start', 'turn']);
  const [root, llm] = ['turn', 'llm'].map(name => spans.find(span => span.name === name)!);
  expect(root!.spanContext().traceId).toBe(turn.traceId);
  expect(llm!.parentSpanContext?.spanId).toBe(root!.spanContext().spanId);
  // What is told of the turn names the span that was written.
  expect(turn.spanId).not.toBe(derived);
  expect(turn.spanId).toBe(root!.spanContext().spanId);
  const told = world.states().at(-1)!.turns![0]!;
  expect([told.spanId, told.stages[0]!.spanId]).toEqual([turn.spanId, llm!.spanContext().spanId]);
  expect(world.codes()).toEqual([]);
});

test('a flush before any call asks for nothing', async () => {
  const { scope, asked } = late();
  await scope.flush();
  await scope.shutdown();
  expect(asked()).toBe(0);
});
