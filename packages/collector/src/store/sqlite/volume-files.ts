// The files of a data folder: which volumes there are, how large, when the next begins.
//
//   data/collector.lock  data/meta.db  data/volumes/000001.db  000002.db  …

import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const VOLUME_NAME = /^(\d{6,12})\.db$/;
const DAY_NS = 86_400_000_000_000n;

/** A volume is at most this share of --max-size: what one unlink frees. */
export const VOLUMES_AT_CAP = 16;

export class DataFolder {
  readonly path: string;
  readonly metaPath: string;
  readonly lockPath: string;
  readonly #volumesPath: string;

  constructor(path: string) {
    this.path = path;
    this.metaPath = join(path, 'meta.db');
    this.lockPath = join(path, 'collector.lock');
    this.#volumesPath = join(path, 'volumes');
  }

  create(): void {
    mkdirSync(this.#volumesPath, { recursive: true });
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
    return volumes + this.metaBytes();
  }

  metaBytes(): number {
    return fileBytes(this.metaPath);
  }

  dropVolume(number: number): void {
    for (const suffix of ['-wal', '-shm', ''])
      rmSync(this.volumePath(number) + suffix, { force: true });
  }
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
