// The launcher: starts the processes (four, or more with relays and regions) back to front, so that each knows
// where the next one is, and stops them front to back. If it dies, even by
// kill -9, their channel to it closes and they end by themselves.

import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { coldLine } from './common/cold-line.ts';
import { farLine, type FarLine } from './common/far-line.ts';
import {
  argumentsFor,
  durationMs,
  readOptions,
  type Options,
  type Program,
} from './common/options.ts';
import { tell } from './common/process.ts';

/** What the client gets to hang up before the others are told to stop. */
const HANG_UP_MS = 500;
/** A child that has not ended so long after it was told to is killed: last telemetry may take 5 s. */
const STOP_LIMIT_MS = 12_000;
const START_LIMIT_MS = 20_000;

/** Requests the language model works on at a time when a spike is to be seen. */
const SPIKE_SLOTS = 4;

interface Child {
  readonly program: Program;
  /** As it is told: the program, with region and number where there are several. */
  readonly name: string;
  readonly process: ChildProcess;
  readonly url: string;
  readonly exited: Promise<void>;
  /** It is to be killed. */
  isDoomed: boolean;
}

class Launcher {
  readonly #options: Options;
  readonly #children: Child[] = [];
  readonly #lines: FarLine[] = [];
  readonly #kill = new AbortController();
  #isStopping = false;

  constructor(options: Options) {
    const slots = options.spike && options.slots === 0 ? SPIKE_SLOTS : options.slots;
    this.#options = { ...options, slots };
  }

  async run(): Promise<void> {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void this.stop());
    const regions = this.#options.regions.split(',');
    const modelsIn = await this.#startModels(regions);
    const clients: Child[] = [];
    const ends: (() => Promise<Child>)[] = [];
    for (const [at, region] of regions.entries()) {
      const models = modelsIn.get(region) ?? (await this.#farModels(modelsIn, regions));
      const agent = await this.#agentIn(region, models);
      const edges: string[] = [];
      for (let relay = 1; relay <= this.#options.relays; relay += 1)
        edges.push((await this.#start('edge', region, { agent }, relay)).url);
      const calls = share(this.#options.calls, at, regions.length);
      ends.push(() => this.#start('client', region, { edge: edges.join(','), calls }));
    }
    for (const start of ends) clients.push(await start());
    if (!this.#isStopping) this.#announce();
    this.#killLater();
    await Promise.all(clients.map(client => client.exited));
    process.exitCode = Math.max(...clients.map(client => client.process.exitCode ?? 1));
    await this.stop();
  }

  /** Clients first: calls are hung up before what they hang on goes away. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#kill.abort();
    const clients = this.#children.filter(child => child.program === 'client');
    const servers = this.#children.filter(child => child.program !== 'client').toReversed();
    const clientsStopped = Promise.all(clients.map(stopChild));
    // They may still be handing over their last telemetry; nobody has to wait for that.
    if (clients.length > 0)
      await Promise.race([clientsStopped, pause(HANG_UP_MS, undefined, { ref: false })]);
    await Promise.all([clientsStopped, ...servers.map(stopChild)]);
    for (const line of this.#lines) line.close();
  }

  /** Models in each region, or in the last one only. */
  async #startModels(regions: readonly string[]): Promise<Map<string, string>> {
    const where = this.#options['far-model'] ? regions.slice(-1) : regions;
    const urls = new Map<string, string>();
    for (const region of where) urls.set(region, (await this.#start('models', region, {})).url);
    return urls;
  }

  /** Its address; with --cold-start there is none yet, and the first call waits for it. */
  async #agentIn(region: string, models: string): Promise<string> {
    const start = async (): Promise<string> => (await this.#start('agent', region, { models })).url;
    if (!this.#options['cold-start']) return start();
    const line = await coldLine(start);
    this.#lines.push(line);
    return line.url;
  }

  async #farModels(
    models: ReadonlyMap<string, string>,
    regions: readonly string[],
  ): Promise<string> {
    const line = await farLine(models.get(regions.at(-1) ?? '') ?? '', this.#options['far-ms']);
    this.#lines.push(line);
    return line.url;
  }

  #announce(): void {
    const pids = this.#children
      .toReversed()
      .map(({ name, process: { pid } }) => `${name} ${pid ?? '?'}`);
    process.stdout.write(`Voice agent is running: ${pids.join(', ')}\n`);
  }

  /** As a machine dies: without a word to anybody. */
  #killLater(): void {
    const after = this.#options['kill-relay'];
    const relay = this.#children.find(child => child.program === 'edge');
    if (after === '' || relay === undefined) return;
    const options = { ref: false, signal: this.#kill.signal };
    pause(durationMs(after), undefined, options).then(
      () => {
        relay.isDoomed = true;
        relay.process.kill('SIGKILL');
        process.stdout.write(`${relay.name} is killed\n`);
      },
      () => undefined,
    );
  }

  async #start(program: Program, region: string, more: Partial<Options>, nth = 1): Promise<Child> {
    if (this.#isStopping) throw new Error('stopped while starting');
    const isAlone = region === '' && this.#options.relays === 1;
    const name = [program, region, program === 'edge' && this.#options.relays > 1 ? nth : '']
      .filter(part => part !== '')
      .join('-');
    const options = { ...this.#options, ...more, region, instance: isAlone ? '' : name };
    const script = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
    const child = fork(script, argumentsFor(program, options), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
    const url = await urlOf(child, program);
    const started: Child = { program, name, process: child, url, exited, isDoomed: false };
    this.#children.push(started);
    void exited.then(() => this.#onExit(started));
    return started;
  }

  /** The call cannot go on with a process missing, unless it was to be. */
  #onExit(child: Child): void {
    if (this.#isStopping || child.isDoomed || child.program === 'client') return;
    process.stderr.write(`${child.name} ended with code ${child.process.exitCode ?? '?'}\n`);
    void this.stop();
  }
}

/** Of `all` things, what falls to the place `at` of `places`; one at least. */
const share = (all: number, at: number, places: number): number =>
  Math.max(1, Math.floor(all / places) + (at < all % places ? 1 : 0));

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
