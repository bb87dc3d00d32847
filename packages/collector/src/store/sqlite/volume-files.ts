// The files of a data folder: which volumes there are, how large, when the next begins.
//
//   data/collector.lock  data/meta.db  data/volumes/000001.db  000002.db  …
//   data/kept/<key>.db  calls that are kept (kept-calls.ts)

import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const VOLUME_NAME = /^(\d{6,12})\.db$/;
const KEPT_NAME = /^([\w-]{1,32})\.db$/;
const DAY_NS = 86_400_000_000_000n;

/** A volume is at most this share of --max-size: what one unlink frees. */
export const VOLUMES_AT_CAP = 16;

export class DataFolder {
  readonly path: string;
  readonly metaPath: string;
  readonly lockPath: string;
  readonly #volumesPath: string;
  readonly #keptPath: string;

  constructor(path: string) {
    this.path = path;
    this.metaPath = join(path, 'meta.db');
    this.lockPath = join(path, 'collector.lock');
    this.#volumesPath = join(path, 'volumes');
    this.#keptPath = join(path, 'kept');
  }

  create(): void {
    mkdirSync(this.#volumesPath, { recursive: true });
    mkdirSync(this.#keptPath, { recursive: true });
  }

  /** Keys of the calls that have a file of their own. */
  keptKeys(): string[] {
    // A folder of an earlier version has none.
    if (!existsSync(this.#keptPath)) return [];
    return readdirSync(this.#keptPath).flatMap(file => KEPT_NAME.exec(file)?.[1] ?? []);
  }

  keptPath(key: string): string {
    return join(this.#keptPath, `${key}.db`);
  }

  dropKept(key: string): void {
    removeFile(this.keptPath(key));
  }

  /** Beside the cap: nobody pins a call to lose it to its size. */
  keptBytes(): number {
    return this.keptKeys().reduce((sum, key) => sum + fileBytes(this.keptPath(key)), 0);
  }

  /** Numbers of the volumes there are, oldest first. */
  volumeNumbers(): number[] {
    return readdirSync(this.#volumesPath)
      .flatMap(file => VOLUME_NAME.exec(file)?.[1] ?? [])
      .map(Number)
      .toSorted((a, b) => a - b);
  }

  volumePath(number: number): string {
    return join(this.#volumesPath, `${String(number).padStart(6, '0')}.db`);
  }

  /** With its write-ahead log and its index; 0 when it is gone. */
  volumeBytes(number: number): number {
    return fileBytes(this.volumePath(number));
  }

  totalBytes(): number {
    const volumes = this.volumeNumbers().reduce((sum, one) => sum + this.volumeBytes(one), 0);
    return volumes + this.metaBytes() + this.keptBytes();
  }

  metaBytes(): number {
    return fileBytes(this.metaPath);
  }

  dropVolume(number: number): void {
    removeFile(this.volumePath(number));
  }
}

function removeFile(path: string): void {
  for (const suffix of ['-wal', '-shm', '']) rmSync(path + suffix, { force: true });
}

/** True when the two times of arrival are of different days, UTC. */
export const isOtherDay = (oneUnixNs: bigint, otherUnixNs: bigint): boolean =>
  oneUnixNs / DAY_NS !== otherUnixNs / DAY_NS;

function fileBytes(path: string): number {
  return ['', '-wal', '-shm'].reduce(
    (sum, suffix) => sum + (statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
