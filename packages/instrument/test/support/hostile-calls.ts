// Every public method with hostile values in any order: the property of
// hostile.test.ts (some thousand runs) and of hostile-long.e2e.test.ts (100,000).

import fc from 'fast-check';
import { expect } from 'vitest';
import { Link } from '@framescope/instrument';
import { bentHop, derive, regrouped } from '@framescope/instrument/lineage';
import { World } from './world.ts';

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
  ['Session', 'Stream', 'Hop', 'Link', 'Turn', 'Stage', 'BargeIn', 'BentHop', 'Regroup'].includes(
    value.constructor?.name,
  );

/** What is made by functions, out of anything. */
function makeFrom(objects: object[], args: readonly unknown[]): void {
  const [a, b, c, d] = args as never[];
  derive(a!, b!);
  objects.push(bentHop(a!, b!, c!, d!), regrouped(a!, b!, c!, d!));
}

/**
 * A run is promises alone. What a WeakRef was made of is held until the event loop turns: without a turn
 * every scope of all runs stays, a third of a megabyte each, and soon collecting is all that is done.
 */
const RUNS_A_TURN = 16;

/** Nothing throws, all that is sent can be read, and each run sends something. @throws when not so */
export async function checkHostileCalls(runs: number): Promise<void> {
  let count = 0;
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
        new Link(call),
        turn,
        turn.stage('llm'),
        turn.bargeIn({ onsetTick: 5 }),
        bentHop(call, stream, 'bent', { sampleRate: 44_100 }),
        regrouped(call, stream, 1_600),
      ];
      for (const { object, method, args } of steps) {
        if (object === 0) makeFrom(objects, args);
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
      // A scope that is not shut down waits for the end of the process, with all it holds.
      const isOver = scope.shutdown();
      await world.pass(10_000);
      await isOver;
      count += 1;
      if (count % RUNS_A_TURN === 0) await new Promise(resolve => setImmediate(resolve));
    }),
    { numRuns: runs },
  );
}
