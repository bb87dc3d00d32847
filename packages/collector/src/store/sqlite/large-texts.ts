// Texts of some kilobytes, each content once in a volume, deflated.

import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import type { Database, Statement } from 'better-sqlite3';

const KEEP = `INSERT INTO large_text (key, text) VALUES (?, ?) ON CONFLICT (key) DO NOTHING`;

const KEY_BYTES = 16;

/** Keys known to be stored; forgotten all at once. */
const KNOWN_MAX = 10_000;

export class LargeTexts {
  readonly #keep: Statement;
  readonly #known = new Set<string>();

  constructor(database: Database) {
    this.#keep = database.prepare(KEEP);
  }

  /** Stores a text unless it is there; answers its key. */
  keep(text: Buffer): Buffer {
    const key = createHash('sha256').update(text).digest().subarray(0, KEY_BYTES);
    const name = key.toString('latin1');
    if (this.#known.has(name)) return key;
    this.#keep.run(key, deflateRawSync(text, { level: 3 }));
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.add(name);
    return key;
  }

  /** After a transaction that was taken back. */
  forget(): void {
    this.#known.clear();
  }
}
