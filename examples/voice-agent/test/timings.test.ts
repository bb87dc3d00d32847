import { expect, test } from 'vitest';
import { heavyTailMs, randomFrom } from '../src/common/random.ts';
import { LLM_FIRST_TOKEN, STT_FINAL, TOOL_CALL, TTS_FIRST_BYTE } from '../src/models/timings.ts';

const draws = (shape: typeof LLM_FIRST_TOKEN, seed: number, count: number): number[] => {
  const random = randomFrom(seed, 'timing');
  return Array.from({ length: count }, () => heavyTailMs(random, shape)).toSorted((a, b) => a - b);
};
const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.ceil(q * sorted.length) - 1] ?? 0;

test('the same seed gives the same timings, another seed others', () => {
  expect(draws(LLM_FIRST_TOKEN, 5, 50)).toEqual(draws(LLM_FIRST_TOKEN, 5, 50));
  expect(draws(LLM_FIRST_TOKEN, 5, 50)).not.toEqual(draws(LLM_FIRST_TOKEN, 6, 50));
});

test('each purpose has chance of its own', () => {
  expect(randomFrom(1, 'llm')()).not.toBe(randomFrom(1, 'tts')());
});

for (const [name, shape] of Object.entries({
  STT_FINAL,
  LLM_FIRST_TOKEN,
  TTS_FIRST_BYTE,
  TOOL_CALL,
})) {
  test(`${name} has its median, and a tail no log-normal of its body has`, () => {
    const sorted = draws(shape, 1, 40_000);
    expect(quantile(sorted, 0.5) / shape.medianMs).toBeGreaterThan(0.95);
    expect(quantile(sorted, 0.5) / shape.medianMs).toBeLessThan(1.1);
    const bodyP999 = shape.medianMs * Math.exp(3.09 * shape.sigma);
    expect(quantile(sorted, 0.999)).toBeGreaterThan(2 * bodyP999);
    expect(sorted.at(-1)).toBeLessThanOrEqual(shape.maxMs);
  });
}
