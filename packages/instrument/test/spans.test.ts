import { EventEmitter } from 'node:events';
import {
  context,
  trace,
  type Context,
  type ContextManager,
  type TracerProvider,
} from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  BasicTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { ATTR, sessionStartSpanId, turnSpanId, turnTraceId } from '@framescope/protocol';
import { afterEach, expect, test } from 'vitest';
import { MS, World } from './support/world.ts';

const ZERO = 1_700_000_000_000_000_000n;

/** The user's own provider, and what it exported. */
function provider(): { tracerProvider: TracerProvider; spans: () => ReadableSpan[] } {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  return { tracerProvider, spans: () => exporter.getFinishedSpans() };
}

/** A context manager for synchronous code: what `NodeTracerProvider.register()` would bring. */
class StackManager implements ContextManager {
  #stack: Context[] = [];
  active(): Context {
    return this.#stack.at(-1) ?? (ROOT as Context);
  }
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    ctx: Context,
    fn: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    this.#stack.push(ctx);
    try {
      return fn.apply(self as never, args);
    } finally {
      this.#stack.pop();
    }
  }
  bind<T>(_: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}
const ROOT: unknown = context.active();

afterEach(() => context.disable());

const unixNs = ([seconds, nanos]: readonly [number, number]): bigint =>
  BigInt(seconds) * 1_000_000_000n + BigInt(nanos);

test('a turn through the user’s provider is a trace of its own with the derived trace ID', async () => {
  const world = new World();
  const { tracerProvider, spans } = provider();
  const call = world
    .scope({ tracerProvider })
    .startSession({ id: 'call', attributes: { region: 'eu' } });
  const mic = call.stream('mic');
  await world.pass(10);
  const turn = call.startTurn({ stream: mic, at: 0 });
  const llm = turn.stage('llm', { generation: 'g1', attributes: { model: 'm' } });
  await world.pass(300);
  llm.first();
  await world.pass(100);
  llm.end({ error: 'too slow', discarded: true });
  turn.end();
  const [start, stage, root] = spans();
  expect(spans().map(span => span.name)).toEqual(['session.start', 'llm', 'turn']);
  expect(root!.spanContext().traceId).toBe(turnTraceId(call.traceId, 'mic', 0));
  expect(root!.links.map(link => link.context.spanId)).toEqual([start!.spanContext().spanId]);
  expect(start!.attributes['region']).toBe('eu');
  expect(stage!.parentSpanContext?.spanId).toBe(root!.spanContext().spanId);
  expect(stage!.attributes).toMatchObject({
    model: 'm',
    [ATTR.stageFirstNs]: 300 * MS,
    [ATTR.stageGeneration]: 'g1',
    [ATTR.stageDiscarded]: true,
  });
  expect(stage!.status).toEqual({ code: 2, message: 'too slow' });
  expect([stage!.startTime, stage!.endTime].map(time => unixNs(time) - ZERO)).toEqual([
    BigInt(10 * MS),
    BigInt(410 * MS),
  ]);
});

test('the state names the spans as they are, whoever chose their IDs', () => {
  const world = new World();
  const { tracerProvider, spans } = provider();
  const turn = world.scope({ tracerProvider }).startSession({ id: 'call' }).startTurn({ at: 0 });
  const stage = turn.stage('llm');
  turn.end();
  const ids = spans().map(span => span.spanContext().spanId);
  expect(ids).toContain(turn.spanId);
  expect(ids).toContain(stage.state.spanId);
  const root = spans().find(span => span.name === 'turn');
  expect(JSON.parse(String(root?.attributes[ATTR.turnState]))).toEqual(turn.snapshot());
});

test('every span carries the session and the clock that its times were read on', () => {
  const world = new World();
  const { tracerProvider, spans } = provider();
  const call = world.scope({ tracerProvider }).startSession({ id: 'call' });
  const turn = call.startTurn();
  turn.stage('tts').end();
  turn.end();
  for (const span of spans())
    expect(span.attributes).toMatchObject({
      [ATTR.sessionId]: 'call',
      [ATTR.clockDomain]: '00000000000000c1',
      [ATTR.clockEpoch]: 0,
      [ATTR.clockZeroUnixNs]: String(ZERO),
    });
  expect(spans().length).toBe(3);
});

test('spans of the user’s own clients land in the turn or the stage they run in', () => {
  context.setGlobalContextManager(new StackManager());
  const world = new World();
  const { tracerProvider, spans } = provider();
  const turn = world.scope({ tracerProvider }).startSession({ id: 'call' }).startTurn();
  const stage = turn.stage('llm');
  const client = tracerProvider.getTracer('llm-client');
  expect(turn.run(() => trace.getActiveSpan()?.spanContext().spanId)).toBe(turn.spanId);
  stage.run(() => client.startSpan('POST /v1/chat').end());
  const theirs = spans().find(span => span.name === 'POST /v1/chat');
  expect(theirs?.spanContext().traceId).toBe(turn.traceId);
  expect(theirs?.parentSpanContext?.spanId).toBe(stage.state.spanId);
  expect(world.codes()).toEqual([]);
});

