import { expect, test } from 'vitest';
import { writeLine } from '../src/draw/pixel-lines.ts';

/** Lines `x1,y1>x2,y2` in ten by five pixels, each written with its number. */
function picture(...lines: readonly string[]): string[] {
  const [width, height] = [10, 5];
  const pixels = new Uint32Array(width * height);
  lines.forEach((text, i) => {
    const [x1, y1, x2, y2] = text.split(/[,>]/).map(Number) as [number, number, number, number];
    writeLine(pixels, width, { x1, y1, x2, y2, word: i + 1 });
  });
  return Array.from({ length: height }, (_, y) =>
    Array.from(pixels.subarray(y * width, (y + 1) * width), word => word || '.').join(''),
  );
}

test('an upright line is a pixel a row, and ends above its lower station', () => {
  expect(picture('3.2,0>3.2,4')).toEqual([
    '...1......',
    '...1......',
    '...1......',
    '...1......',
    '..........',
  ]);
});

test('a flat line is whole: each row begins where the one above ended', () => {
  expect(picture('0,0>10,4')).toEqual([
    '111.......',
    '..111.....',
    '.....111..',
    '.......111',
    '..........',
  ]);
});

test('a clock that runs backwards draws to the left', () => {
  expect(picture('9,0>5,4')).toEqual([
    '........1.',
    '.......1..',
    '......1...',
    '.....1....',
    '..........',
  ]);
});

test('what lies beside the picture is cut and does not come in on the other side', () => {
  expect(picture('-8,0>4,4', '8,0>24,4', '-50,0>-20,4', '40,0>30,4')).toEqual([
    '........22',
    '..........',
    '1.........',
    '.111......',
    '..........',
  ]);
});

test('of lines over each other the one written last is seen', () => {
  expect(picture('3,0>3,5', '1,0>6,5').join('')).toContain('2');
  expect(picture('2,0>2,5', '2,0>2,5')[0]).toBe('..2.......');
});
