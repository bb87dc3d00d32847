// The processes of the suite: a collector in a folder of its own, the load
// generator, the bare inserts.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LoadOptions, LoadResult } from './load.ts';

const COMMAND = fileURLToPath(
  new URL('../../../packages/collector/bin/framescope.js', import.meta.url),
);
const READY = /^Framescope is ready on (http:\/\/\S+)$/m;

const run = promisify(execFile);

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export class BenchCollector {
  readonly #folder: string;
  readonly #child: ChildProcess;
  #log = '';
  url = '';

  /** `folder`: data to start on; absent: an empty one. Removed by `remove` either way. */
  constructor(args: readonly string[] = [], folder?: string) {
    this.#folder = folder ?? mkdtempSync(join(tmpdir(), 'framescope-bench-'));
    this.#child = spawn(
      process.execPath,
      [COMMAND, 'serve', '--port', '0', '--grpc-port', 'off', '--data', this.#folder, ...args],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
  }

  async ready(): Promise<this> {
    let text = '';
    for await (const chunk of this.#child.stdout!) {
      text += String(chunk);
      const url = READY.exec(text)?.[1];
      if (url === undefined) continue;
      this.url = url;
      return this;
    }
    throw new Error(`the collector ended: ${this.#log}`);
  }

  /** One number of /metrics; labels as part of the name. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const line = text.split('\n').find(one => one.startsWith(`${name} `));
    return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
  }

  async get(path: string): Promise<unknown> {
    const response = await fetch(this.url + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** Resident memory, MB, as the kernel counts it. */
  residentMb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  }

  /** CPU used so far by all its threads, s. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Asks it to stop, and waits; answers the bytes of its folder then. */
  async stop(): Promise<number> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
    return folderBytes(this.#folder);
  }

  remove(): void {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

export async function load(options: LoadOptions): Promise<LoadResult> {
  const { stdout } = await run(process.execPath, [here('load.js'), JSON.stringify(options)]);
  return JSON.parse(stdout) as LoadResult;
}

export async function bareInsertsASecond(): Promise<number> {
  const { stdout } = await run(process.execPath, [here('bare-inserts.js')]);
  return (JSON.parse(stdout) as { rowsASecond: number }).rowsASecond;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
