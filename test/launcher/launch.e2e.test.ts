// The launcher as the parent of real processes: small scripts stand where the
// collector, the simulated day and the call stand.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryTree } from '../temporary-tree.ts';

const LAUNCH = fileURLToPath(new URL('../../scripts/launch/launch.mjs', import.meta.url));

/** Ends at the first signal and says so; a second one would end it at once, unsaid. */
const STAYS = `process.once('SIGINT', () => { console.log(name + ' stopped'); clearInterval(alive); });
const alive = setInterval(() => {}, 1000);`;
const SCRIPTS = {
  'collector.mjs': `const name = 'collector'; ${STAYS}
console.log('collector pid ' + process.pid + ' args ' + process.argv.slice(2).join(' '));
console.log('Framescope is ready on http://127.0.0.1:40123');`,
  'day.mjs': `console.log('day ' + process.argv.slice(2).join(' '));`,
  'call.mjs': `const name = 'call'; ${STAYS}
console.log('call ' + process.argv.slice(2).join(' '));`,
  'refuses.mjs': `console.error('port 4318 is in use'); process.exitCode = 3;`,
  'stubborn.mjs': `process.on('SIGINT', () => console.log('stubborn heard')); setInterval(() => {}, 1000);
console.log('stubborn runs');`,
};

interface Launched {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  output(): string;
  /** Waits until the output has `text`. */
  sees(text: string | RegExp): Promise<void>;
}

function launched(args: readonly string[], collector = 'collector.mjs'): Launched {
  const { root, write } = temporaryTree(SCRIPTS);
  const programs = {
    collector: join(root, collector),
    day: join(root, 'day.mjs'),
    call: join(root, 'call.mjs'),
  };
  write(
    'launcher.mjs',
    `import { launchPrograms } from ${JSON.stringify(LAUNCH)};
process.exitCode = await launchPrograms(process.argv.slice(2), ${JSON.stringify(programs)});`,
  );
  const child = spawn(process.execPath, [join(root, 'launcher.mjs'), ...args]);
  onTestFinished(() => void child.kill('SIGTERM'));
  let output = '';
  const keep = (bytes: Buffer): void => void (output += bytes.toString());
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return {
    process: child,
    ended: new Promise(resolve => child.on('close', resolve)),
    output: () => output,
    sees: text => expect.poll(() => output, { timeout: 20_000, interval: 20 }).toMatch(text),
  };
}

test('flags reach the collector, and Ctrl-C stops it cleanly', async () => {
  const run = launched(['--port', '0']);
  await run.sees('args serve --port 0');
  run.process.kill('SIGINT');
  expect(await run.ended).toBe(0);
  expect(run.output()).toContain('collector stopped');
});

test('the demo loads the day, then runs the call, each told where the collector is', async () => {
  const run = launched(['--demo', '--port', '0', '--', '--jitter', '80']);
  await run.sees('call --loop --collector http://127.0.0.1:40123 --jitter 80');
  expect(run.output()).toContain('day --url http://127.0.0.1:40123');
  run.process.kill('SIGINT');
  // npm passes on what the terminal has sent already: the children hear it once.
  run.process.kill('SIGINT');
  expect(await run.ended).toBe(0);
  expect(run.output()).toMatch(/collector stopped/);
  expect(run.output()).toMatch(/call stopped/);
});

test('when the collector is killed the call carries on, and how to start the collector is said', async () => {
  const run = launched(['--demo', '--port', '0', '--data', 'd']);
  await run.sees('call --loop');
  process.kill(Number(/collector pid (\d+)/.exec(run.output())?.[1]), 'SIGKILL');
  await run.sees(/The collector ended \(SIGKILL\)/);
  expect(run.output()).toContain('framescope.js serve --data d --port 40123');
  expect(run.process.exitCode).toBeNull();
  run.process.kill('SIGINT');
  expect(await run.ended).toBe(0);
  expect(run.output()).toMatch(/call stopped/);
});

test('a collector that does not come up ends the demo with its exit code', async () => {
  const run = launched(['--demo'], 'refuses.mjs');
  expect(await run.ended).toBe(3);
  expect(run.output()).toContain('port 4318 is in use');
  expect(run.output()).not.toContain('day --url');
});

test('a second Ctrl-C kills what does not listen to the first', async () => {
  const run = launched([], 'stubborn.mjs');
  await run.sees('stubborn runs');
  run.process.kill('SIGINT');
  await run.sees('stubborn heard');
  await new Promise(resolve => setTimeout(resolve, 600));
  run.process.kill('SIGINT');
  expect(await run.ended).toBe(0);
});
