// Many sessions flush some at a time, and what they packed leaves together.

import { expect, test } from 'vitest';
import { FlushRounds } from '../src/export/flush-rounds.ts';
import { World } from './support/world.ts';

const MS = 1_000_000;

/** `count` sessions whose flush takes `costMs` each; what happened, as words. */
function rounds(
  count: number,
  costMs: number,
): { world: World; said: string[]; made: FlushRounds } {
  const world = new World();
  const said: string[] = [];
  const flush = (): void => {
    world.nowNs += costMs * MS;
    said.push('flush');
  };
  const made = new FlushRounds({
    timers: {
      after: (delayMs, task) => {
        said.push(delayMs === 1 ? 'pause' : 'period');
        return world.timers.after(delayMs, task);
      },
    },
    now: () => world.nowNs,
    everyMs: 1_000,
    all: () => Array.from({ length: count }, () => ({ flush })),
    outbox: { hold: () => void said.push('hold'), release: () => void said.push('release') },
  });
  return { world, said, made };
}

test('a round pauses after each quarter of a millisecond and sends when it is over', async () => {
  const { world, said, made } = rounds(7, 0.1);
  made.start();
  await world.pass(1_010);
  expect(said.join(' ')).toBe(
    'period hold flush flush flush pause period flush flush flush pause flush release',
  );
});

test('a round that is asked for while one is under way flushes all once more, those already flushed too', async () => {
  const { world, said, made } = rounds(4, 0.15);
  const first = made.round();
  const second = Promise.all([made.round(), made.round()]);
  void first.then(() => said.push('first'));
  void second.then(() => said.push('second'));
  await world.pass(10);
  expect(said.join(' ')).toBe(
    'hold flush flush pause flush flush release hold pause first flush flush pause flush flush release second',
  );
});

test('what waits for a round to come is over when all flush at once', async () => {
  const { world, said, made } = rounds(3, 0.6);
  const asked = Promise.all([made.round(), made.round()]);
  made.stop();
  await asked;
  await world.pass(10);
  expect(said.join(' ')).toBe('hold flush pause release flush flush flush');
});

test('when the page goes all flush at once, the round under way included', () => {
  const { said, made } = rounds(3, 0.6);
  void made.round();
  made.all();
  expect(said.join(' ')).toBe('hold flush pause release flush flush flush');
});

test('after stop nothing flushes any more', async () => {
  const { world, said, made } = rounds(1, 0.1);
  made.start();
  made.start();
  made.stop();
  said.length = 0;
  await world.pass(5_000);
  expect(said).toEqual([]);
});
