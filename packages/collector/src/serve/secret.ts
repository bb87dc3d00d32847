// The secret that signs ingest tokens: made once a data folder, so that a page
// can go on sending after a restart.

import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'ingest.key';
const BYTES = 32;

/** @throws when the data folder cannot be written. */
export function ingestSecret(folder: string): Uint8Array {
  const path = join(folder, FILE);
  try {
    const stored = readFileSync(path);
    if (stored.length === BYTES) return stored;
  } catch {
    // Not there yet.
  }
  const made = randomBytes(BYTES);
  writeFileSync(path, made, { mode: 0o600 });
  return made;
}
