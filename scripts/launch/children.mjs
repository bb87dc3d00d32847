// The processes the launcher is the parent of: started together, stopped together, never restarted.
//
// Each is the leader of a process group of its own. A Ctrl-C in the terminal
// would else reach each of them directly, and once more through npm and
// through us; so it reaches the launcher only, which tells each one once.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { childEnvironment } from '../setup/spawn.mjs';

/** A collector finishes its commits in well under a second; who takes longer is killed. */
const STOP_LIMIT_MS = 8_000;
/** npm passes on the signal that the terminal has sent already: one key press, two signals. */
const SAME_KEY_PRESS_MS = 500;

/**
 * @typedef {object} Ended
 * @property {number | null} code
 * @property {string | null} signal
 */

/** @param {Ended} ended */
export const inWords = ({ code, signal }) => signal ?? `exit code ${code}`;

export class Children {
  /** @type {Set<import('node:child_process').ChildProcess>} */
  #running = new Set();
  #stoppedAtMs = 0;

  /** True once the user asked to stop: ends of children are then no news. */
  get isStopping() {
    return this.#stoppedAtMs > 0;
  }

  /**
   * Starts a Node script; `onLine` hears its stdout, which is shown as well.
   * @param {string[]} args script and arguments
   * @param {(line: string) => void} [onLine]
   * @returns {Promise<Ended>} when it has ended
   */
  start(args, onLine = () => {}) {
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: childEnvironment(),
      detached: process.platform !== 'win32',
    });
    this.#running.add(child);
    createInterface({ input: child.stdout }).on('line', line => {
      console.log(line);
      onLine(line);
    });
    return new Promise(resolve => {
      const end = (/** @type {Ended} */ ended) => {
        this.#running.delete(child);
        resolve(ended);
      };
      child.once('error', error => end({ code: 1, signal: error.message }));
      child.once('close', (code, signal) => end({ code, signal }));
    });
  }

  /**
   * Asks all to end, once; a second key press kills.
   * @param {NodeJS.Signals} signal
   */
  stop(signal) {
    const nowMs = performance.now();
    if (!this.isStopping) {
      this.#stoppedAtMs = nowMs;
      this.#tell(signal);
      setTimeout(() => this.#tell('SIGKILL'), STOP_LIMIT_MS).unref();
    } else if (nowMs - this.#stoppedAtMs > SAME_KEY_PRESS_MS) {
      this.#tell('SIGKILL');
    }
  }

  /** @param {NodeJS.Signals} signal */
  #tell(signal) {
    for (const child of this.#running) tell(child, signal);
  }
}

/**
 * Signals a child; a kill takes its whole group, or grandchildren would stay.
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function tell(child, signal) {
  if (signal !== 'SIGKILL' || child.pid === undefined || process.platform === 'win32') {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}
