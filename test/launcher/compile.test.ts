// What the build does beside tsc.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settleOutput } from '../../scripts/setup/compile.mjs';
import { temporaryTree } from '../temporary-tree.ts';

test('SQL is copied beside the code, and the output of a removed source goes', () => {
  const { root } = temporaryTree({
    'src/kept.ts': '',
    'src/store/001.sql': 'SELECT 1',
    'out/kept.js': '',
    'out/kept.js.map': '',
    'out/kept.d.ts': '',
    'out/gone.js': '',
    'out/gone.d.ts.map': '',
  });
  settleOutput(root);
  const left = readdirSync(join(root, 'out'), { recursive: true }).map(String).sort();
  expect(left).toEqual(['kept.d.ts', 'kept.js', 'kept.js.map', 'store', 'store/001.sql']);
});
