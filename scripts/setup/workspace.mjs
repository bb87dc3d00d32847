// Where things are in the workspace: its folders, and the tools in node_modules.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/**
 * @param {string} path
 * @returns {Record<string, any>}
 */
export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/**
 * The folders of the workspaces, relative to the root: `packages/protocol`, …
 * @param {string} root
 * @returns {string[]}
 */
export function workspaceFolders(root) {
  /** @type {string[]} */
  const patterns = readJson(join(root, 'package.json'))['workspaces'];
  return patterns.flatMap(pattern => {
    if (!pattern.endsWith('/*')) return [pattern];
    const parent = pattern.slice(0, -2);
    return readdirSync(join(root, parent))
      .sort()
      .map(name => `${parent}/${name}`)
      .filter(folder => existsSync(join(root, folder, 'package.json')));
  });
}

/**
 * The command line of a tool of the workspace, without npx.
 * @param {string} root
 * @param {string} tool its package
 * @param {string} [command] when it is not called like its package
 * @returns {string[]}
 */
export function toolCommand(root, tool, command = tool) {
  const folder = join(root, 'node_modules', tool);
  const { bin } = readJson(join(folder, 'package.json'));
  return [process.execPath, join(folder, typeof bin === 'string' ? bin : bin[command])];
}
