// `npm run screens -- [page…] [--state NAME] [--out DIR]`: pictures of every page.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setUp } from '../setup/setup.mjs';
import { ROOT } from '../setup/workspace.mjs';

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
export async function screens(args) {
  await setUp();
  const main = join(ROOT, 'bench/out/screens/main.js');
  return spawnSync(process.execPath, [main, ...args], { stdio: 'inherit' }).status ?? 1;
}
