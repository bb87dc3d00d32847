// What changed of a value, and the value again from what changed.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changed, changeOf } from '../src/patch.ts';

test('one word more costs one word', () => {
  const before = { rev: 4, words: [{ text: 'hello' }], waits: [{ moments: [{ at: 1 }] }] };
  const after = {
    rev: 5,
    words: [{ text: 'hello' }, { text: 'you' }],
    waits: [{ moments: [{ at: 1 }, { at: 2 }], closes: { tick: 3 } }],
  };
  expect(changeOf(before, after)).toEqual({
    rev: 5,
    words: { 1: { text: 'you' } },
    waits: { 0: { moments: { 1: { at: 2 } }, closes: { tick: 3 } } },
  });
  expect(changeOf(after, structuredClone(after))).toBeUndefined();
});

test('what is gone is told as gone, and a shorter list by its length', () => {
  const before = { closes: { tick: 3, filler: true }, moments: [1, 2, 3] };
  const after = { closes: { tick: 3 }, moments: [1, 4] };
  expect(changeOf(before, after)).toEqual({
    closes: { filler: null },
    moments: { 1: 4, length: 2 },
  });
  expect(changed(before, changeOf(before, after))).toEqual(after);
});

/** Keys say what stands behind them: a list stays a list. */
const value = fc.letrec(tie => ({
  object: fc.record(
    {
      s: fc.oneof(fc.integer(), fc.string({ maxLength: 4 }), fc.boolean()),
      length: fc.integer(),
      __proto__: fc.integer(),
      list: tie('list'),
      words: fc.array(fc.integer(), { maxLength: 5 }),
      object: tie('object'),
    },
    { requiredKeys: [], noNullPrototype: true },
  ),
  list: fc.array(fc.oneof({ maxDepth: 3 }, fc.constant({ s: 1 }), tie('object')), { maxLength: 4 }),
})).object;

test('any value comes from any other by its change, also through JSON', () => {
  fc.assert(
    fc.property(value, value, (before, after) => {
      const change = changeOf(before, after);
      const told: unknown = change === undefined ? undefined : JSON.parse(JSON.stringify(change));
      expect(change === undefined ? before : changed(before, told)).toStrictEqual(after);
    }),
    { numRuns: 2_000 },
  );
});

test('a change of something else never throws', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (before, change) => {
      changed(before, change);
    }),
    { numRuns: 2_000 },
  );
});
