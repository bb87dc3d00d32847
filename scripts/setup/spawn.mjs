// Runs the tools of the set-up: their output is shown as it comes, and kept for the reason of a failure.

import { spawn } from 'node:child_process';
import { dirname, delimiter } from 'node:path';

/** Enough for npm's last words. */
const TAIL_CHARS = 20_000;
/** A silent minute looks like a hang: something is said this often. */
const HEARTBEAT_MS = 15_000;

/**
 * The environment of children: their `#!/usr/bin/env node` must find the Node that runs now,
 * or an addon is built for another one.
 * @param {Record<string, string>} [more]
 */
export function childEnvironment(more = {}) {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  return { ...process.env, PATH: path, ...more };
}

/**
 * @typedef {object} Ran
 * @property {boolean} ok
 * @property {string} tail the end of what it wrote, both streams
 */

/**
 * Runs a program to its end.
 * @param {string[]} command program and arguments
 * @param {{ cwd: string, env?: Record<string, string>, what: string, show?: 'all' | 'failure' | 'nothing' }} options
 * @returns {Promise<Ran>}
 */
export function run([program, ...args], { cwd, env, what, show = 'all' }) {
  return new Promise(resolve => {
    const startedMs = performance.now();
    const child = spawn(/** @type {string} */ (program), args, {
      cwd,
      env: childEnvironment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const beat = setInterval(() => {
      console.log(`  … still ${what} (${Math.round((performance.now() - startedMs) / 1000)} s)`);
    }, HEARTBEAT_MS);
    let tail = '';
    const keep = (/** @type {Buffer} */ bytes) => {
      if (show === 'all') process.stdout.write(bytes);
      tail = (tail + bytes).slice(-TAIL_CHARS);
    };
    const end = (/** @type {boolean} */ ok) => {
      clearInterval(beat);
      if (!ok && show === 'failure') process.stdout.write(tail);
      resolve({ ok, tail });
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', error => {
      tail += error.message;
      end(false);
    });
    child.on('close', code => end(code === 0));
  });
}
