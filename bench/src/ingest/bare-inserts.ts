// What the store is compared with: the same spans as rows of one table without
// an index, prepared statements in one thread, and nothing around them.
//
// The values are made before the clock starts. Prints rows a second, as JSON.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { attributesOf, randomWords, RESOURCE, spanFacts, SPANS_A_TRACE } from './span-bodies.ts';

const ROWS = 200_000;
const ROWS_A_TRANSACTION = 2_048;

/** The schema of the comparison. It never changes, or older figures mean nothing. */
const SCHEMA = `
  CREATE TABLE span (
    trace_id    BLOB    NOT NULL,
    span_id     BLOB    NOT NULL,
    parent_id   BLOB,
    name        TEXT    NOT NULL,
    kind        INTEGER NOT NULL,
    start_ns    INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    service     TEXT    NOT NULL,
    attributes  TEXT    NOT NULL
  ) STRICT`;

type Row = readonly (Buffer | string | number | bigint | null)[];

function rows(): Row[] {
  const random = randomWords(7);
  const id = (length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(random(), at);
    return bytes;
  };
  let trace = id(16);
  return Array.from({ length: ROWS }, (_, i): Row => {
    const index = i % SPANS_A_TRACE;
    if (index === 0) trace = id(16);
    const facts = spanFacts(Math.floor(i / SPANS_A_TRACE), index, random);
    return [
      trace,
      id(8),
      index === 0 ? null : id(8),
      facts.name,
      facts.kind,
      1_790_000_000_000_000_000n + BigInt(i) * 2_000n,
      100_000 + (random() % 20_000_000),
      0,
      RESOURCE['service.name']!,
      JSON.stringify(Object.fromEntries(attributesOf(facts))),
    ];
  });
}

function insertAll(all: readonly Row[], folder: string): number {
  const database = new Database(join(folder, 'bare.db'));
  database.pragma('page_size = 8192');
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec(SCHEMA);
  const insert = database.prepare('INSERT INTO span VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const insertSome = database.transaction((from: number) => {
    for (let i = from; i < Math.min(from + ROWS_A_TRANSACTION, all.length); i++) insert.run(all[i]);
  });
  const start = process.hrtime.bigint();
  for (let from = 0; from < all.length; from += ROWS_A_TRANSACTION) insertSome(from);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  database.close();
  return all.length / seconds;
}

const folder = mkdtempSync(join(tmpdir(), 'framescope-bare-'));
try {
  const all = rows();
  const rates: number[] = [];
  for (let round = 0; round < 3; round++) {
    const inner = mkdtempSync(join(folder, 'round-'));
    rates.push(insertAll(all, inner));
    rmSync(inner, { recursive: true, force: true });
  }
  console.log(JSON.stringify({ rowsASecond: rates.toSorted((a, b) => a - b)[1] }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
