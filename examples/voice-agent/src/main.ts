// The launcher: starts the four processes back to front, so that each knows
// where the next one is, and stops them front to back. If it dies, even by
// kill -9, their channel to it closes and they end by themselves.

import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { argumentsFor, readOptions, type Options, type Program } from './common/options.ts';
import { tell } from './common/process.ts';

/** What the client gets to hang up before the others are told to stop. */
const HANG_UP_MS = 500;
/** A child that has not ended so long after it was told to is killed: last telemetry may take 5 s. */
const STOP_LIMIT_MS = 12_000;
const START_LIMIT_MS = 20_000;

interface Child {
  readonly program: Program;
  readonly process: ChildProcess;
  readonly url: string;
  readonly exited: Promise<void>;
}

class Launcher {
  readonly #options: Options;
  readonly #children: Child[] = [];
  #isStopping = false;

  constructor(options: Options) {
    this.#options = options;
  }

  async run(): Promise<void> {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void this.stop());
    const models = await this.#start('models', this.#options);
    const agent = await this.#start('agent', { ...this.#options, models: models.url });
    const edge = await this.#start('edge', { ...this.#options, agent: agent.url });
    const client = await this.#start('client', { ...this.#options, edge: edge.url });
    if (!this.#isStopping) {
      const pids = [client, edge, agent, models].map(
        it => `${it.program} ${it.process.pid ?? '?'}`,
      );
      process.stdout.write(`Voice agent is running: ${pids.join(', ')}\n`);
    }
    await client.exited;
    process.exitCode = client.process.exitCode ?? 1;
    await this.stop();
  }

  /** Client first: calls are hung up before what they hang on goes away. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const [client, ...servers] = this.#children.toReversed();
    if (client === undefined) return;
    const clientStopped = stopChild(client);
    // It may still be handing over its last telemetry; nobody has to wait for that.
    await Promise.race([clientStopped, pause(HANG_UP_MS, undefined, { ref: false })]);
    await Promise.all([clientStopped, ...servers.map(stopChild)]);
  }

  async #start(program: Program, options: Options): Promise<Child> {
    if (this.#isStopping) throw new Error('stopped while starting');
    const script = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
    const child = fork(script, argumentsFor(program, options), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
    const started = { program, process: child, url: await urlOf(child, program), exited };
    this.#children.push(started);
    void exited.then(() => this.#onExit(started));
    return started;
  }

  /** The call cannot go on with a process missing. */
  #onExit(child: Child): void {
    if (this.#isStopping || child.program === 'client') return;
    process.stderr.write(`${child.program} ended with code ${child.process.exitCode ?? '?'}\n`);
    void this.stop();
  }
}

/** The address that the child says it serves on. */
function urlOf(child: ChildProcess, program: Program): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${program} was not ready after ${START_LIMIT_MS / 1000} s`));
    }, START_LIMIT_MS);
    child.once('message', message => {
      clearTimeout(timer);
      const isReady = typeof message === 'object' && message !== null && 'ready' in message;
      resolve(isReady ? String(message.ready) : '');
    });
    child.once('exit', code => {
      clearTimeout(timer);
      reject(new Error(`${program} ended with code ${code ?? '?'} before it was ready`));
    });
  });
}

async function stopChild(child: Child): Promise<void> {
  const timer = setTimeout(() => child.process.kill('SIGKILL'), STOP_LIMIT_MS);
  if (child.process.connected) child.process.send('stop', () => undefined);
  await child.exited;
  clearTimeout(timer);
}

async function main(): Promise<void> {
  const options = readOptions('main', process.argv.slice(2));
  if (options === undefined) return;
  const launcher = new Launcher(options);
  try {
    await launcher.run();
  } catch (error) {
    await launcher.stop();
    throw error;
  }
}

main().catch(tell);
