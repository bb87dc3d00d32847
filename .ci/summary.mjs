// The end of .ci/run: what failed, by name, then the counts, both from the files that tests and checks leave.
//
// A command that failed without a failed test in its file (lint, a crash, a
// limit of time) counts as one failure: the sum never hides a red exit code.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * @typedef {object} Count
 * @property {number} passed
 * @property {number} failed
 */

/** @param {string} name */
function read(name) {
  try {
    return JSON.parse(readFileSync(new URL(`../.framescope/${name}`, import.meta.url), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * vitest's JSON report: tests, and files that broke before their first test.
 * @param {any} report
 * @returns {Count}
 */
export function countTests(report) {
  if (report === undefined) return { passed: 0, failed: 0 };
  const broken = report.testResults.filter(
    (/** @type {any} */ file) =>
      file.status === 'failed' &&
      file.assertionResults.every((/** @type {any} */ one) => one.status !== 'failed'),
  );
  // A skipped test is a failed one here: nothing may be passed over.
  const skipped = report.numPendingTests + (report.numTodoTests ?? 0);
  return { passed: report.numPassedTests, failed: report.numFailedTests + skipped + broken.length };
}

/**
 * @param {{ ok: boolean }[] | undefined} results
 * @returns {Count}
 */
export function countChecks(results = []) {
  const passed = results.filter(one => one.ok).length;
  return { passed, failed: results.length - passed };
}

/**
 * @param {Count} count
 * @param {number} exitCode of the command that was counted
 * @returns {Count}
 */
export function honest(count, exitCode) {
  const isHidden = count.failed === 0 && (exitCode !== 0 || count.passed === 0);
  return isHidden ? { ...count, failed: 1 } : count;
}

/**
 * A command that may be left out where it cannot run: then it leaves no report, and says 0.
 * @param {any} report
 * @param {number} exitCode
 * @returns {Count}
 */
export function optional(report, exitCode) {
  const isLeftOut = report === undefined && exitCode === 0;
  return isLeftOut ? { passed: 0, failed: 0 } : honest(countTests(report), exitCode);
}

/**
 * What failed in a report, a line a test and one of its reason.
 * @param {any} report
 * @returns {string[]}
 */
export function failures(report) {
  /** @type {any[]} */
  const files = report?.testResults ?? [];
  return files.flatMap(file => {
    /** @type {any[]} */
    const red = file.assertionResults.filter((/** @type {any} */ one) => one.status !== 'passed');
    if (red.length === 0 && file.status === 'failed') return told(file.name, '', [file.message]);
    return red.flatMap(one => told(file.name, one.fullName, one.failureMessages));
  });
}

/**
 * @param {string} file
 * @param {string} test
 * @param {string[]} messages
 */
function told(file, test, messages) {
  const reason = (messages?.[0] ?? 'not run').split('\n').slice(0, 6).join('\n    ');
  return [`  ${file.replace(ROOT, '')} › ${test}`, `    ${reason}`];
}

/** @param {string} head @param {string[]} lines */
function list(head, lines) {
  if (lines.length > 0) console.log(`\n${head}\n${lines.join('\n')}`);
}

function main() {
  const [testsExit, checksExit, interopExit, clickhouseExit] = process.argv.slice(2).map(Number);
  const reports = ['test-results.json', 'interop-results.json', 'clickhouse-results.json'].map(
    read,
  );
  /** @type {{ name: string, ok: boolean }[] | undefined} */
  const checkResults = read('check-results.json');
  const tests = honest(countTests(reports[0]), testsExit ?? 1);
  const checks = honest(countChecks(checkResults), checksExit ?? 1);
  const interop = optional(reports[1], interopExit ?? 1);
  const clickhouse = optional(reports[2], clickhouseExit ?? 1);
  list(
    'Red at first, run once more:',
    reports.flatMap(one => failures({ testResults: one?.again })),
  );
  list('Failed:', [
    ...(checkResults ?? []).filter(one => !one.ok).map(one => `  check: ${one.name}`),
    ...reports.flatMap(failures),
  ]);
  const all = [tests, checks, interop, clickhouse];
  const failed = all.reduce((sum, one) => sum + one.failed, 0);
  console.log(`${all.reduce((sum, one) => sum + one.passed, 0)} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
