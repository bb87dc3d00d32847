// ARCHITECTURE.md holds a map of the tree; here the two are compared, both ways.
//
// On the map: every row of a table under a heading `### \`folder\``, its paths in
// the first cell, relative to that folder.
// In the tree: what lies directly in the root's own folders and in each `src/`,
// with the folders below it. A folder's files are its own business.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { workspaceFolders } from '../scripts/setup/workspace.mjs';
import { temporaryTree } from './temporary-tree.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Not ours, or made by a build. */
const NOT_MAPPED = new Set(['node_modules', 'out', 'dist', 'coverage', 'framescope-data']);

/** Every path that a map names, relative to the root; folders end in a slash. */
function onMap(text: string): string[] {
  const paths: string[] = [];
  let folder: string | undefined;
  for (const line of text.split('\n')) {
    const heading = /^#+ (?:`([^`]+)`)?/.exec(line);
    if (heading) folder = heading[1];
    const cell = /^\|([^|]*)\|/.exec(line)?.[1];
    if (folder === undefined || cell === undefined) continue;
    for (const [, path] of cell.matchAll(/`([^`]+)`/g)) paths.push(join(folder, path ?? ''));
  }
  return paths;
}

function entries(root: string, folder: string): { name: string; isFolder: boolean }[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter(entry => !entry.name.startsWith('.') && !NOT_MAPPED.has(entry.name))
    .map(entry => ({ name: entry.name, isFolder: entry.isDirectory() }));
}

/** The files directly in a `src/`, and its folders down to the last. */
function sourcePaths(root: string, folder: string, isTop = true): string[] {
  return entries(root, folder).flatMap(({ name, isFolder }) => {
    const path = join(folder, name);
    if (isFolder) return [`${path}/`, ...sourcePaths(root, path, false)];
    return isTop ? [path] : [];
  });
}

function inTree(root: string): string[] {
  const workspaces = workspaceFolders(root);
  const own = entries(root, '.').filter(one => one.isFolder);
  const folders = own.map(one => `${one.name}/`);
  const isGroup = (folder: string): boolean =>
    workspaces.some(path => path.startsWith(folder) && path !== folder);
  return [
    ...folders.filter(folder => !isGroup(folder)),
    ...workspaces.filter(folder => folder.includes('/')).map(folder => `${folder}/`),
    ...workspaces.flatMap(folder => sourcePaths(root, join(folder, 'src'))),
  ];
}

/** What is to be mended, one line each. */
function disagreements(root: string): string[] {
  const map = onMap(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'));
  const tree = inTree(root);
  return [
    ...tree.filter(path => !map.includes(path)).map(path => `not on the map: ${path}`),
    ...map.filter(path => !existsSync(join(root, path))).map(path => `not in the tree: ${path}`),
    ...map.filter((path, at) => map.indexOf(path) !== at).map(path => `twice on the map: ${path}`),
  ].sort();
}

test('the map in ARCHITECTURE.md names what is in the tree, and nothing else', () => {
  expect(disagreements(ROOT), 'mend the tables in ARCHITECTURE.md').toEqual([]);
});

test('a file that is new, gone or named twice is seen', () => {
  const { root } = temporaryTree({
    'package.json': '{ "workspaces": ["packages/*"] }',
    'docs/a.md': '',
    'packages/one/package.json': '',
    'packages/one/src/kept.ts': '',
    'packages/one/src/new.ts': '',
    'packages/one/src/deep/new-folder/any.ts': '',
    'ARCHITECTURE.md': [
      '### `./`',
      '| `docs/` | |',
      '| `packages/one/` | |',
      '### `packages/one/src`',
      '| `kept.ts` `gone.ts` | |',
      '| `deep/` | |',
      '| `deep/` | |',
      '## Not the map',
      '| `anything` | |',
    ].join('\n'),
  });
  expect(disagreements(root)).toEqual([
    'not in the tree: packages/one/src/gone.ts',
    'not on the map: packages/one/src/deep/new-folder/',
    'not on the map: packages/one/src/new.ts',
    'twice on the map: packages/one/src/deep/',
  ]);
});
