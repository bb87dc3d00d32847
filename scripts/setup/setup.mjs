// The set-up in three stages, each done only when something it reads has changed (stamp.mjs):
//
//   install   lock file, Node ABI                  → node_modules, an addon that loads
//   compile   every src/, tsconfig                 → out/ of every package
//   viewer    sources of the viewer and protocol   → packages/collector/viewer
//
// With nothing to do it takes as long as reading the sources: some 50 ms.

import { join } from 'node:path';
import { buildViewer, compile, compiledFolders } from './compile.mjs';
import { ensureAddon, installPackages } from './npm.mjs';
import { hashOf, putStamp, reasonFor, takeStampAway } from './stamp.mjs';
import { ROOT, workspaceFolders } from './workspace.mjs';

/** @typedef {import('./stamp.mjs').Stage & { title: string, run: () => Promise<void> }} SetupStage */

/** @param {string} line */
const say = line => console.log(line);

/** What a binary of this machine depends on. */
const MACHINE = [process.versions.modules, process.platform, process.arch];

/**
 * @param {string} root
 * @returns {SetupStage}
 */
function installStage(root) {
  const manifests = ['.', ...workspaceFolders(root)].map(folder => join(folder, 'package.json'));
  return {
    name: 'install',
    title: 'Installing dependencies (npm)',
    inputs: ['package-lock.json', '.npmrc', ...manifests],
    facts: MACHINE,
    outputs: ['node_modules/.package-lock.json', 'node_modules/better-sqlite3/package.json'],
    run: async () => {
      await installPackages(root);
      await ensureAddon(root, say);
    },
  };
}

/**
 * @param {string} root
 * @returns {SetupStage}
 */
function compileStage(root) {
  const folders = compiledFolders(root);
  const sources = folders.flatMap(folder => [`${folder}/src`, `${folder}/tsconfig.json`]);
  return {
    name: 'compile',
    title: 'Compiling the packages (tsc)',
    inputs: ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json', ...sources],
    facts: [],
    outputs: folders.map(folder => `${folder}/out`),
    run: () => compile(root),
  };
}

/**
 * @param {string} root
 * @returns {SetupStage}
 */
function viewerStage(root) {
  return {
    name: 'viewer',
    title: 'Building the viewer (Vite)',
    inputs: ['packages/viewer', 'packages/protocol/src', 'package-lock.json'],
    facts: [],
    outputs: ['packages/collector/viewer/index.html'],
    run: () => buildViewer(root),
  };
}

/**
 * Does what is to be done, and says so; silent when nothing is.
 * @param {{ root?: string, force?: readonly string[] }} [options] `force`: stages that run in any case
 */
export async function setUp({ root = ROOT, force = [] } = {}) {
  const stages = [installStage(root), compileStage(root), viewerStage(root)];
  for (const [index, stage] of stages.entries()) {
    const reason = force.includes(stage.name) ? 'asked for' : reasonFor(root, stage);
    if (reason !== undefined)
      await runStage(root, stage, `[${index + 1}/${stages.length}]`, reason);
  }
}

/**
 * @param {string} root
 * @param {SetupStage} stage
 * @param {string} place
 * @param {string} reason
 */
async function runStage(root, stage, place, reason) {
  const startedMs = performance.now();
  say(`${place} ${stage.title}: ${reason}`);
  takeStampAway(root, stage.name);
  const hash = hashOf(root, stage);
  await stage.run();
  putStamp(root, stage.name, hash);
  say(`${place} done in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}
