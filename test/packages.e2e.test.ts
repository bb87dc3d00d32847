// What npm would publish: packed as a user gets it, it has what it needs to start.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findNpm } from '../scripts/setup/npm.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Packed {
  readonly files: readonly { readonly path: string }[];
}

/** The files that `npm pack` would put into the package of `folder`. */
function packedFiles(folder: string): readonly string[] {
  const npm = findNpm(process.env, process.execPath);
  if (npm === undefined) throw new Error('npm was not found');
  const args = [npm, 'pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = spawnSync(process.execPath, args, {
    cwd: join(ROOT, folder),
    encoding: 'utf8',
  });
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, Packed>);
  return packed?.files.map(file => file.path) ?? [];
}

/** Every path that a package.json promises: exports of all conditions, and commands. */
function promisedPaths(folder: string): string[] {
  const text = readFileSync(join(ROOT, folder, 'package.json'), 'utf8');
  const { exports, bin } = JSON.parse(text) as { exports: unknown; bin?: unknown };
  const leaves = (value: unknown): string[] =>
    typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(leaves)
      : [String(value)];
  return leaves([exports, bin ?? {}]).map(path => path.replace(/^\.\//, ''));
}

test.each(['packages/protocol', 'packages/instrument', 'packages/collector'])(
  '%s is packed with every file that its package.json promises',
  folder => {
    expect(packedFiles(folder)).toEqual(expect.arrayContaining(promisedPaths(folder)));
  },
);

test('the collector is packed with its schema and the viewer, and without sources', () => {
  const files = packedFiles('packages/collector');
  expect(files).toContain('viewer/index.html');
  expect(files.filter(path => path.endsWith('.sql')).length).toBeGreaterThan(0);
  expect(files.filter(path => path.startsWith('src/'))).toEqual([]);
});
