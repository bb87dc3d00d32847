// Triggers wait for the processes that ask for them, and not for ever.

import { sessionTraceId, tick, type Trigger } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { TriggerBoard } from '../../src/receive/triggers.ts';

const trigger = (session: string, id = 1): Trigger => ({
  id: id.toString(16).padStart(16, '0'),
  traceId: sessionTraceId(session),
  reason: 'underrun',
  stream: 'mic',
  fromTick: tick(0),
  toTick: tick(320),
});
const prefix = (session: string): string => sessionTraceId(session).slice(0, 16);

function board() {
  const time = { ms: 0 };
  return { time, board: new TriggerBoard(() => time.ms) };
}

test('a trigger is told to those who ask for its session, once however often it was posted', () => {
  const { board: made } = board();
  expect([made.add(trigger('a')), made.add(trigger('a')), made.add(trigger('b', 2))]).toEqual([
    true,
    true,
    true,
  ]);
  expect(made.of(prefix('a')).map(({ id }) => id)).toEqual(['0000000000000001']);
  expect(made.of(prefix('a') + prefix('c') + prefix('b')).length).toBe(2);
  expect(made.of(prefix('c'))).toEqual([]);
});

test('after 45 s nobody is asked any more', () => {
  const { board: made, time } = board();
  made.add(trigger('a'));
  time.ms = 44_999;
  expect(made.of(prefix('a')).length).toBe(1);
  time.ms = 45_000;
  expect(made.of(prefix('a'))).toEqual([]);
});

test('a session holds sixteen triggers and refuses the next until one is over', () => {
  const { board: made, time } = board();
  const taken = Array.from({ length: 17 }, (_, i) => made.add(trigger('a', i + 1)));
  expect(taken.filter(Boolean).length).toBe(16);
  expect(taken.at(-1)).toBe(false);
  time.ms = 45_000;
  expect(made.add(trigger('a', 99))).toBe(true);
});

test('the board holds 4,096 sessions and refuses one more until room comes', () => {
  const { board: made, time } = board();
  for (let i = 0; i < 4_096; i++) expect(made.add(trigger(`call ${i}`))).toBe(true);
  expect(made.add(trigger('one more'))).toBe(false);
  time.ms = 45_000;
  expect(made.add(trigger('one more'))).toBe(true);
});

test('what asks for no session is told nothing', () => {
  const { board: made } = board();
  made.add(trigger('a'));
  const hostile = [undefined, '', 'x', prefix('a').slice(1), prefix('a').repeat(33), ['a'], 7, {}];
  for (const asked of hostile) expect(made.of(asked)).toEqual([]);
});
