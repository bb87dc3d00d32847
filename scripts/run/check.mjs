// `npm run check`: all that is known without running a test. Every step runs, also after a red one.
//
// The results are left in .framescope/check-results.json for .ci/run.

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setUp } from '../setup/setup.mjs';
import { run } from '../setup/spawn.mjs';
import { ROOT, readJson, toolCommand, workspaceFolders } from '../setup/workspace.mjs';

const RESULTS = join(ROOT, '.framescope', 'check-results.json');

/** @typedef {{ name: string, command: string[], cwd?: string }} Step */

/** Folders whose tests (or scripts) are TypeScript projects of their own. */
function typedFolders() {
  const tests = ['.', ...workspaceFolders(ROOT)].map(folder => join(folder, 'test'));
  return [...tests, 'scripts'].filter(folder => hasFilesToType(join(ROOT, folder)));
}

/** @param {string} folder */
function hasFilesToType(folder) {
  if (!existsSync(join(folder, 'tsconfig.json'))) return false;
  return readdirSync(folder, { recursive: true }).some(path => /\.(ts|mjs)$/.test(String(path)));
}

/** What is published must be fit to be. */
function publishedFolders() {
  return workspaceFolders(ROOT).filter(
    folder => readJson(join(ROOT, folder, 'package.json'))['private'] !== true,
  );
}

/** @returns {Step[]} */
function steps() {
  const tsc = toolCommand(ROOT, 'typescript', 'tsc');
  return [
    { name: 'types', command: [...tsc, '-b'] },
    ...typedFolders().map(path => ({ name: `types of ${path}`, command: [...tsc, '-p', path] })),
    { name: 'lint', command: [...toolCommand(ROOT, 'oxlint'), '--deny-warnings'] },
    { name: 'format', command: [...toolCommand(ROOT, 'oxfmt'), '--check'] },
    { name: 'knip', command: [...toolCommand(ROOT, 'knip'), '--no-progress'] },
    ...publishedFolders().map(path => ({
      name: `publint of ${path}`,
      command: [...toolCommand(ROOT, 'publint'), '--strict', '--pack', 'false', path],
    })),
    ...['api-report', 'bundle-size', 'bytes-per-mark'].map(gate => ({
      name: `gate ${gate}`,
      command: [process.execPath, `packages/instrument/gates/${gate}.mjs`],
    })),
    {
      name: 'map',
      command: [...toolCommand(ROOT, 'vitest'), 'run', '--project=unit', 'test/map.test.ts'],
    },
  ];
}

/**
 * @param {Step} step
 * @returns {Promise<boolean>}
 */
async function passes({ name, command }) {
  const startedMs = performance.now();
  const { ok } = await run(command, { cwd: ROOT, what: `checking ${name}`, show: 'failure' });
  console.log(
    `${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`,
  );
  return ok;
}

/** @returns {Promise<number>} the exit code */
export async function check() {
  await setUp();
  /** @type {{ name: string, ok: boolean }[]} */
  const results = [];
  for (const step of steps()) results.push({ name: step.name, ok: await passes(step) });
  mkdirSync(dirname(RESULTS), { recursive: true });
  writeFileSync(RESULTS, JSON.stringify(results));
  const failed = results.filter(one => !one.ok);
  console.log(
    failed.length === 0
      ? `\nAll ${results.length} checks pass.`
      : `\n${failed.length} of ${results.length} checks fail.`,
  );
  return failed.length === 0 ? 0 : 1;
}
