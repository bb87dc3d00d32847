// The end of .ci/run tells the truth.

import { expect, test } from 'vitest';
import { again, merged } from '../.ci/again.mjs';
import { countChecks, countTests, failures, honest, optional } from '../.ci/summary.mjs';

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

const file = (name: string, status: string, tests: readonly string[] = [status]): object => ({
  name,
  status,
  message: '',
  assertionResults: tests.map((one, i) => ({
    status: one,
    fullName: `test ${i}`,
    failureMessages: one === 'failed' ? ['expected 2 to be 1\n    at line 3'] : [],
  })),
});

test('what failed is named, with its reason', () => {
  const red = { testResults: [file('/repo/a.e2e.test.ts', 'failed', ['passed', 'failed'])] };
  expect(failures(red).join('\n')).toMatch(/a\.e2e\.test\.ts › test 1\n.*expected 2 to be 1/);
  expect(failures({ testResults: [file('/repo/a.test.ts', 'passed')] })).toEqual([]);
  const broken = { name: '/repo/b.test.ts', status: 'failed', message: 'no such module' };
  expect(failures({ testResults: [{ ...broken, assertionResults: [] }] }).join()).toContain(
    'no such module',
  );
});

test('a few red files of real time are run once more, never a unit test, never many', () => {
  const red = (...names: string[]): string[] =>
    again({ testResults: names.map(name => file(name, 'failed')) });
  expect(red('a.e2e.test.ts', 'b.interop.ts')).toEqual(['a.e2e.test.ts', 'b.interop.ts']);
  expect(red('a.e2e.test.ts', 'b.test.ts')).toEqual([]);
  expect(red('a.e2e.test.ts', 'b.e2e.test.ts', 'c.e2e.test.ts', 'd.e2e.test.ts')).toEqual([]);
  expect(again({ testResults: [file('a.e2e.test.ts', 'passed')] })).toEqual([]);
  expect(again(undefined)).toEqual([]);
});

test('the second attempt counts in place of the first, which stays to be seen', () => {
  const first = {
    ...report(1, 1),
    testResults: [file('a.e2e.test.ts', 'failed'), file('b.test.ts', 'passed')],
  };
  const green = merged(first, { testResults: [file('a.e2e.test.ts', 'passed')] });
  expect(countTests(green)).toEqual({ passed: 2, failed: 0 });
  expect(failures({ testResults: green.again })).not.toEqual([]);
  const still = merged(first, { testResults: [file('a.e2e.test.ts', 'failed')] });
  expect(countTests(still)).toEqual({ passed: 1, failed: 1 });
  const skipped = merged(first, { testResults: [file('a.e2e.test.ts', 'passed', ['pending'])] });
  expect(countTests(skipped)).toEqual({ passed: 1, failed: 1 });
});
