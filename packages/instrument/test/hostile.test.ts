// Whatever is called in whatever order with whatever values: nothing throws,
// and what is sent can be read.

import { Link } from '@framescope/instrument';
import { anchorToText, domainNs, tick } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { checkHostileCalls } from './support/hostile-calls.ts';
import { World } from './support/world.ts';

test('nothing throws, whatever is called in whatever order with whatever values', async () => {
  await expect(checkHostileCalls(2_000)).resolves.toBeUndefined();
}, 120_000);

test('what makes no sense is told to the collector, by kind, with its count', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const mic = call.stream('mic');
  mic.hop('receive').mark(-1);
  mic.hop('receive').markAt(1.5, 320);
  mic.sample('queue_depth', Number.NaN);
  mic.conceal('decode', -5, 320);
  new Link(call).untag(
    anchorToText({
      traceId: 'f'.repeat(32),
      stream: 'mic',
      direction: 'up',
      sampleRate: 16_000,
      tick: tick(0),
      domain: '00000000000000c9',
      epoch: 0,
      originNs: domainNs(1),
    }),
  );
  const turn = call.startTurn();
  turn.firstVoiced({ stream: mic, tick: 0 });
  await world.pass(2_000);
  expect(world.states().findLast(state => state.dropped !== undefined)?.dropped).toEqual({
    bad_mark: 2,
    bad_argument: 2,
    foreign_anchor: 1,
    no_open_wait: 1,
  });
});

test.each([
  undefined,
  null,
  7,
  'x',
  {},
  {
    serviceName: 7,
    endpoint: 'not a url',
    flushMs: -1,
    role: '',
    resource: 5,
    headers: 'x',
    encoding: 'xml',
    onProblem: 5,
  },
  { tracerProvider: {} },
])('a scope can be made of %j', given => {
  const world = new World();
  const scope = world.scope({ ...(given as object) });
  expect(scope.startSession({ id: 'call' }).traceId).toMatch(/^[0-9a-f]{32}$/);
});

test('an onProblem that throws is not called for ever, and stops nothing', async () => {
  const world = new World();
  const onProblem = (): never => {
    throw new Error('mine');
  };
  const scope = world.scope({ onProblem });
  const call = scope.startSession({ id: '' });
  call.stream('mic').hop('receive').mark(-1);
  await world.pass(1_000);
  expect(scope.stats().problems.get('on_problem_threw')).toBe(2);
});

test('what the user runs in a turn throws its own errors', () => {
  const turn = new World().scope().startSession({ id: 'call' }).startTurn();
  const work = (): never => {
    throw new Error('theirs');
  };
  expect(() => turn.run(work)).toThrow('theirs');
  expect(turn.run(() => 7)).toBe(7);
});

test('a clock that breaks its word stops nothing', async () => {
  const world = new World();
  const clock = {
    ...world.clock(),
    now: () => {
      throw new Error('broken');
    },
    makeColumn: () => ({
      stamp: () => {
        throw new Error('broken');
      },
      read: () => {
        throw new Error('broken');
      },
    }),
  };
  const call = world.scope({ clock }).startSession({ id: 'call' });
  call.stream('mic').hop('receive').mark(320);
  call.startTurn().end();
  await world.pass(3_000);
  expect(world.codes()).toEqual(['clock_threw', 'bad_mark']);
  expect(world.received.length).toBe(3);
});
