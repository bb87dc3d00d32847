// Bodies that real programs sent, kept as they came, each with what sent it: read back, decoded
// and assembled as the collector does.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClockBook } from '../../src/assemble/clock/clock-book.ts';
import { SessionEngine } from '../../src/assemble/engine.ts';
import { decodeTraces } from '../../src/decode/decode.ts';
import type { CommittedBatch, DerivedRows, StoredSpan } from '../../src/store/store.ts';

const FOLDER = fileURLToPath(new URL('../recognise/fixtures/', import.meta.url));

export interface Fixture {
  readonly header: {
    readonly package: string;
    readonly version: string;
    readonly command: string;
    readonly date: string;
  };
  /** OTLP/protobuf, base64, in order. */
  readonly bodies: readonly string[];
  readonly log: readonly never[];
}

export const fixtureNames = (): string[] =>
  readdirSync(FOLDER).filter(name => name.endsWith('.json'));

export const readFixture = (name: string): Fixture =>
  JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Fixture;

const NOON = 1_800_000_000_000_000_000n;
const KEY = '0000000000000';

/** Spans of all bodies, as the store would hand them over. */
export function spansOf({ bodies }: Pick<Fixture, 'bodies'>): StoredSpan[] {
  return bodies.flatMap((body, commit) => {
    const request = decodeTraces(Buffer.from(body, 'base64'), 'protobuf');
    if (!request.ok) throw new Error(request.problem);
    return request.value.spans.map(span => ({
      ...span,
      sessionKey: KEY,
      commit: commit + 1,
      arrivalUnixNs: NOON,
    }));
  });
}

/** What assembly makes of one session of spans. */
export function assembled(spans: readonly StoredSpan[]): DerivedRows {
  const clockBook = new ClockBook([], { domain: 'c'.repeat(16), epoch: 0 });
  const engine = new SessionEngine({ clockBook, startedUnixNs: NOON - 1n, budgets: {} });
  const commit = Math.max(...spans.map(span => span.commit));
  const batch: CommittedBatch = {
    commit,
    arrivalUnixNs: NOON,
    sessions: [{ key: KEY, id: 'call', incarnation: 0, isNew: true }],
    spanCount: spans.length,
    tallies: spans.map(span => ({
      sessionKey: KEY,
      traceIds: [span.traceId],
      resource: span.resource.attributes,
      count: 1,
      errorCount: 0,
      startUnixNs: span.startUnixNs,
      endUnixNs: span.endUnixNs,
      commit: span.commit,
      arrivalUnixNs: span.arrivalUnixNs,
    })),
    spans,
    flushes: [],
  };
  engine.ingest(batch);
  // The call is over, and quiet for long enough to be told whole, even one whose end never came.
  const rows = [1n, 20n, 120n]
    .flatMap(seconds => engine.tick(NOON + seconds * 1_000_000_000n).derived)
    .at(-1);
  if (rows === undefined) throw new Error('nothing was assembled');
  return rows;
}
