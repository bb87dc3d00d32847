// A program of ours as a process of its own, with what it printed kept for the failure message.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);

/** Where something of the repository is on this disk. */
export const inRepository = (path: string): string => fileURLToPath(new URL(path, ROOT));

export interface Child {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  output(): string;
  /** Resolves with the match as soon as the output has one. */
  sees(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Sends a signal, SIGTERM if none is named, and waits until it is gone; its exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Runs a built script with Node. */
export function runNode(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Child {
  const child = spawn(process.execPath, [inRepository(script), ...args], {
    env: { ...process.env, ...environment },
  });
  let output = '';
  let heard = (): void => undefined;
  const keep = (bytes: Buffer): void => {
    output += bytes.toString();
    heard();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = once(child, 'exit');
  const sees = (pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const fail = (why: string): void =>
        reject(new Error(`${script} ${why} before it printed ${String(pattern)}:\n${output}`));
      const timer = setTimeout(() => fail(`ran ${timeoutMs} ms`), timeoutMs);
      void exited.then(() => fail('ended'));
      heard = () => {
        const match = pattern.exec(output);
        if (match === null) return;
        clearTimeout(timer);
        resolve(match);
      };
      heard();
    });
  return {
    process: child,
    exited,
    output: () => output,
    sees,
    end: async (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}

const READY = /Framescope is ready on (http:\/\/[\d.]+:(\d+))/;

export interface CollectorPlace {
  readonly data: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/** The collector as users start it; it may not be ready yet. */
export const spawnCollector = ({ data, port }: CollectorPlace): Child =>
  runNode('packages/collector/bin/framescope.js', [
    'serve',
    '--port',
    String(port),
    '--data',
    data,
  ]);

/** Waits until it says that it is ready: where it is. */
export async function whenReady(collector: Child): Promise<{ url: string; port: number }> {
  const match = await collector.sees(READY);
  return { url: match[1]!, port: Number(match[2]) };
}
