// Says which stage of the set-up is to be done.
//
// A stage has inputs (files, and facts such as the Node ABI) and outputs. It is
// done when the stamp holds the hash of its inputs and its outputs exist. The
// stage's stamp is taken away before it runs and written when it has run: a
// set-up that was interrupted anywhere is resumed, never believed.
//
//   .framescope/setup.json   { "install": "9f2c…", "compile": "01ab…", "viewer": "77de…" }

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Made by a stage or by a test, never an input of one. */
const NOT_INPUT = new Set(['node_modules', 'out', 'dist', 'coverage', '.git']);

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {string[]} inputs files and folders, relative to the root; a missing one is an input too
 * @property {string[]} facts what else it depends on
 * @property {string[]} outputs files that exist once it is done
 */

/**
 * Every file under `path`, in a fixed order.
 * @param {string} path
 * @returns {string[]}
 */
function filesUnder(path) {
  const entries = readdirSync(path, { withFileTypes: true });
  return entries
    .filter(entry => !NOT_INPUT.has(entry.name) && !entry.name.endsWith('.tsbuildinfo'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry =>
      entry.isDirectory() ? filesUnder(join(path, entry.name)) : [join(path, entry.name)],
    );
}

/**
 * The files a stage reads.
 * @param {string} root
 * @param {string} input
 */
function inputFiles(root, input) {
  const path = join(root, input);
  if (!existsSync(path)) return [];
  try {
    return filesUnder(path);
  } catch {
    return [path];
  }
}

/**
 * Hash of names and contents: a touched file is not a changed one.
 * @param {string} root
 * @param {Stage} stage
 */
export function hashOf(root, stage) {
  const hash = createHash('sha256').update(JSON.stringify(stage.facts));
  for (const input of stage.inputs) {
    for (const path of inputFiles(root, input)) {
      const bytes = readFileSync(path);
      hash.update(`\n${relative(root, path)} ${bytes.length}\n`).update(bytes);
    }
  }
  return hash.digest('hex');
}

/** @param {string} root */
const stampPath = root => join(root, '.framescope', 'setup.json');

/**
 * @param {string} root
 * @returns {Record<string, string>}
 */
function readStamps(root) {
  try {
    return JSON.parse(readFileSync(stampPath(root), 'utf8'));
  } catch {
    // None yet, or cut off while it was written: everything is to be done.
    return {};
  }
}

/**
 * @param {string} root
 * @param {Record<string, string>} stamps
 */
function writeStamps(root, stamps) {
  const path = stampPath(root);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(stamps, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/**
 * Why a stage is to be done, in words for the user; undefined when it is not.
 * @param {string} root
 * @param {Stage} stage
 * @returns {string | undefined}
 */
export function reasonFor(root, stage) {
  const stamp = readStamps(root)[stage.name];
  if (stamp === undefined) return 'not done yet';
  const missing = stage.outputs.find(path => !existsSync(join(root, path)));
  if (missing !== undefined) return `${missing} is missing`;
  return stamp === hashOf(root, stage) ? undefined : 'something changed';
}

/**
 * Forgets a stage before it runs.
 * @param {string} root
 * @param {string} name
 */
export function takeStampAway(root, name) {
  const { [name]: taken, ...rest } = readStamps(root);
  if (taken !== undefined) writeStamps(root, rest);
}

/**
 * Remembers a stage that has run. `hash` is of the inputs as they were before it
 * ran: a file edited meanwhile makes it run again.
 * @param {string} root
 * @param {string} name
 * @param {string} hash
 */
export function putStamp(root, name, hash) {
  writeStamps(root, { ...readStamps(root), [name]: hash });
}
