import { expect, test } from 'vitest';
import { bestCovered } from '../src/best-covered.ts';

const bestOf = (counts: Readonly<Record<string, number>>): string | undefined =>
  bestCovered(Object.entries(counts), {
    name: ([name]) => `voice_to_voice.${name}`,
    count: ([, count]) => count,
  })?.[0];

test('of definitions that nearly as many turns have, the widest is shown', () => {
  expect(bestOf({ server: 100, client: 100, framework: 100 })).toBe('client');
  expect(bestOf({ server: 100, client: 90 })).toBe('client');
  expect(bestOf({ server: 100, client: 89 })).toBe('server');
});

test('a definition that we do not know is the last choice, and of none nothing is shown', () => {
  expect(bestOf({ telepathy: 100, recording: 95 })).toBe('recording');
  expect(bestOf({ telepathy: 100 })).toBe('telepathy');
  expect(bestOf({ server: 0 })).toBe(undefined);
  expect(bestCovered(['x'], { name: () => 'frame.mic', count: () => 5 })).toBe(undefined);
});
