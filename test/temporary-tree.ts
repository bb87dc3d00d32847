// A folder for one test, filled from a picture: path → text.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface TemporaryTree {
  readonly root: string;
  write(path: string, text: string): void;
  remove(path: string): void;
}

/** Makes the folder; it goes away when the test has ended. */
export function temporaryTree(files: Readonly<Record<string, string>> = {}): TemporaryTree {
  const root = mkdtempSync(join(tmpdir(), 'framescope-test-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  return { root, write, remove: path => rmSync(join(root, path), { recursive: true }) };
}
