// `npm run test:clickhouse`: the store's ClickHouse engine against the real one. CLICKHOUSE_URL
// (clickhouse://user:password@host:8123) names a server; without it the engine of npm's `chdb`, which is
// installed into a cache folder outside the repository first (540 MB), serves over HTTP.
//
//   npm run test:clickhouse                  everything
//   npm run test:clickhouse -- contract      one file (any argument of vitest)
//   --if-reachable                           for CI: where the engine cannot be had, says so and leaves no results
//
// The counts are left in .framescope/clickhouse-results.json for .ci/run.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { install, isInstalled } from '../../test/clickhouse/install.mjs';
import { ensureChromium } from '../chromium.mjs';
import { setUp } from '../setup/setup.mjs';
import { childEnvironment } from '../setup/spawn.mjs';
import { ROOT, toolCommand } from '../setup/workspace.mjs';

const RESULTS = join(ROOT, '.framescope', 'clickhouse-results.json');
const CONFIG = join(ROOT, 'test', 'clickhouse', 'vitest.config.ts');

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
export async function clickhouse(args) {
  const isOptional = args.includes('--if-reachable');
  const rest = args.filter(arg => arg !== '--if-reachable');
  const hasServer = (process.env['CLICKHOUSE_URL'] ?? '') !== '';
  if (!hasServer && !isInstalled()) {
    const { status } = spawnSync('npm', ['ping'], { stdio: 'ignore', timeout: 60_000 });
    if (status !== 0) {
      console.log('test:clickhouse needs npm to bring the engine, or CLICKHOUSE_URL');
      return isOptional ? 0 : 1;
    }
  }
  await setUp();
  if (!hasServer) install();
  const chromium = ensureChromium(line => console.log(line));
  const [node, script] = toolCommand(ROOT, 'vitest');
  const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=${RESULTS}`];
  const { status } = spawnSync(
    /** @type {string} */ (node),
    [/** @type {string} */ (script), 'run', '--config', CONFIG, ...reports, ...rest],
    { cwd: ROOT, env: childEnvironment({ FRAMESCOPE_CHROMIUM: chromium }), stdio: 'inherit' },
  );
  return status ?? 1;
}
