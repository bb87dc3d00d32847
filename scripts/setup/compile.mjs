// Builds the packages into out/ and the viewer into the collector's package.

import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError } from './command.mjs';
import { run } from './spawn.mjs';
import { readJson, toolCommand } from './workspace.mjs';

/**
 * Files under a folder, as paths relative to it; none when it does not exist.
 * @param {string} folder
 * @returns {string[]}
 */
function filesIn(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/**
 * The folders that `tsc -b` builds.
 * @param {string} root
 * @returns {string[]}
 */
export function compiledFolders(root) {
  /** @type {{ path: string }[]} */
  const references = readJson(join(root, 'tsconfig.json'))['references'];
  return references.map(one => one.path);
}

/**
 * `tsc -b` believes its .tsbuildinfo even when out/ has been deleted.
 * @param {string} folder
 */
function forgetBuildWithoutOutput(folder) {
  if (!existsSync(join(folder, 'out')))
    rmSync(join(folder, 'tsconfig.tsbuildinfo'), { force: true });
}

/**
 * What tsc leaves to others: SQL and JSON beside the sources are copied, the
 * output of sources that are gone is removed.
 * @param {string} folder
 */
export function settleOutput(folder) {
  const [from, to] = [join(folder, 'src'), join(folder, 'out')];
  const sources = filesIn(from);
  const kept = new Set(sources);
  for (const path of sources) {
    if (path.endsWith('.ts')) continue;
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(from, path), join(to, path));
  }
  for (const path of filesIn(to)) {
    const source = path.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (!kept.has(path) && !kept.has(source)) rmSync(join(to, path));
  }
}

/** @param {string} root */
export async function compile(root) {
  const folders = compiledFolders(root).map(folder => join(root, folder));
  folders.forEach(forgetBuildWithoutOutput);
  const { ok } = await run([...toolCommand(root, 'typescript', 'tsc'), '-b'], {
    cwd: root,
    what: 'compiling',
  });
  if (!ok) throw new SetupError('The sources do not compile: the reasons are above.');
  folders.forEach(settleOutput);
}

/** @param {string} root */
export async function buildViewer(root) {
  const from = join(root, 'packages/viewer');
  const { ok } = await run(
    [...toolCommand(root, 'vite'), 'build', '--logLevel', 'warn', '--outDir', 'dist'],
    {
      cwd: from,
      what: 'building the viewer',
    },
  );
  if (!ok) throw new SetupError('The viewer could not be built: the reason is above.');
  replaceFolder(join(from, 'dist'), join(root, 'packages/collector/viewer'));
}

/**
 * Copies beside the target and renames: a collector that serves from it never sees half a viewer.
 * @param {string} from
 * @param {string} to
 */
function replaceFolder(from, to) {
  const fresh = `${to}.new`;
  rmSync(fresh, { recursive: true, force: true });
  cpSync(from, fresh, { recursive: true });
  rmSync(to, { recursive: true, force: true });
  renameSync(fresh, to);
}
