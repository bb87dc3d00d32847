// Collectors of ours on one ClickHouse, as processes that can be killed and started again.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { CollectorProcess } from '../../packages/collector/test/support/process.ts';

interface Member {
  readonly folder: string;
  process: CollectorProcess;
  /** Undefined while it is down or starting. */
  url: string | undefined;
}

export class Fleet {
  readonly #members: Member[] = [];
  readonly #storeUrl: string;
  readonly #flags: readonly string[];
  killCount = 0;

  private constructor(storeUrl: string, flags: readonly string[]) {
    this.#storeUrl = storeUrl;
    this.#flags = flags;
  }

  /** Gone when the test is. */
  static async start(
    storeUrl: string,
    count: number,
    flags: readonly string[] = [],
  ): Promise<Fleet> {
    const fleet = await Fleet.open(storeUrl, count, flags);
    onTestFinished(() => fleet.stop());
    return fleet;
  }

  /** Until it is stopped. */
  static async open(
    storeUrl: string,
    count: number,
    flags: readonly string[] = [],
  ): Promise<Fleet> {
    const fleet = new Fleet(storeUrl, flags);
    for (let i = 0; i < count; i++) {
      const folder = mkdtempSync(join(tmpdir(), 'framescope-fleet-'));
      const process = fleet.#spawn(folder);
      fleet.#members.push({ folder, process, url: await process.ready() });
    }
    return fleet;
  }

  #spawn(folder: string): CollectorProcess {
    const flags = ['--port', '0', '--grpc-port', 'off', '--data', folder];
    return new CollectorProcess([...flags, '--store', this.#storeUrl, ...this.#flags]);
  }

  /** URLs of those that are up. */
  get urls(): string[] {
    return this.#members.flatMap(one => one.url ?? []);
  }

  /** `kill -9`, and a new start; answers when it is ready again. */
  async killOne(index: number): Promise<void> {
    const member = this.#members[index % this.#members.length]!;
    member.url = undefined;
    await member.process.kill('SIGKILL');
    this.killCount++;
    member.process = this.#spawn(member.folder);
    member.url = await member.process.ready();
  }

  /** `kill -9`, for good. */
  async stopOne(index: number): Promise<void> {
    const [member] = this.#members.splice(index, 1);
    member!.url = undefined;
    await member!.process.kill('SIGKILL');
    rmSync(member!.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async stop(): Promise<void> {
    for (const { process, folder } of this.#members) {
      await process.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}
