// `npm test`: set-up, a Chromium for the page tests, lint, then every test that needs no other server.
//
//   npm test                          everything
//   npm test -- packages/protocol     the tests under a path (any argument of vitest)
//   npm run test:e2e                  only the tests with processes, sockets and pages
//
// The counts are left in .framescope/test-results.json for .ci/run.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureChromium } from '../chromium.mjs';
import { setUp } from '../setup/setup.mjs';
import { childEnvironment } from '../setup/spawn.mjs';
import { ROOT, toolCommand } from '../setup/workspace.mjs';

const RESULTS = join(ROOT, '.framescope', 'test-results.json');

/**
 * Runs a tool of the workspace on this terminal.
 * @param {string} tool
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
function passes(tool, args, env) {
  const [node, script] = toolCommand(ROOT, tool);
  const options = {
    cwd: ROOT,
    env: childEnvironment(env),
    stdio: /** @type {const} */ ('inherit'),
  };
  return (
    spawnSync(/** @type {string} */ (node), [/** @type {string} */ (script), ...args], options)
      .status === 0
  );
}

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
export async function test(args) {
  const isOnlyE2e = args.includes('--e2e');
  const rest = args.filter(arg => arg !== '--e2e');
  await setUp();
  const chromium = ensureChromium(line => console.log(line));
  const isLintClean = isOnlyE2e || passes('oxlint', ['--quiet']);
  const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=${RESULTS}`];
  const projects = isOnlyE2e ? ['--project=e2e'] : [];
  const isGreen = passes('vitest', ['run', ...reports, ...projects, ...rest], {
    FRAMESCOPE_CHROMIUM: chromium,
  });
  if (!isLintClean) console.error('\nLint is not clean: its findings are above the tests.');
  return isLintClean && isGreen ? 0 : 1;
}
