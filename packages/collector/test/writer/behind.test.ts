// Assembly that is behind: what it is told of many commits at once, and what it
// reads of them, is what it would have been told one by one.

import { expect, onTestFinished, test } from 'vitest';
import { SqliteAssemblyStore } from '../../src/store/sqlite/assembly-store.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import type { FlushRun } from '../../src/store/store.ts';
import { NewsDraft } from '../../src/writer/news.ts';
import { batchOf, flushOf, NOON_NS, seconds, spanOf, temporaryFolder } from '../support/spans.ts';

const DAY_NS = seconds(86_400);

function stores(): { writer: SqliteWriter; assembly: SqliteAssemblyStore } {
  const folder = temporaryFolder();
  const writer = new SqliteWriter({ folder, maxBytes: 1e9 });
  const assembly = new SqliteAssemblyStore({
    folder,
    maxBytes: 1e9,
    budgets: { limits: {}, inFile: [] },
  });
  onTestFinished(() => {
    assembly.close();
    writer.close();
  });
  return { writer, assembly };
}

/** `1 2 | 3`: sequence numbers, then the commit up to which they are all. */
const told = ({ flushes, lastCommit }: FlushRun): string =>
  [...flushes.map(one => one.seq), '|', lastCommit].join(' ');

test('flushes are read in whole commits, as many as fit and one at least, over volumes', () => {
  const { writer, assembly } = stores();
  const commit = (day: bigint, ...seqs: number[]): unknown =>
    writer.commit(
      batchOf(
        [],
        seqs.map(seq => flushOf(`s${seq % 3}`, seq)),
        NOON_NS + day * DAY_NS,
      ),
    );
  commit(0n, 1, 2, 3);
  commit(0n, 4);
  writer.commit(batchOf([spanOf('a1')]));
  commit(0n, 5, 6);
  commit(1n, 7);
  commit(1n, 8, 9);
  expect(told(assembly.flushesBetween(0, 6, 100))).toBe('1 2 3 4 5 6 7 8 9 | 6');
  expect(told(assembly.flushesBetween(0, 5, 100))).toBe('1 2 3 4 5 6 7 | 5');
  expect(told(assembly.flushesBetween(0, 6, 2))).toBe('1 2 3 | 1');
  expect(told(assembly.flushesBetween(1, 6, 2))).toBe('4 | 3');
  expect(told(assembly.flushesBetween(3, 6, 3))).toBe('5 6 7 | 5');
  expect(told(assembly.flushesBetween(5, 6, 1))).toBe('8 9 | 6');
  expect(told(assembly.flushesBetween(6, 6, 1))).toBe('| 6');
  commit(1n, 10);
  expect(told(assembly.flushesBetween(6, 7, 1))).toBe('10 | 7');
  // From a place that was not read up to before.
  expect(told(assembly.flushesBetween(2, 7, 100))).toBe('5 6 7 8 9 10 | 7');
});

test('of many commits the spans of a session are told as one count, with all of their traces', () => {
  const { writer } = stores();
  const draft = new NewsDraft();
  expect(draft.isEmpty).toBe(true);
  const resource = { attributes: { 'service.name': 'svc' } };
  const span = (name: string, s: number) =>
    spanOf(name, {
      sessionId: 'call',
      resource,
      startUnixNs: NOON_NS + seconds(s),
      endUnixNs: NOON_NS + seconds(s + 1),
    });
  for (const batch of [
    batchOf([span('a1', 5), span('b2', 4)]),
    batchOf([spanOf('c3')]),
    batchOf([span('a4', 9)], [flushOf('other', 1)]),
  ])
    draft.add(writer.commit(batch).committed);
  const { tallies, sessions, ...news } = draft.take();
  expect(news).toMatchObject({ after: 0, upTo: 3, flushCount: 1 });
  expect(sessions.map(one => [one.id, one.isNew])).toEqual([
    ['call', true],
    ['other', true],
  ]);
  const count = tallies.reduce((sum, one) => sum + one.count, 0);
  expect([count, new Set(tallies.flatMap(one => one.traceIds)).size]).toEqual([3, 2]);
  expect(draft.isEmpty).toBe(true);
});
