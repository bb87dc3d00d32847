import { ProxyTracerProvider, type TracerProvider } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { picture } from './support/picture.ts';
import { World } from './support/world.ts';

/** A partial success of OTLP/JSON. */
const rejecting = (rejectedSpans: number) => ({
  body: new TextEncoder().encode(JSON.stringify({ partialSuccess: { rejectedSpans } })),
});

function calling(world: World, options = {}) {
  const scope = world.scope(options);
  const call = scope.startSession({ id: 'call' });
  return { scope, call, hop: call.stream('mic').hop('receive') };
}

test('a record that got no answer is sent again, byte for byte, until it is acknowledged', async () => {
  const world = new World();
  world.answers.push('no answer', { status: 503 }, {});
  const { hop } = calling(world);
  hop.mark(320);
  await world.pass(1_500);
  expect(world.acknowledged).toEqual([]);
  await world.pass(6_000);
  expect(picture(world.records())).toEqual(['mic.agent/receive 0-320@0']);
  expect(world.posts[1]?.body).toEqual(world.posts[0]?.body);
  expect(world.acknowledged[0]).toMatch(/^[0-9a-f]{16}\/[0-9a-f]{32}\/0\/0$/);
  expect(world.codes()).toEqual(['collector_unreachable']);
});

test('what waits is joined into one post when the collector is back', async () => {
  const world = new World();
  world.answers.push(...Array.from({ length: 4 }, () => 'no answer' as const));
  const { hop } = calling(world);
  for (let i = 0; i < 8; i++) {
    hop.mark(320);
    await world.pass(1_000);
  }
  await world.pass(10_000);
  expect(picture(world.records()).length).toBe(8);
  const bodies = world.posts.slice(4).map(post => Buffer.from(post.body!).toString());
  expect(Math.max(...bodies.map(body => body.split('audio.frames').length - 1))).toBeGreaterThan(3);
});

test('Retry-After is kept', async () => {
  const world = new World();
  world.answers.push({ status: 429, retryAfterS: 20 });
  const { hop } = calling(world);
  hop.mark(320);
  await world.pass(20_900);
  expect(world.posts.length).toBe(1);
  await world.pass(200);
  expect(world.posts.length).toBeGreaterThan(1);
});

test('a rejected record is counted, told, and not sent again', async () => {
  const world = new World();
  world.answers.push(rejecting(1));
  const { hop } = calling(world);
  hop.mark(320);
  await world.pass(2_000);
  expect(world.acknowledged.map(id => id.split('/')[2])).not.toContain('0');
  expect(world.states().at(-1)?.dropped).toEqual({ rejected: 1 });
  expect(world.codes()).toEqual(['rejected']);
});

test('of records posted together, only the rejected one is lost', async () => {
  const world = new World();
  world.answers.push('no answer', rejecting(1), {}, rejecting(1));
  const { scope } = calling(world);
  scope.startSession({ id: 'second call' });
  scope.startSession({ id: 'third call' });
  await world.pass(1_950);
  expect(world.posts.length).toBe(5);
  expect(world.acknowledged.length).toBe(2);
  expect(scope.stats().waitingItems).toBe(0);
});

test('a full outbox refuses, counts, and tells the count when there is room again', async () => {
  const world = new World();
  world.answers.push(...Array.from({ length: 6 }, () => 'no answer' as const));
  const { hop, scope } = calling(world, { outboxBytesMax: 1_600 });
  for (let i = 0; i < 10; i++) {
    hop.mark(320);
    await world.pass(1_000);
  }
  expect(scope.stats().waitingItems).toBeLessThan(5);
  await world.pass(60_000);
  const told = world.states().findLast(state => state.dropped !== undefined);
  expect(told?.dropped?.['outbox_full']).toBeGreaterThan(3);
  expect(world.codes()).toEqual(['collector_unreachable', 'outbox_full']);
});

test('heart beats do not pile up while the collector is away', async () => {
  const world = new World();
  world.answers.push('never');
  const { scope } = calling(world);
  await world.pass(120_000);
  // The first flush, and each tenth with the session's state: never one a second.
  expect(scope.stats().waitingItems).toBeLessThan(14);
});

test('an open session sends a span each second even with nothing to say', async () => {
  const world = new World();
  calling(world);
  await world.pass(5_000);
  expect(world.received.length).toBe(5);
  expect(world.received[3]?.attributes['framescope.seq']).toBe(3);
  expect(world.received[3]?.state).toBe(undefined);
});

test('an endpoint that is no collector is told once and costs a counted drop', async () => {
  const world = new World();
  world.answers.push({ status: 404 }, { status: 404 });
  const { hop } = calling(world);
  hop.mark(320);
  await world.pass(3_000);
  expect(world.codes()).toEqual(['refused']);
  expect(world.states().at(-1)?.dropped).toEqual({ refused: 2 });
});

test('a turn lost on the way is told again, and not told twice while it is on its way', async () => {
  const world = new World();
  world.answers.push({ status: 400 });
  const { call } = calling(world);
  const turn = call.startTurn({ at: 0 });
  await world.pass(1_000);
  expect(world.states()).toEqual([]);
  await world.pass(5_000);
  const told = world.states().flatMap(state => state.turns ?? []);
  expect(told.map(one => [one.tick, one.rev])).toEqual([[0, turn.rev]]);
});

test('flush, end and shutdown resolve after shutdownMs even when nobody answers', async () => {
  const ways = {
    flush: ({ scope }: ReturnType<typeof calling>) => scope.flush(),
    end: ({ call }: ReturnType<typeof calling>) => call.end(),
    shutdown: ({ scope }: ReturnType<typeof calling>) => scope.shutdown(),
  };
  for (const [name, way] of Object.entries(ways))
    for (const [given, ms] of [
      [undefined, 2_000],
      [300, 300],
    ] as const) {
      const world = new World();
      world.answers.push('never', 'never', 'never');
      const provider = {
        getTracer: noopTracer,
        forceFlush: () => new Promise<void>(() => undefined),
      };
      const calls = calling(world, {
        tracerProvider: provider,
        ...(given === undefined ? {} : { shutdownMs: given }),
      });
      calls.hop.mark(320);
      let isDone = false;
      void way(calls).then(() => (isDone = true));
      await world.pass(ms - 10);
      expect(isDone, name).toBe(false);
      await world.pass(20);
      expect(isDone, name).toBe(true);
    }
});

const noopTracer = (): ReturnType<TracerProvider['getTracer']> =>
  new ProxyTracerProvider().getTracer('none');
