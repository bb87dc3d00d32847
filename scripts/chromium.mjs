// Finds a Chromium for the page tests, or installs one.
//
// Page tests are never skipped for want of a browser: it is found, else
// installed (the Debian package when root on Debian, else Playwright's
// download), else the reason is thrown and the exit code is not zero.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Read in this order: the first that names a file that runs is taken. */
const ENVIRONMENT = ['FRAMESCOPE_CHROMIUM', 'CHROMIUM_PATH', 'CHROME_PATH'];
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const FIXED = [
  '/usr/lib/chromium/chromium',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * What the search looks at; a test gives its own.
 * @typedef {{ env: Record<string, string | undefined>, home: string, platform: string }} Machine
 */

/** @returns {Machine} */
const thisMachine = () => ({ env: process.env, home: homedir(), platform: process.platform });

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Where Playwright keeps its downloads.
 * @param {Machine} machine
 */
export function playwrightCache({ env, home, platform }) {
  const chosen = env['PLAYWRIGHT_BROWSERS_PATH'];
  if (chosen && chosen !== '0') return chosen;
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'ms-playwright');
  return join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'ms-playwright');
}

/**
 * Browsers under the cache, newest build first (the names end in a build number).
 * @param {string} cache
 */
function inPlaywrightCache(cache) {
  if (!existsSync(cache)) return [];
  const build = (/** @type {string} */ name) => Number(name.split('-').at(-1));
  const builds = readdirSync(cache)
    .filter(name => /^chromium(_headless_shell)?-\d+$/.test(name))
    .sort((a, b) => build(b) - build(a));
  return builds.flatMap(name => programsIn(join(cache, name)));
}

/**
 * The layout differs by platform and version: the browser is one of these, one folder down.
 * @param {string} folder
 */
function programsIn(folder) {
  const programs = ['chrome', 'headless_shell', 'chrome-headless-shell'];
  return readdirSync(folder).flatMap(inner => programs.map(name => join(folder, inner, name)));
}

/**
 * The path of a Chromium, or undefined. Looks at files only, in a millisecond.
 * @param {Machine} [machine]
 * @param {(path: string) => boolean} [isFit]
 * @returns {string | undefined}
 */
export function findChromium(machine = thisMachine(), isFit = isExecutable) {
  const named = ENVIRONMENT.map(name => machine.env[name]).filter(path => path !== undefined);
  const folders = (machine.env['PATH'] ?? '').split(delimiter).filter(folder => folder !== '');
  const onPath = folders.flatMap(folder => NAMES.map(name => join(folder, name)));
  const candidates = [
    ...named,
    ...onPath,
    ...FIXED,
    ...inPlaywrightCache(playwrightCache(machine)),
  ];
  return candidates.find(isFit);
}

/**
 * True when it starts: Ubuntu's `chromium-browser` is a script that may stand there without a browser.
 * @param {string} path
 */
function answers(path) {
  if (!isExecutable(path)) return false;
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return status === 0 && /\d+\.\d+/.test(stdout);
}

const findRunning = () => findChromium(thisMachine(), answers);

/** True where `apt-get install` can be run without asking. */
function isRootOnDebian() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
function run(command, args, env = {}) {
  const result = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  return result.status === 0;
}

function installDebianPackage() {
  const apt = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', 'chromium'];
  // The package lists of a fresh container are empty or old: one more try with new ones.
  return (
    run('apt-get', install, apt) ||
    (run('apt-get', ['update'], apt) && run('apt-get', install, apt))
  );
}

function installFromPlaywright() {
  const require = createRequire(import.meta.url);
  const cli = join(require.resolve('playwright-core/package.json'), '..', 'cli.js');
  return existsSync(cli) && run(process.execPath, [cli, 'install', 'chromium']);
}

/** Why there is no browser, and what to do. */
export class NoChromiumError extends Error {
  constructor() {
    super(
      'The page tests need a Chromium; none was found, and none could be installed.\n' +
        'Install one (Debian: apt-get install chromium; elsewhere: npx playwright-core install chromium),\n' +
        'or name one: CHROMIUM_PATH=/path/to/chromium npm test',
    );
    this.name = 'NoChromiumError';
  }
}

/**
 * Finds a Chromium, else installs one, else throws NoChromiumError.
 * @param {(line: string) => void} say
 * @returns {string}
 */
export function ensureChromium(say) {
  const found = findRunning();
  if (found !== undefined) return found;
  if (isRootOnDebian()) {
    say('No Chromium found: installing the Debian package (once)');
    if (!installDebianPackage()) say('The Debian package could not be installed');
  }
  if (findRunning() === undefined) {
    say("No Chromium found: fetching Playwright's (once, about 150 MB)");
    installFromPlaywright();
  }
  const installed = findRunning();
  if (installed === undefined) throw new NoChromiumError();
  return installed;
}
