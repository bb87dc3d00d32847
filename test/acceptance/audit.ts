// What the senders wrote down for themselves (audit/audited-instrument.mjs),
// read back, and what the collector's store holds, in the same words.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeRecord, hopKey, sessionKey, type FrameRecord } from '@framescope/protocol';
import { SqliteReader } from '../../packages/collector/src/store/sqlite/reader.ts';
import type { StoredFlush } from '../../packages/collector/src/store/store.ts';

/** How often each thing happened; told by a line of text. */
export type Tally = Map<string, number>;

export interface Audit {
  /** `producer/trace/seq/part`, as the collector acknowledged them; each process its own list. */
  readonly acknowledged: readonly (readonly string[])[];
  /** `session hop start+samples`. */
  readonly marks: Tally;
  /** Ticks of the turns begun, by `session.id`. */
  readonly turns: ReadonlyMap<string, ReadonlySet<number>>;
}

const linesOf = (folder: string, kind: string): string[][] =>
  readdirSync(folder)
    .filter(name => name.endsWith(`.${kind}`))
    .map(name => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean));

/** IDs acknowledged until now, over all processes. */
export const acknowledgedCount = (folder: string): number => linesOf(folder, 'acks').flat().length;

export function readAudit(folder: string): Audit {
  const marks: Tally = new Map();
  const turns = new Map<string, Set<number>>();
  for (const line of linesOf(folder, 'marks').flat()) {
    const [kind, session = '', ...rest] = line.split(',');
    if (kind === 'mark') count(marks, `${session} ${rest[0]} ${rest[1]}+${rest[2]}`);
    else turns.set(session, (turns.get(session) ?? new Set()).add(Number(rest[0])));
  }
  const acknowledged = linesOf(folder, 'acks').filter(list => list.length > 0);
  return { acknowledged, marks, turns };
}

export interface Stored {
  /** `producer/trace/seq/part` of every flush, repeated ones as often as they are there. */
  readonly records: Tally;
  /** Every mark of every record, in the words of the audit. */
  readonly marks: Tally;
}

/** Reads everything raw of the sessions named, from the files of a collector, running or not. */
export async function readStored(data: string, sessionIds: Iterable<string>): Promise<Stored> {
  const reader = new SqliteReader(data);
  const stored: Stored = { records: new Map(), marks: new Map() };
  for (const id of sessionIds)
    for (const flush of await reader.flushes(sessionKey(id))) addFlush(stored, id, flush);
  reader.close();
  return stored;
}

/** Frames counted by the minute, over all minutes stored, by hop key. */
export async function readRollups(data: string, session: string): Promise<Map<string, number>> {
  const reader = new SqliteReader(data);
  const sums = new Map<string, number>();
  for (const { measure } of await reader.measures()) {
    if (!measure.startsWith('frame.')) continue;
    const hop = measure.slice('frame.'.length);
    await reader.scanSessions({
      measure,
      range: { fromUnixNs: 0n, toUnixNs: 2n ** 63n - 1n },
      wants: one => one.key === session,
      visit: entry => void sums.set(hop, (sums.get(hop) ?? 0) + entry.count),
    });
  }
  reader.close();
  return sums;
}

/** How many marks each hop of a session has, by hop key. */
export function marksByHop(marks: Tally, sessionId: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [line, times] of marks) {
    const [id, hop = ''] = line.split(' ');
    if (id === sessionId) sums.set(hop, (sums.get(hop) ?? 0) + times);
  }
  return sums;
}

function addFlush({ records, marks }: Stored, sessionId: string, flush: StoredFlush): void {
  count(records, `${flush.producer}/${flush.traceId}/${flush.seq}/${flush.part}`);
  if (flush.record === undefined) return;
  const decoded = decodeRecord(flush.record);
  if (!decoded.ok) throw new Error(`a stored record does not decode: ${decoded.problem}`);
  for (const mark of marksOf(decoded.value)) count(marks, `${sessionId} ${mark}`);
}

function* marksOf(record: FrameRecord): Iterable<string> {
  for (const block of record.blocks)
    for (const column of block.columns) {
      const key = hopKey({ ...column.hop, stream: block.stream });
      for (let i = 0; i < column.length; i++)
        yield markText(key, column.startTick[i]!, column.endTick[i]!);
      for (const late of column.late) yield markText(key, late.startTick, late.endTick);
    }
}

const markText = (key: string, start: number, end: number): string =>
  `${key} ${start}+${end - start}`;

export function count(tally: Tally, key: string): void {
  tally.set(key, (tally.get(key) ?? 0) + 1);
}

/** What one tally has more of than the other, as lines; the first few name themselves. */
export function difference(expected: Tally, actual: Tally): string[] {
  const lines: string[] = [];
  for (const key of new Set([...expected.keys(), ...actual.keys()])) {
    const [wanted, found] = [expected.get(key) ?? 0, actual.get(key) ?? 0];
    if (wanted !== found) lines.push(`${key}: ${wanted} expected, ${found} found`);
  }
  return lines.length > 20 ? [...lines.slice(0, 20), `… ${lines.length} in all`] : lines;
}

/** Sequence numbers missing below the highest, by `producer/trace`. */
export function missingNumbers(records: Tally): string[] {
  const seen = new Map<string, Set<number>>();
  for (const id of records.keys()) {
    const [producer, trace, seq] = id.split('/');
    const sender = `${producer}/${trace}`;
    seen.set(sender, (seen.get(sender) ?? new Set()).add(Number(seq)));
  }
  return [...seen].flatMap(([sender, numbers]) =>
    Array.from({ length: Math.max(...numbers) + 1 }, (_, seq) => seq)
      .filter(seq => !numbers.has(seq))
      .map(seq => `${sender}/${seq}`),
  );
}

/** Numbers from 0 to 1, the same again for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
