import { expect, test } from 'vitest';
import { isSteep, SteepLines, writeLine } from '../src/draw/pixel-lines.ts';

const steep = new SteepLines(50);

/** Lines `x1,y1>x2,y2` in ten by five pixels, each written with its number. */
function picture(...lines: readonly string[]): string[] {
  const [width, height] = [10, 5];
  const pixels = new Uint32Array(width * height);
  lines.forEach((text, i) => {
    const [x1, y1, x2, y2] = text.split(/[,>]/).map(Number) as [number, number, number, number];
    const line = { x1, y1, x2, y2 };
    if (isSteep(line)) {
      steep.start(y2 - y1);
      steep.add(x1, x2);
      steep.write(pixels, width, y1, i + 1);
    } else writeLine(pixels, width, { ...line, word: i + 1 });
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

test('steep lines written together are as each written alone', () => {
  const width = 60;
  const alone = new Uint32Array(width * 8);
  const together = new Uint32Array(width * 8);
  steep.start(8);
  for (let i = 0; i < 50; i++) {
    const [x1, x2] = [i * 1.3 - 3, i * 1.3 - 3 + ((i * 7) % 17) - 8];
    steep.add(x1, x2);
    for (let row = 0; row < 8; row++) {
      const x = x1 + ((x2 - x1) * (row + 0.5)) / 8;
      if (x >= 0 && x < width) alone[row * width + Math.floor(x)] = 1;
    }
  }
  steep.write(together, width, 0, 1);
  expect(together.filter(word => word === 1).length).toBeGreaterThan(100);
  // A sum of steps and a product of them may part at a pixel's edge.
  const parted = together.filter((word, at) => word !== alone[at]).length;
  expect(parted).toBeLessThan(4);
});
