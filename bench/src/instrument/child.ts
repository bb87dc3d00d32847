// Processes of a bench: one that is forked from a built file beside this one
// and answers over its channel.

import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Forks `name`.js beside this file. */
export const start = (name: string, args: readonly string[] = []): ChildProcess =>
  fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), args, {
    execArgv: ['--expose-gc'],
  });

/** The next message of a child. @throws when it ends before it said anything. */
export function nextMessage(child: ChildProcess): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void =>
      reject(new Error(`a process of the bench ended with code ${code ?? '?'} before its answer`));
    child.once('exit', ended);
    child.once('message', message => {
      child.off('exit', ended);
      resolve(message as Record<string, unknown>);
    });
  });
}

export interface StubServer {
  readonly url: string;
  stop(): void;
}

export async function startStubServer(): Promise<StubServer> {
  const child = start('stub-server');
  const { url } = await nextMessage(child);
  return { url: String(url), stop: () => void child.send('stop') };
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
