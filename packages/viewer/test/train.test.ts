// The timetable: which line goes where, what is late, what the pointer finds.

import { expect, test } from 'vitest';
import {
  chooseFrame,
  frameAt,
  layoutTrain,
  makeTrain,
  nextLate,
  type TrainInput,
} from '../src/layout/train.ts';
import { lanesOf, rowsOf, scaleOf } from './pictures.ts';

const NAMES = ['silent', 'calm', 'near', 'over', 'far', 'extreme'];
const train = makeTrain();

function inputOf(picture: string, ms: number = 20, fromMs: number = 0): TrainInput {
  const lanes = picture
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/) as [string, string]);
  return {
    lanes: lanesOf(...lanes.map(([name]) => name)),
    rows: new Map(lanes.map(([name, text]) => [name, rowsOf(text)])),
    scale: scaleOf(ms, fromMs),
    isRaw: false,
    speech: new Map(),
  };
}

function linesOf(input: TrainInput): string[] {
  layoutTrain(input, train);
  const { lines } = train;
  return Array.from(
    { length: lines.count },
    (_, i) => `leg ${lines.leg[i]} ${lines.x1[i]}→${lines.x2[i]} ${NAMES[lines.level[i]!]}`,
  );
}

test('a frame is a line from hop to hop', () => {
  const input = inputOf(`
    send     a.b
    receive  .a.b
  `);
  expect(linesOf(input)).toEqual(['leg 0 0→10 calm', 'leg 0 20→30 calm']);
});

test('a frame that takes more than its leg allows is coloured by how far', () => {
  const input = inputOf(`
    send     a
    receive  .......a
  `);
  expect(linesOf(input)).toEqual(['leg 0 0→70 far']);
});

test('a line outside the window is not laid out, one that crosses it is', () => {
  const picture = `
    send     a......b
    receive  ..a........b
  `;
  expect(linesOf(inputOf(picture, 3, 9))).toEqual(['leg 0 -20→20 near']);
});

test('frames meet in the chunk that takes them, and waiting for it to fill is not late', () => {
  const input = inputOf(`
    vad  abc
    stt  ....(abc)
  `);
  expect(linesOf(input)).toEqual(['leg 0 0→40 calm', 'leg 0 10→40 calm', 'leg 0 20→40 calm']);
});

test('a chunk that becomes four frames or more is a fan, three are lines', () => {
  linesOf(
    inputOf(`
    tts   (abcd)
    send  .abcd
  `),
  );
  expect([train.lines.count, train.fans]).toEqual([0, [{ leg: 0, x: 0, left: 10, right: 40 }]]);
  linesOf(
    inputOf(`
    tts   (abc)
    send  .abc
  `),
  );
  expect([train.lines.count, train.fans]).toEqual([3, []]);
});

test('of two frames between the same two pixels the later one is drawn', () => {
  const input = inputOf(`
    send     ab
    receive  .ab
  `);
  const twice = { ...input, scale: { ...input.scale, widthPx: 1 } };
  expect(linesOf(twice)).toHaveLength(1);
  const late = inputOf(`
    send     ab
    receive  .a......b
  `);
  expect(linesOf({ ...late, scale: { ...late.scale, widthPx: 1 } })).toEqual([
    expect.stringContaining('far'),
  ]);
});

test('a lost frame is a mark where it was last seen', () => {
  linesOf(
    inputOf(`
    send     a.B.c
    receive  .a...c
  `),
  );
  expect(train.lost).toEqual([{ station: 0, x: 20, row: 1 }]);
});

test('the pointer finds the frame whose line is nearest, and none far from all', () => {
  const input = inputOf(`
    send     a....b
    receive  ....a....b
  `);
  linesOf(input);
  expect(frameAt(input, train, { x: 21, y: 150 })).toEqual({ stream: 'mic', tick: 9 });
  expect(frameAt(input, train, { x: 68, y: 150 })).toEqual({ stream: 'mic', tick: 19 });
  expect(frameAt(input, train, { x: 120, y: 150 })).toBeUndefined();
});

test('a chosen frame is followed through every hop, through chunks too', () => {
  const input = inputOf(`
    send     ab
    receive  ..ab
    stt      .....(ab)
  `);
  const frame = chooseFrame(input, 'mic', 9);
  expect(frame?.points.map(point => [point.x, point.legNs])).toEqual([
    [0, undefined],
    [20, 2e6],
    [50, 3e6],
  ]);
});

test('raw clocks shift a hop by what the correction took away', () => {
  const input = inputOf(`
    send     a
    receive  .a
  `);
  const shifted = new Map([
    ...input.rows,
    ['receive', { ...input.rows.get('receive')!, rawShiftNs: -3e6 }],
  ]);
  expect(linesOf({ ...input, rows: shifted, isRaw: true })).toEqual(['leg 0 0→40 calm']);
  expect(linesOf({ ...input, rows: shifted, isRaw: false })).toEqual(['leg 0 0→10 calm']);
});

test('stepping goes to the next late or lost frame, in both directions', () => {
  const input = inputOf('send  a.B.c.D');
  expect(nextLate(input, 3e6, 1)?.tick).toBe(39);
  expect(nextLate(input, 3e6, -1)?.tick).toBe(19);
  expect(nextLate(input, 6e6, 1)).toBeUndefined();
});
