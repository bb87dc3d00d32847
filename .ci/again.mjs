// A second attempt for the few tests that real time, processes or programs made red.
//
//   node .ci/again.mjs REPORT EXIT COMMAND…    REPORT: name of vitest's JSON report in .framescope
//                                              EXIT: exit code of the run that left it
//
// Tests with processes, sockets, pages and foreign programs run on machines that do other work too. One of
// them that fails there is run once more, its file alone and to the same limits: what fails twice is red. At
// most three files, never a unit test. What was red at first stays in the report (`again`) and is printed
// by the summary: a test that is seen there often is a bug. Exits with what the run is now worth.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MOST_FILES = 3;
const REAL_TIME = /\.(e2e\.test|interop|clickhouse)\.ts$/;

/**
 * The files to run once more.
 * @param {any} report vitest's, or undefined where none was left
 * @returns {string[]} empty: all green, or too much is red for bad luck
 */
export function again(report) {
  /** @type {any[]} */
  const files = report?.testResults ?? [];
  const red = files.filter(file => file.status === 'failed').map(file => file.name);
  const isBadLuck = red.length <= MOST_FILES && red.every(name => REAL_TIME.test(name));
  return isBadLuck ? red : [];
}

/**
 * The first report with the files of the second in place of its own.
 * @param {any} first
 * @param {any} second
 * @returns {any} with `again`: the files of the first that were red
 */
export function merged(first, second) {
  /** @param {any} file */
  const newer = file => second.testResults.find((/** @type {any} */ one) => one.name === file.name);
  const testResults = first.testResults.map((/** @type {any} */ file) => newer(file) ?? file);
  const tests = testResults.flatMap((/** @type {any} */ file) => file.assertionResults);
  /** @param {string} status */
  const count = status => tests.filter((/** @type {any} */ test) => test.status === status).length;
  return {
    ...first,
    testResults,
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: tests.length - count('passed') - count('failed'),
    numTodoTests: 0,
    again: first.testResults.filter(newer),
  };
}

/** @param {string} name */
const at = name => fileURLToPath(new URL(`../.framescope/${name}`, import.meta.url));

/** @param {string} path */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function main() {
  const [name = '', exit = '1', command = '', ...args] = process.argv.slice(2);
  const first = read(at(name));
  const files = again(first);
  if (files.length === 0) return Number(exit);
  console.log(`\nRed, and run once more, alone:\n${files.map(file => `  ${file}\n`).join('')}`);
  const { status } = spawnSync(command, [...args, ...files], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const second = read(at(name));
  // A second run that broke before its report leaves the first as it was.
  const hasRun = second !== undefined && second.startTime !== first.startTime;
  writeFileSync(at(name), JSON.stringify(hasRun ? merged(first, second) : first));
  return status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
