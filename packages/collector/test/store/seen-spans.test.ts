import { expect, test } from 'vitest';
import { SeenSpans } from '../../src/store/sqlite/seen-spans.ts';

/** IDs of a generation of spans, 8 words each, that no other `seed` shares. */
function generation(seed: number): Uint32Array {
  const count = 1 << 18;
  const words = new Uint32Array(count * 8);
  for (let row = 0; row < count; row++) words.set([seed, 0, 0, 0, seed, row + 1], row * 8);
  return words;
}

function fill(seen: SeenSpans, seed: number): void {
  const words = generation(seed);
  for (let row = 0; row < 1 << 18; row++) seen.add(words, row);
  expect(seen.turnOver()).toBe(true);
}

test('a span is known for as long as its trace, which was asked for after it came', () => {
  const span = Uint32Array.of(7, 7, 7, 7, 7, 7, 0, 0);
  const seen = new SeenSpans();
  expect(seen.add(span, 0)).toBe(true);
  fill(seen, 1);
  // Its trace was forgotten, came again, and was asked for in the volumes.
  seen.keep(span, 0);
  fill(seen, 2);
  expect(seen.add(span, 0)).toBe(false);
  fill(seen, 3);
  fill(seen, 4);
  expect(seen.add(span, 0)).toBe(true);
});
