// A call can be drawn, and a drawn call has the waits of its drawing.

import { expect, test } from 'vitest';
import { callPicture, pictureOf } from '../src/call-picture.ts';
import { callTruth } from '../src/call-truth.ts';

test('a drawn call has its turns and its waits where they are drawn', () => {
  const scenario = callPicture(
    `user   ......aaaaaaaa...................................bbbbbb
     agent  ............................cccccccccccccccc.............................dddddd`,
    { id: 'drawn' },
  );
  expect(pictureOf(callTruth(scenario))).toBe(
    [
      'user  ......aaaaaaaa...................................bbbbbb',
      'wait  ..............aaaaaaaaaaaaaa...........................bbbbbbbbbbbbbbbbbb',
    ].join('\n'),
  );
});

test('an answer that the user talks over is a barge-in', () => {
  const scenario = callPicture(
    `user   ......aaaaaaaa....................bbbbbb
     agent  ............................cccccccccccccccc.............dddddd`,
    { id: 'over' },
  );
  expect(scenario.turns[0]?.bargeIn?.afterMs).toBe(600);
});

test('a call that nobody answers ends in a wait without an end', () => {
  const scenario = callPicture(
    `user   ......aaaaaaaa
     gone   ......................x`,
    { id: 'gone' },
  );
  expect(callTruth(scenario).turns[0]?.waits).toMatchObject([
    { outcome: 'abandoned', openNs: expect.any(Number) },
  ]);
});

test('a gap too short for the ordinary parts is refused with the figure', () => {
  const drawn = `user  ....aaaa
                 agent ...........bbbb`;
  expect(() => callPicture(drawn, { id: 'short' })).toThrow('300 ms is too short');
});

test('a line that is no lane is shown', () => {
  expect(() => callPicture('usr ...aaa', { id: 'typo' })).toThrow('not a lane: "usr ...aaa"');
});
