// Recordings of calls, as files beside the volumes: what was uploaded, byte for byte, and a small
// JSON beside each that says whose it is and what is in it.
//
//   data/recordings/3f2a….ogg  3f2a….json
//
// They are kept only where somebody said so (--recordings keep): a call's sound is the most private
// thing that passes here. They go by age (--retention recordings=1d), and the oldest go when they
// take more than their share of --max-size.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of --max-size, for all recordings together. */
export const RECORDINGS_SHARE = 0.25;

export interface StoredRecording {
  /** 32 hex digits, made of whose it is: the same upload sent again is the same recording. */
  readonly id: string;
  readonly source: 'livekit';
  /** Any of these is the session's ID; a room's SID first. */
  readonly sessionIds: readonly string[];
  readonly contentType: string;
  readonly bytes: number;
  /** Of the first sample; null: not said. */
  readonly startUnixNs: string | null;
  readonly receivedUnixNs: string;
  /** Read off the file; null where it is no Ogg Opus. */
  readonly durationNs: number | null;
  readonly channels: number | null;
  readonly sampleRate: number | null;
}

export interface RecordingLimits {
  /** Bytes of all of them together. */
  readonly maxBytes: number;
  /** Absent: as long as there is room. */
  readonly maxAgeNs?: bigint;
}

const META_NAME = /^([0-9a-f]{32})\.json$/;

export class RecordingStore {
  readonly #folder: string;
  readonly #limits: RecordingLimits;
  readonly #nowUnixNs: () => bigint;
  /** Oldest first. */
  readonly #all = new Map<string, StoredRecording>();

  constructor(dataFolder: string, limits: RecordingLimits, nowUnixNs: () => bigint) {
    this.#folder = join(dataFolder, 'recordings');
    this.#limits = limits;
    this.#nowUnixNs = nowUnixNs;
    for (const recording of readFolder(this.#folder)) this.#all.set(recording.id, recording);
  }

  /** A file to write an upload into; `keep` or `discard` it. */
  partPath(id: string): string {
    mkdirSync(this.#folder, { recursive: true });
    return join(this.#folder, `${id}.part`);
  }

  /** The ID of what `of` names. */
  idOf(of: readonly string[]): string {
    return createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 32);
  }

  /** The part becomes the recording; an earlier upload of the same is replaced. */
  keep(partPath: string, recording: StoredRecording): void {
    renameSync(partPath, this.path(recording.id));
    const metaPart = join(this.#folder, `${recording.id}.meta`);
    writeFileSync(metaPart, JSON.stringify(recording));
    renameSync(metaPart, join(this.#folder, `${recording.id}.json`));
    this.#all.delete(recording.id);
    this.#all.set(recording.id, recording);
    this.tidy();
  }

  discard(partPath: string): void {
    rmSync(partPath, { force: true });
  }

  /** Of one session, oldest first. */
  of(sessionId: string): StoredRecording[] {
    this.tidy();
    return [...this.#all.values()].filter(one => one.sessionIds.includes(sessionId));
  }

  get(id: string): StoredRecording | undefined {
    this.tidy();
    return this.#all.get(id);
  }

  path(id: string): string {
    return join(this.#folder, `${id}.ogg`);
  }

  /** Bytes of all of them. */
  totalBytes(): number {
    let sum = 0;
    for (const { bytes } of this.#all.values()) sum += bytes;
    return sum;
  }

  /** What is too old, or beyond the room there is, goes. Costs nothing when nothing is. */
  tidy(): void {
    const { maxAgeNs, maxBytes } = this.#limits;
    const oldestNs = maxAgeNs === undefined ? undefined : this.#nowUnixNs() - maxAgeNs;
    let bytes = this.totalBytes();
    for (const one of this.#all.values()) {
      const isOld = oldestNs !== undefined && BigInt(one.receivedUnixNs) < oldestNs;
      if (!isOld && bytes <= maxBytes) break;
      bytes -= one.bytes;
      this.#all.delete(one.id);
      for (const name of [`${one.id}.json`, `${one.id}.ogg`])
        rmSync(join(this.#folder, name), { force: true });
    }
  }
}

/** Oldest first. A description that cannot be read, and what was left half written, goes. */
function readFolder(folder: string): StoredRecording[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const found: StoredRecording[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const id = META_NAME.exec(name)?.[1];
    if (id === undefined) {
      const isOurs = name.endsWith('.ogg') && names.includes(name.replace(/\.ogg$/, '.json'));
      if (!isOurs) rmSync(path, { force: true });
      continue;
    }
    const recording = names.includes(`${id}.ogg`) ? readMeta(path) : undefined;
    if (recording?.id === id) found.push(recording);
    else rmSync(path, { force: true });
  }
  return found.toSorted((a, b) => (BigInt(a.receivedUnixNs) < BigInt(b.receivedUnixNs) ? -1 : 1));
}

function readMeta(path: string): StoredRecording | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as StoredRecording;
  } catch {
    return undefined;
  }
}
