// Turns that come as changes are whole again, whatever overtook what.

import { readFileSync } from 'node:fs';
import {
  changeOf,
  domainNs,
  tick,
  type JsonObject,
  type StateMessage,
  type TurnState,
} from '@framescope/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ToldTurns } from '../../../src/assemble/turns/told-turns.ts';

const turn = (rev: number, said: readonly string[]): TurnState => ({
  tick: tick(0),
  stream: 'mic',
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  rev,
  startedAt: domainNs(5),
  waits: [],
  stages: [],
  words: said.map(text => ({ who: 'user', text, at: domainNs(6) })),
});
const STATES = ['', 'a', 'ab', 'abc', 'abcd'].map((said, rev) => turn(rev + 1, [...said]));

const whole = (state: TurnState): StateMessage => ({ v: 1, turns: [state] });
const change = (from: TurnState, to: TurnState): StateMessage => {
  const set = changeOf({ ...from, rev: to.rev }, to) as JsonObject;
  return { v: 2, changes: [{ tick: to.tick, stream: 'mic', base: from.rev, rev: to.rev, set }] };
};
const MESSAGES = [whole(STATES[0]!), ...STATES.slice(1).map((to, i) => change(STATES[i]!, to))];

test('each change makes the next state', () => {
  const told = new ToldTurns(reason => expect.unreachable(reason));
  expect(MESSAGES.flatMap(message => told.take(message, 'one'))).toEqual(STATES);
});

test('in whatever order, and however often they come, the last state is the last', () => {
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 0, 1, 2, 3, 4], { minLength: 10 });
  fc.assert(
    fc.property(order, indices => {
      const told = new ToldTurns(reason => expect.unreachable(reason));
      const states = indices.flatMap(index => told.take(MESSAGES[index]!, 'one'));
      const last = states.reduce((a, b) => (b.rev >= a.rev ? b : a));
      expect(last).toEqual(STATES.at(-1));
    }),
    { numRuns: 500 },
  );
});

test('another process’s telling of the same turn is no ground for a change', () => {
  const told = new ToldTurns(() => undefined);
  told.take(whole(STATES[0]!), 'one');
  expect(told.take(MESSAGES[1]!, 'two')).toEqual([]);
  expect(told.take(MESSAGES[1]!, 'one')).toEqual([STATES[1]]);
});

test('a change that makes no turn is refused, and the turn stays as it was', () => {
  const reasons: string[] = [];
  const told = new ToldTurns(reason => reasons.push(reason));
  told.take(whole(STATES[0]!), 'one');
  const broken = {
    tick: tick(0),
    stream: 'mic',
    base: 1,
    rev: 2,
    set: { words: { 0: 'no words' } },
  };
  expect(told.take({ v: 2, changes: [broken] }, 'one')).toEqual([]);
  expect(reasons).toEqual(['changes that make no turn']);
  expect(told.take(MESSAGES[1]!, 'one')).toEqual([STATES[1]]);
});

test('changes that never find their ground are bounded and counted', () => {
  const reasons: string[] = [];
  const told = new ToldTurns(reason => reasons.push(reason));
  for (let i = 0; i < 40; i++) told.take(MESSAGES[2]!, 'one');
  expect(reasons).toHaveLength(8);
});

interface StateVectors {
  readonly streams: readonly {
    readonly name: string;
    readonly messages: readonly StateMessage[];
    readonly turn: TurnState;
  }[];
}

test('what other languages are given as vectors is read here to what they say', () => {
  const url = new URL('../../../../protocol/vectors/state.json', import.meta.url);
  const { streams } = JSON.parse(readFileSync(url, 'utf8')) as StateVectors;
  expect(streams.length).toBeGreaterThan(3);
  for (const { name, messages, turn } of streams) {
    const told = new ToldTurns(reason => expect.fail(`${name}: ${reason}`));
    let last: TurnState | undefined;
    for (const message of messages)
      for (const state of told.take(message, 'a')) if (state.rev >= (last?.rev ?? 0)) last = state;
    expect(last, name).toEqual(turn);
  }
});