test('without a context manager the work runs all the same, and that is told once', () => {
  const world = new World();
  const { tracerProvider } = provider();
  const turn = world.scope({ tracerProvider }).startSession({ id: 'call' }).startTurn();
  expect([turn.run(() => 1), turn.run(() => 2)]).toEqual([1, 2]);
  expect(world.codes()).toEqual(['no_context_manager']);
});

test('a provider that throws costs the spans, not the turn', async () => {
  const world = new World();
  const tracerProvider = {
    getTracer: () => {
      throw new Error('theirs');
    },
  };
  const turn = world.scope({ tracerProvider }).startSession({ id: 'call' }).startTurn();
  turn.end();
  await world.pass(1_000);
  expect(world.states().flatMap(state => state.turns ?? []).length).toBe(1);
  expect(world.codes()).toEqual(['provider_threw']);
});

test('with no provider at all, turns have the IDs that every process can compute', () => {
  const call = new World().scope().startSession({ id: 'call' });
  const turn = call.startTurn({ stream: call.stream('mic'), at: 4_800 });
  expect([turn.traceId, turn.spanId]).toEqual([
    turnTraceId(call.traceId, 'mic', 4_800),
    turnSpanId(call.traceId, 'mic', 4_800),
  ]);
  expect(call.traceparent(call.stream('mic'), 0)).toBe(
    `00-${call.traceId}-${sessionStartSpanId(call.traceId)}-01`,
  );
});

test('a listener that is bound runs inside the turn, whoever calls it and when', () => {
  context.setGlobalContextManager(new StackManager());
  const world = new World();
  const { tracerProvider, spans } = provider();
  const turn = world.scope({ tracerProvider }).startSession({ id: 'call' }).startTurn();
  const stage = turn.stage('llm');
  const emitter = new EventEmitter();
  const seen: unknown[] = [];
  const listen = function (this: unknown, ...args: unknown[]): void {
    seen.push(this === emitter, ...args, trace.getActiveSpan()?.spanContext().spanId);
  };
  emitter.on('token', stage.bind(listen));
  emitter.on('token', turn.bind(listen));
  emitter.emit('token', 'a', 2);
  expect(seen).toEqual([true, 'a', 2, stage.state.spanId, true, 'a', 2, turn.spanId]);
  expect(turn.bind('no function' as never)).toBe('no function');
  expect(turn.bind((a: number) => a + 1)(1)).toBe(2);
  expect(() => turn.bind(() => ({}) as never as number)()).not.toThrow();
  expect(() =>
    turn.bind(() => {
      throw new Error('theirs');
    })(),
  ).toThrow('theirs');
  expect(spans().length).toBe(1);
});

test('without async context the turn’s context is handed on by hand, as a browser does', () => {
  const world = new World();
  const { tracerProvider, spans } = provider();
  for (const provided of [tracerProvider, undefined, false] as const) {
    const scope = world.scope(provided === undefined ? {} : { tracerProvider: provided });
    const turn = scope.startSession({ id: 'call' }).startTurn();
    const stage = turn.stage('tts');
    const client = tracerProvider.getTracer('client');
    client.startSpan('of the turn', {}, turn.context).end();
    client.startSpan('of the stage', {}, stage.context).end();
    const [ofTurn, ofStage] = spans().slice(-2);
    expect(ofTurn?.spanContext().traceId).toBe(turn.traceId);
    expect(ofTurn?.parentSpanContext?.spanId).toBe(turn.spanId);
    expect(ofStage?.parentSpanContext?.spanId).toBe(stage.state.spanId);
  }
  expect(world.codes()).toEqual([]);
});

test('stages speak the GenAI conventions where these have a word; what the user says wins', async () => {
  const world = new World();
  const { tracerProvider, spans } = provider();
  const turn = world.scope({ tracerProvider }).startSession({ id: 'call' }).startTurn();
  const llm = turn.stage('llm', { attributes: { 'gen_ai.operation.name': 'text_completion' } });
  await world.pass(250);
  llm.first();
  llm.end();
  turn.stage('tool').end({ error: 'no such book' });
  turn.stage('tts').end();
  const [, first, tool, tts] = spans();
  expect(first!.attributes).toMatchObject({
    'gen_ai.operation.name': 'text_completion',
    'gen_ai.conversation.id': 'call',
    'gen_ai.response.time_to_first_chunk': 0.25,
  });
  expect(tool!.attributes).toMatchObject({
    'gen_ai.operation.name': 'execute_tool',
    'error.type': '_OTHER',
  });
  expect(Object.keys(tts!.attributes).filter(key => key.startsWith('gen_ai.'))).toEqual([]);
});
