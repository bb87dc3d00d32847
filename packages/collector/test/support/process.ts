// The real command as a process of its own, in a folder of its own.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../bin/framescope.js', import.meta.url));
const READY = /^Framescope is ready on (http:\/\/\S+)$/m;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class CollectorProcess {
  readonly #child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [COMMAND, ...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  /** The URL of the one line that says that it is ready. */
  async ready(): Promise<string> {
    for (;;) {
      const url = READY.exec(this.stdout)?.[1];
      if (url !== undefined) return url;
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.stderr}`);
      await Promise.race([once(this.#child.stdout!, 'data'), once(this.#child, 'exit')]);
    }
  }

  async finished(): Promise<Finished> {
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await once(this.#child, 'close');
    return { code: this.#child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  kill(signal: NodeJS.Signals): Promise<Finished> {
    this.#child.kill(signal);
    return this.finished();
  }
}

export const runCommand = (...args: readonly string[]): Promise<Finished> =>
  new CollectorProcess(args).finished();
