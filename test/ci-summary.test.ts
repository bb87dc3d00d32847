// The last line of .ci/run tells the truth.

import { expect, test } from 'vitest';
import { countChecks, countTests, honest, optional } from '../.ci/summary.mjs';

const report = (
  numPassedTests: number,
  numFailedTests: number,
  files: readonly string[] = [],
): object => ({
  numPassedTests,
  numFailedTests,
  numPendingTests: 0,
  testResults: files.map(status => ({ status, assertionResults: [] })),
});

test('passed and failed tests are counted', () => {
  expect(countTests(report(7, 2))).toEqual({ passed: 7, failed: 2 });
});

test('a file that breaks before its first test is a failure', () => {
  expect(countTests(report(7, 0, ['passed', 'failed']))).toEqual({ passed: 7, failed: 1 });
});

test('a skipped test is a failure', () => {
  expect(countTests({ ...report(7, 0), numPendingTests: 1 })).toEqual({ passed: 7, failed: 1 });
});

test('what was left out counts nothing; what broke before its report, or failed, counts', () => {
  expect(optional(undefined, 0)).toEqual({ passed: 0, failed: 0 });
  expect(optional(undefined, 1)).toEqual({ passed: 0, failed: 1 });
  expect(optional(report(7, 2), 1)).toEqual({ passed: 7, failed: 2 });
});

test('a check that fails is counted', () => {
  expect(countChecks([{ ok: true }, { ok: false }])).toEqual({ passed: 1, failed: 1 });
});

test.each([
  ['a red exit code without a failed test', { passed: 7, failed: 0 }, 1, 1],
  ['a run that counted nothing', { passed: 0, failed: 0 }, 0, 1],
  ['a red exit code with its failures', { passed: 7, failed: 3 }, 1, 3],
  ['a green run', { passed: 7, failed: 0 }, 0, 0],
])('%s', (_what, count, exitCode, failed) => {
  expect(honest(count, exitCode).failed).toBe(failed);
});
