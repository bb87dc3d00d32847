// The four processes as a user starts them. Needs a built tree.

import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../out/main.js', import.meta.url));

interface Run {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
}

function launch(...args: string[]): Run {
  // No collector: the call must not care.
  const child = spawn(process.execPath, [MAIN, '--collector=http://127.0.0.1:9', ...args]);
  let output = '';
  const collect = (bytes: Buffer): void => {
    output += bytes.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const exited = new Promise<number | null>(resolve => child.once('close', resolve));
  return { process: child, output: () => output, exited };
}

async function until(condition: () => boolean, limitMs: number): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!condition() && performance.now() < endMs) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

const pidsOf = (output: string): number[] =>
  [...output.matchAll(/(?:client|edge|agent|models) (\d+)/g)].map(match => Number(match[1]));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('--help names every option and starts nothing', async () => {
  const run = launch('--help');
  expect(await run.exited).toBe(0);
  for (const option of ['--calls', '--loop', '--jitter', '--slow-hop', '--barge-in', '--skew-ms']) {
    expect(run.output()).toContain(option);
  }
});

test('a wrong option is told in one line, with exit code 1', async () => {
  const run = launch('--jitter=much');
  expect(await run.exited).toBe(1);
  expect(run.output().trim()).toBe('--jitter must be a number from 0 to 1000000000, not "much"');
});

test('a call of one turn runs through all four processes and is answered', async () => {
  const run = launch('--turns=1', '--duration=25', '--seed=3');
  expect(await run.exited).toBe(0);
  expect(run.output()).toMatch(
    /^Voice agent is running: client \d+, edge \d+, agent \d+, models \d+\n/,
  );
  const [, turns, answers, played] =
    /: (\d+) turns, (\d+) answered · (\d+) frames/.exec(run.output()) ?? [];
  expect([turns, answers]).toEqual(['1', '1']);
  // The greeting and the answer: at least four seconds of the agent's voice.
  expect(Number(played)).toBeGreaterThan(200);
});

test('SIGTERM hangs up and leaves no process behind', async () => {
  const run = launch('--loop', '--calls=2');
  await until(() => run.output().includes('is running'), 20_000);
  const pids = pidsOf(run.output());
  expect(pids.length).toBe(4);
  expect(pids.every(isAlive)).toBe(true);
  run.process.kill('SIGTERM');
  expect(await run.exited).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
});

test('kill -9 of the launcher takes the four processes with it', async () => {
  const run = launch('--loop');
  await until(() => run.output().includes('is running'), 20_000);
  const pids = pidsOf(run.output());
  run.process.kill('SIGKILL');
  await until(() => !pids.some(isAlive), 8_000);
  expect(pids.length).toBe(4);
  expect(pids.filter(isAlive)).toEqual([]);
});
