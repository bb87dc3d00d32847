// Brings the engine of ClickHouse (npm's `chdb`, 540 MB) into a cache folder outside the repository, once.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const VERSION = '3.4.0';

export const CHDB = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'framescope',
  `chdb-${VERSION}`,
);

export const isInstalled = () => existsSync(join(CHDB, 'installed'));

/** Throws when it cannot be had. */
export function install() {
  if (isInstalled()) return;
  console.log(`installing chdb ${VERSION}, 540 MB, into ${CHDB}`);
  mkdirSync(CHDB, { recursive: true });
  writeFileSync(join(CHDB, 'package.json'), '{ "private": true }\n');
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', `chdb@${VERSION}`],
    { cwd: CHDB, stdio: ['ignore', 'inherit', 'pipe'], encoding: 'utf8' },
  );
  if (status !== 0)
    throw new Error(`chdb cannot be installed:\n${stderr.split('\n').slice(-8).join('\n')}`);
  writeFileSync(join(CHDB, 'installed'), `${VERSION}\n`);
}
