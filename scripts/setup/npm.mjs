// npm and the native addon: found, run, and their failures put into words.

import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { SetupError } from './command.mjs';
import { run } from './spawn.mjs';
import { readJson } from './workspace.mjs';

const NETWORK =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR|network timeout/;

/**
 * npm's own script, to be run by the Node that runs now.
 * @param {Record<string, string | undefined>} env
 * @param {string} execPath of Node
 * @returns {string | undefined}
 */
export function findNpm(env, execPath) {
  // Set by `npm start`; other package managers set it too.
  const calling = env['npm_execpath'];
  if (calling && basename(calling) === 'npm-cli.js' && existsSync(calling)) return calling;
  const beside = dirname(execPath);
  const inside = ['../lib/node_modules/npm/bin/npm-cli.js', 'node_modules/npm/bin/npm-cli.js'];
  const onPath = (env['PATH'] ?? '')
    .split(delimiter)
    .filter(folder => folder !== '')
    .map(folder => join(folder, 'npm'))
    .filter(path => existsSync(path))
    .map(path => realpathSync(path));
  const places = [...inside.map(path => join(beside, path)), ...onPath];
  return places.find(path => basename(path) === 'npm-cli.js' && existsSync(path));
}

/**
 * Runs npm, with the Node that runs now.
 * @param {string[]} args
 * @param {string} root
 * @param {string} what
 */
function runNpm(args, root, what) {
  const npm = findNpm(process.env, process.execPath);
  if (npm === undefined)
    throw new SetupError(
      'npm was not found; it comes with Node (on Debian as a package of its own: apt-get install npm).\n' +
        'Install it, or start with `npm start`, and try again.',
    );
  const { version } = readJson(join(dirname(npm), '../package.json'));
  const env = headersEnvironment(version);
  return run([process.execPath, npm, ...args], { cwd: root, what, env });
}

/**
 * Why npm failed, and what to do.
 * @param {string} tail of its output
 */
export function explainNpm(tail) {
  if (NETWORK.test(tail))
    return (
      'npm could not reach its registry, so the dependencies are not installed.\n' +
      'Check the network (and `npm config get registry proxy https-proxy`), then type the same command again.'
    );
  if (/EACCES|EPERM/.test(tail))
    return 'npm may not write here (see above). Check who owns this folder and ~/.npm, then type the same command again.';
  if (/ENOSPC/.test(tail))
    return 'The disk is full: free about 500 MB, then type the same command again.';
  return 'npm could not install the dependencies: the reason is above. Then type the same command again.';
}

/** @param {string} root */
export async function installPackages(root) {
  // `ci` takes exactly the lock file, but removes what is there: only for a first time.
  const isFirst = !existsSync(join(root, 'node_modules'));
  const args = isFirst ? ['ci'] : ['install', '--no-save'];
  const flags = ['--include=dev', '--no-audit', '--no-fund'];
  const { ok, tail } = await runNpm([...args, ...flags], root, 'installing');
  if (!ok) throw new SetupError(explainNpm(tail));
}

/**
 * True when the headers in `include` are those of `version`: an addon built with
 * others would not load.
 * @param {string} include a folder `include/node`
 * @param {string} version like 'v20.20.2'
 */
function areHeadersOf(include, version) {
  try {
    const text = readFileSync(join(include, 'node_version.h'), 'utf8');
    const part = (/** @type {string} */ name) =>
      new RegExp(`^#define NODE_${name}_VERSION (\\d+)`, 'm').exec(text)?.[1];
    return version === `v${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`;
  } catch {
    return false;
  }
}

/**
 * The prefix of Node's own headers on this machine, or undefined.
 * @param {string} execPath
 * @param {string} version
 */
export function findHeaders(execPath, version) {
  const prefix = join(dirname(execPath), '..');
  const siblings = join(prefix, 'node_modules');
  // The npm package `node` keeps the headers of its binary in a package beside it.
  const inPackages = existsSync(siblings)
    ? readdirSync(siblings)
        .filter(name => name.startsWith('node-'))
        .map(name => join(siblings, name))
    : [];
  const places = [prefix, ...inPackages, '/usr', '/usr/local'];
  return places.find(place => areHeadersOf(join(place, 'include/node'), version));
}

/**
 * Should an addon have to be compiled, node-gyp takes headers that are here instead of fetching them.
 * @param {string} npmVersion
 * @returns {Record<string, string>}
 */
export function headersEnvironment(
  npmVersion,
  headers = findHeaders(process.execPath, process.version),
) {
  if (headers === undefined) return {};
  // npm 11 and newer complain of a setting that is not npm's own; the node-gyp of older ones knows no other.
  const isOld = Number(npmVersion.split('.')[0]) < 11;
  return { [isOld ? 'npm_config_nodedir' : 'npm_package_config_node_gyp_nodedir']: headers };
}

const LOADS = "new (require('better-sqlite3'))(':memory:').close()";

/** @param {string} root */
function addonLoads(root) {
  const cwd = join(root, 'packages/collector');
  return run([process.execPath, '-e', LOADS], { cwd, what: 'loading', show: 'nothing' });
}

/**
 * Sees that better-sqlite3's native part loads, and builds it when it does not:
 * under `ignore-scripts=true`, and with npm 12 where the project's `allowScripts`
 * is not heard, its install script is passed over in silence.
 * @param {string} root
 * @param {(line: string) => void} say
 */
export async function ensureAddon(root, say) {
  if ((await addonLoads(root)).ok) return;
  say(
    "better-sqlite3's native part does not load: npm rebuild --ignore-scripts=false better-sqlite3",
  );
  await runNpm(['rebuild', '--ignore-scripts=false', 'better-sqlite3'], root, 'building');
  const { ok, tail } = await addonLoads(root);
  if (!ok)
    throw new SetupError(
      `better-sqlite3 does not load in Node ${process.version}:\n${tail.trim()}\n` +
        'Its binary could be neither fetched nor compiled. To compile it: a C++ compiler, make and Python 3\n' +
        '(Debian: apt-get install build-essential python3), then type the same command again.',
    );
}
