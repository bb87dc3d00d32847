// Bodies that a framework really sent, kept by `npm run test:interop` (FRAMESCOPE_CAPTURE=1), and what
// the collector makes of them without disk or network.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeTraces } from '../../src/decode/decode.ts';
import type { DerivedRows, StoredSpan } from '../../src/store/store.ts';
import { batch, KEY, NOON, SECOND } from '../assemble/call.ts';
import { engine } from '../assemble/engine-bench.ts';

const FOLDER = fileURLToPath(new URL('fixtures/', import.meta.url));

export interface Fixture {
  readonly header: {
    readonly package: string;
    readonly version: string;
    readonly command: string;
    readonly date: string;
  };
  readonly script: { readonly name: string };
  readonly truth: readonly {
    what: string;
    turn: number | null;
    unixNs: string;
    atUnixNs?: string;
  }[];
  readonly body: unknown;
}

/** Folders of fixtures of a framework: `livekit` → `livekit/livekit-agents-1.8.9`, … */
export const fixtureFolders = (framework: string): string[] =>
  readdirSync(join(FOLDER, framework)).map(name => join(framework, name));

export const fixtureNames = (folder: string): string[] =>
  readdirSync(join(FOLDER, folder)).map(name => name.replace(/\.json$/, ''));

export const fixture = (folder: string, name: string): Fixture =>
  JSON.parse(readFileSync(join(FOLDER, folder, `${name}.json`), 'utf8')) as Fixture;

/** Its spans as the store hands them out, in the order in which they ended. */
export function spansOf(body: unknown): StoredSpan[] {
  const decoded = decodeTraces(Buffer.from(JSON.stringify(body)), 'json');
  if (!decoded.ok) throw new Error(`${decoded.path}: ${decoded.problem}`);
  return decoded.value.spans
    .map(span => ({ ...span, sessionKey: KEY, commit: 1, arrivalUnixNs: NOON }))
    .toSorted((a, b) => (a.endUnixNs < b.endUnixNs ? -1 : 1));
}

/** The rows of a call of these spans, once it is over. */
export function assembled(spans: readonly StoredSpan[]): DerivedRows {
  const one = engine();
  one.ingest(batch([], spans));
  // A pass reads it, the next finds that it is over.
  const rows = one.tick(NOON + BigInt(100 * SECOND)).derived.at(-1);
  if (rows === undefined) throw new Error('nothing came of these spans');
  return rows;
}
