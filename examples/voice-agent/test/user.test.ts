import { expect, test } from 'vitest';
import { User } from '../src/client/user.ts';

const VOICE = Int16Array.from({ length: 320 }, (_, i) => 6_000 * Math.sin(i / 5));
const QUIET = new Int16Array(320);

/** Plays `pcm` for `ms`; says after how many ms the user did something, and what. */
function hear(user: User, pcm: Int16Array, ms: number): string | undefined {
  for (let at = 20; at <= ms; at += 20) {
    const wish = user.hear(pcm, false);
    if (wish !== 'listen') return `${wish} at ${at}`;
  }
  return undefined;
}

const userWith = (bargesIn: 'never' | 'often' | 'always'): User =>
  new User({ random: () => 0, turns: 2, bargesIn });

test('the user speaks half a second after the agent has finished and is heard no more', () => {
  const user = userWith('never');
  expect(hear(user, VOICE, 1_000)).toBeUndefined();
  expect(hear(user, QUIET, 5_000)).toBeUndefined();
  user.agentDone();
  expect(hear(user, QUIET, 20)).toBe('speak at 20');
});

test('the user hangs up after the last turn', () => {
  const user = userWith('never');
  for (const wish of ['speak at 500', 'speak at 500', 'hang up at 500']) {
    hear(user, VOICE, 1_000);
    user.agentDone();
    expect(hear(user, QUIET, 2_000)).toBe(wish);
  }
});

test('with --barge-in the answer to the first thing said is interrupted after a second of it', () => {
  const user = userWith('often');
  hear(user, VOICE, 600);
  user.agentDone();
  hear(user, QUIET, 2_000);
  expect(hear(user, VOICE, 5_000)).toBe('speak at 1000');
});

test('an agent that stays silent for 12 seconds is spoken to all the same', () => {
  expect(hear(userWith('never'), QUIET, 20_000)).toBe('speak at 12000');
});
