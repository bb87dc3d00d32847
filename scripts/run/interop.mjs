// `npm run test:interop`: our collector against real programs (Jaeger, SDKs of other languages, the
// Collector's load generator), which it builds into a cache folder outside the repository first.
//
//   npm run test:interop                  everything
//   npm run test:interop -- jaeger        one file (any argument of vitest)
//   --if-reachable                        for CI: where the package registries or a toolchain are
//                                         missing, says so and leaves no results; where PyPI alone
//                                         is away, what needs it is left out
//
// The counts are left in .framescope/interop-results.json for .ci/run.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  canReachPyPI,
  install,
  isInstalled,
  isPythonInstalled,
} from '../../test/interop/install.mjs';
import { isGenAiInstalled } from '../../test/interop/genai/install.mjs';
import { isLiveKitPythonInstalled } from '../../test/interop/livekit/install.mjs';
import { isPipecatInstalled } from '../../test/interop/pipecat/install.mjs';
import { setUp } from '../setup/setup.mjs';
import { childEnvironment } from '../setup/spawn.mjs';
import { ROOT, toolCommand } from '../setup/workspace.mjs';

const RESULTS = join(ROOT, '.framescope', 'interop-results.json');
const CONFIG = join(ROOT, 'test', 'interop', 'vitest.config.ts');

/** @type {readonly (readonly [string, readonly string[]])[]} */
const NEEDED = [
  ['go', ['version']],
  ['python3', ['-m', 'venv', '--help']],
  ['npm', ['ping']],
];

/** Tests of programs that PyPI brings. */
const OF_PYPI = ['pipecat', 'livekit', 'sdks', 'genai'];

const isPyPIAway = () =>
  !(
    isPythonInstalled() &&
    isPipecatInstalled() &&
    isLiveKitPythonInstalled() &&
    isGenAiInstalled()
  ) && !canReachPyPI();

/** The first thing that is not to be had here. */
function missing() {
  for (const [command, args] of NEEDED) {
    const { status } = spawnSync(command, args, { stdio: 'ignore', timeout: 60_000 });
    if (status !== 0) return `\`${command} ${args.join(' ')}\` does not work here`;
  }
  return undefined;
}

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
export async function interop(args) {
  const isOptional = args.includes('--if-reachable');
  const rest = args.filter(arg => arg !== '--if-reachable');
  const why = isInstalled() ? undefined : missing();
  if (why !== undefined && isOptional) {
    console.log(`interop is left out: ${why}`);
    return 0;
  }
  await setUp();
  const leftOut = isOptional && isPyPIAway() ? OF_PYPI : [];
  if (leftOut.length > 0) {
    console.log(`interop: PyPI cannot be reached here; left out: ${leftOut.join(', ')}`);
    process.env['FRAMESCOPE_INTEROP_WITHOUT'] = 'python';
  }
  install();
  const [node, script] = toolCommand(ROOT, 'vitest');
  const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=${RESULTS}`];
  const excluded = leftOut.map(name => `--exclude=**/${name}*.interop.ts`);
  const { status } = spawnSync(
    /** @type {string} */ (node),
    [/** @type {string} */ (script), 'run', '--config', CONFIG, ...reports, ...excluded, ...rest],
    {
      cwd: ROOT,
      env: childEnvironment(),
      stdio: 'inherit',
    },
  );
  return status ?? 1;
}
