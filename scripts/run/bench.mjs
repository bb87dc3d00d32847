// `npm run bench -- [suite] [--quick] [--json FILE]`: the benches run built files.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setUp } from '../setup/setup.mjs';
import { ROOT } from '../setup/workspace.mjs';

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
export async function bench(args) {
  await setUp();
  const main = join(ROOT, 'bench/out/main.js');
  const { status } = spawnSync(process.execPath, ['--expose-gc', main, ...args], {
    stdio: 'inherit',
  });
  return status ?? 1;
}
