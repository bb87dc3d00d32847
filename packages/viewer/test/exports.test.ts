// What is taken away as a table: every cell and part once, nothing that a spreadsheet would run.

import type { Heatmap, Turn } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { turnsCsv } from '../src/pages/session/exports.ts';
import { cellsCsv } from '../src/pages/tail/exports.ts';
import { csvOf } from '../src/ui/save.ts';

test('a cell with a comma, a quote or a line is quoted; a formula is told apart', () => {
  expect(
    csvOf(
      ['a', 'b'],
      [
        ['x,y', 'say "hi"'],
        ['=1+1', -3],
        [null, 'two\nlines'],
      ],
    ),
  ).toBe('a,b\r\n"x,y","say ""hi"""\r\n\'=1+1,-3\r\n,"two\nlines"');
});

test('a turn is a row a part, and the parts of a wait still sum to it', () => {
  const part = (name: string, exposedNs: number) => ({ name, owner: 'o', exposedNs, fullNs: 9 });
  const wait = { kind: 'response', outcome: 'answered', startNs: 5, waitNs: 7, errorNs: 1 };
  const turns = [{ tick: 320, waits: [{ ...wait, parts: [part('uplink', 3), part('tool', 4)] }] }];
  const model = { turns: turns as unknown as readonly Turn[], limitOfWait: () => 800 };
  const lines = turnsCsv(model).split('\r\n');
  expect(lines.slice(1)).toEqual([
    '1,320,response,answered,5,7,1,800,uplink,o,3,9',
    '1,320,response,answered,5,7,1,800,tool,o,4,9',
  ]);
});

test('a heatmap is a row a cell with its bounds in nanoseconds', () => {
  const map = {
    fromUnixNs: '1795354071000000000',
    columnNs: 60e9,
    scale: 1,
    rowMin: -2,
    cells: { column: [0, 2], row: [0, 1], count: [5, 1] },
  };
  expect(
    cellsCsv(map as unknown as Heatmap)
      .split('\r\n')
      .slice(1),
  ).toEqual([
    '1795354071000000000,500000000,707106781,5',
    '1795354191000000000,707106781,1000000000,1',
  ]);
});
