// A ClickHouse for a test: the one that CLICKHOUSE_URL names, else the engine in process behind a front
// (packages/testkit/src/clickhouse-front.ts) in a process of its own.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  parseClickHouseUrl,
  type ClickHouseSettings,
} from '../../packages/collector/src/store/clickhouse/settings.ts';
import { CHDB } from './install.mjs';

const FRONT = fileURLToPath(
  new URL('../../packages/testkit/out/clickhouse-front.js', import.meta.url),
);

export class ClickHouse {
  /** `clickhouse://host:port`, without a database. */
  readonly url: string;
  readonly #front: ChildProcess | undefined;
  readonly #folder: string | undefined;
  #databases = 0;

  private constructor(url: string, front?: ChildProcess, folder?: string) {
    this.url = url;
    this.#front = front;
    this.#folder = folder;
  }

  static async start(): Promise<ClickHouse> {
    const given = process.env['CLICKHOUSE_URL'];
    if (given !== undefined && given !== '') return new ClickHouse(given.replace(/\/$/, ''));
    const folder = mkdtempSync(join(tmpdir(), 'framescope-clickhouse-'));
    const front = spawn(process.execPath, [FRONT, '--chdb', CHDB, '--data', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(front.stdout!);
    const ended = once(front, 'exit').then(() => {
      throw new Error('the front of ClickHouse ended');
    });
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
    ended.catch(() => undefined);
    return new ClickHouse(line.replace('http:', 'clickhouse:'), front, folder);
  }

  /** True when it is the engine in process: faults can be told to it. */
  get isFront(): boolean {
    return this.#front !== undefined;
  }

  /** `--store` of a database that nobody used before. */
  storeUrl(options = ''): string {
    const name = `framescope_test_${process.pid}_${Date.now().toString(36)}_${this.#databases++}`;
    return `${this.url}/${name}${options}`;
  }

  /** How the next answers go wrong; `{}`: not at all. */
  async faults(faults: Record<string, number>): Promise<void> {
    const url = this.url.replace('clickhouse:', 'http:');
    await fetch(`${url}/test/faults`, { method: 'POST', body: JSON.stringify(faults) });
  }

  async stop(): Promise<void> {
    if (this.#front !== undefined && this.#front.exitCode === null) {
      this.#front.kill('SIGKILL');
      await once(this.#front, 'exit');
    }
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}

export function settingsOf(storeUrl: string): ClickHouseSettings {
  const settings = parseClickHouseUrl(storeUrl);
  if (!settings.ok) throw new Error(settings.problem);
  return settings.value;
}
