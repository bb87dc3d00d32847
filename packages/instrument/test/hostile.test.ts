// Whatever is called in whatever order with whatever values: nothing throws,
// and what is sent can be read.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { World } from './support/world.ts';

const RUNS = Number(process.env['FC_RUNS'] ?? 2_000);

const OPTION_NAMES = [
  'id',
  'at',
  'tick',
  'stream',
  'source',
  'errorMs',
  'generation',
  'attributes',
  'after',
  'nth',
  'sampleRate',
  'direction',
  'outcome',
  'filler',
  'onsetTick',
  'generatedTick',
  'error',
  'authority',
  'cut',
  'name',
];

/** An object that fights back: each option that is read throws. Not enumerable, so that it can be printed. */
const trap = (): object =>
  Object.defineProperties(
    {},
    Object.fromEntries(
      OPTION_NAMES.map(name => [
        name,
        {
          get: () => {
            throw new Error('trap');
          },
        },
      ]),
    ),
  );

const hostile = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }),
  },
  fc.constantFrom(
    Number.NaN,
    -0,
    -1,
    1.5,
    Number.POSITIVE_INFINITY,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    Symbol('s'),
    320n,
    '',
    '\ud800',
    'a'.repeat(70),
    'mic',
    'agent',
    'receive',
    'llm',
    '__proto__',
    null,
    undefined,
  ),
  fc.integer({ min: 0, max: 100_000 }),
  fc.constant(0).map(trap),
);

/** Options with the names we read and values nobody expects. */
const options = fc.oneof(
  hostile,
  fc.dictionary(fc.constantFrom(...OPTION_NAMES), hostile, { maxKeys: 6 }),
);

const step = fc.record({
  object: fc.nat(60),
  method: fc.nat(60),
  args: fc.array(options, { maxLength: 4 }),
});

/** Public methods of an object, own class and parents; `run` throws what its argument throws. */
function methodsOf(object: object): string[] {
  const names: string[] = [];
  for (
    let at = Object.getPrototypeOf(object);
    at !== Object.prototype && at !== null;
    at = Object.getPrototypeOf(at)
  )
    names.push(...Object.getOwnPropertyNames(at));
  return names.filter(name => name !== 'constructor' && name !== 'run').toSorted();
}

const isOurs = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Promise) &&
  methodsOf(value).length > 0 &&
  ['Session', 'Stream', 'Hop', 'Link', 'Turn', 'Stage', 'BargeIn'].includes(
    value.constructor?.name,
  );

test('nothing throws, whatever is called in whatever order with whatever values', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
      const world = new World();
      const scope = world.scope();
      const call = scope.startSession({ id: 'call' });
      const turn = call.startTurn();
      const stream = call.stream('mic');
      const objects: object[] = [
        scope,
        call,
        stream,
        stream.hop('receive'),
        call.link(),
        turn,
        turn.stage('llm'),
        turn.bargeIn({ onsetTick: 5 }),
      ];
      for (const { object, method, args } of steps) {
        const target = objects[object % objects.length]!;
        const names = methodsOf(target);
        const member: unknown = Reflect.get(target, names[method % names.length]!);
        const result: unknown =
          typeof member === 'function' ? Reflect.apply(member, target, args) : member;
        if (isOurs(result)) objects.push(result);
      }
      turn.end();
      await world.pass(2_000);
      const internal = world.problems.filter(problem => problem.code === 'not_encoded');
      expect(internal).toEqual([]);
      expect(world.received.length).toBeGreaterThan(0);
    }),
    { numRuns: RUNS },
  );
}, 120_000);

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
