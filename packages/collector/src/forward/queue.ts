// Bodies that wait to be acknowledged, on disk. A batch is frozen when it is
// queued: whatever is learned of its clocks later, it is sent again byte for
// byte, so that the other side can tell that it has it.
//
//   <data>/forward/<target>/00000012-0000000345.batch     number, last commit in it
//     (u32 length, u32 spans, body)…
//   <data>/forward/<target>/cursor                        the last commit that was looked at
//
// A batch is written under another name, then renamed: after a crash it is
// there whole or not at all, and its name tells how far the store was read.

import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** One request to be sent. */
export interface QueuedBody {
  readonly bytes: Buffer;
  readonly spanCount: number;
}

interface BatchFile {
  readonly path: string;
  readonly commit: number;
  readonly bytes: number;
  readonly queuedUnixNs: bigint;
}

/** Numbers of commits have up to 16 digits where they are times (ClickHouse). */
const NAME = /^(\d{8})-(\d{10,16})\.batch$/;
const HEAD_BYTES = 8;

export class ForwardQueue {
  readonly #folder: string;
  readonly #files: BatchFile[] = [];
  #number = 0;
  #cursor: number | undefined;
  #bytes = 0;

  /** Takes up what an earlier run left. @throws when the folder cannot be used. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(folder).toSorted()) {
      const match = NAME.exec(file);
      const path = join(folder, file);
      if (!match) {
        if (file.endsWith('.new')) rmSync(path);
        continue;
      }
      this.#number = Math.max(this.#number, Number(match[1]));
      this.#remember(path, Number(match[2]));
    }
    this.#cursor = this.#storedCursor();
  }

  #storedCursor(): number | undefined {
    let stored: number | undefined;
    try {
      const text = readFileSync(join(this.#folder, 'cursor'), 'utf8');
      if (/^\d{1,16}$/.test(text)) stored = Number(text);
    } catch {
      // A first start, or none was written yet.
    }
    const queued = this.#files.at(-1)?.commit;
    if (stored === undefined) return queued;
    return queued === undefined ? stored : Math.max(stored, queued);
  }

  #remember(path: string, commit: number): void {
    const { size, mtimeNs } = statSync(path, { bigint: true });
    this.#files.push({ path, commit, bytes: Number(size), queuedUnixNs: mtimeNs });
    this.#bytes += Number(size);
  }

  /** When the oldest batch was queued; undefined when nothing waits. */
  oldestUnixNs(): bigint | undefined {
    return this.#files[0]?.queuedUnixNs;
  }

  /** The last commit that was looked at; undefined on a first start. */
  cursor(): number | undefined {
    return this.#cursor;
  }

  bytes(): number {
    return this.#bytes;
  }

  /** Queues the bodies of the commits up to `commit`; with none, only the cursor moves. */
  push(bodies: readonly QueuedBody[], commit: number): void {
    if (bodies.length > 0) {
      const parts = bodies.flatMap(({ bytes, spanCount }) => {
        const head = Buffer.alloc(HEAD_BYTES);
        head.writeUInt32LE(bytes.length, 0);
        head.writeUInt32LE(spanCount, 4);
        return [head, bytes];
      });
      const content = Buffer.concat(parts);
      const number = String(++this.#number).padStart(8, '0');
      const path = join(this.#folder, `${number}-${String(commit).padStart(10, '0')}.batch`);
      writeFileSync(`${path}.new`, content, { flush: true });
      renameSync(`${path}.new`, path);
      this.#remember(path, commit);
    }
    this.#cursor = commit;
  }

  /** The bodies of the oldest batch; undefined when nothing waits. */
  oldest(): readonly QueuedBody[] | undefined {
    const file = this.#files[0];
    return file && read(readFileSync(file.path));
  }

  /** The oldest batch is acknowledged, every body of it. */
  drop(): void {
    const file = this.#files.shift();
    if (!file) return;
    this.#bytes -= file.bytes;
    // First the cursor: without both, what this batch held would be read and sent again.
    if (this.#files.length === 0) this.saveCursor();
    rmSync(file.path, { force: true });
  }

  /** Another goes on with what waits here: nothing of it is sent. */
  clear(commit: number): void {
    for (const { path } of this.#files.splice(0)) rmSync(path, { force: true });
    this.#bytes = 0;
    this.#cursor = commit;
    this.saveCursor();
  }

  saveCursor(): void {
    if (this.#cursor === undefined) return;
    const path = join(this.#folder, 'cursor');
    writeFileSync(`${path}.new`, String(this.#cursor), { flush: true });
    renameSync(`${path}.new`, path);
  }
}

function read(content: Buffer): QueuedBody[] {
  const bodies: QueuedBody[] = [];
  for (let at = 0; at + HEAD_BYTES <= content.length;) {
    const length = content.readUInt32LE(at);
    const spanCount = content.readUInt32LE(at + 4);
    const bytes = content.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
    bodies.push({ bytes, spanCount });
    at += HEAD_BYTES + length;
  }
  return bodies;
}
