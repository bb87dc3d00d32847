// The lock file serves every machine, not only the one that wrote it.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Locked {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Readonly<Record<string, Locked>>;
};

/** True when npm's walk up the folders from `path` finds `name`. */
function isLocked(path: string, name: string): boolean {
  const parts = path.split('/node_modules/');
  return [...parts.keys(), parts.length].some(count => {
    const folder = parts.slice(0, count).join('/node_modules/');
    return `${folder === '' ? '' : `${folder}/`}node_modules/${name}` in lock.packages;
  });
}

test('the binaries of every platform are locked, so that `npm ci` works on each', () => {
  // npm leaves them out when the registry has none of that version; `npm ci` then refuses the file.
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(name => !isLocked(path, name)),
  );
  expect(missing).toEqual([]);
});

test('no host of a registry is named', () => {
  const hosts = Object.values(lock.packages).filter(one => one.resolved?.includes('://'));
  expect(hosts).toEqual([]);
});
