import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import type { CommitResult } from '../../src/store/store.ts';
import { batchOf, flushOf, NOON_NS, seconds, spanOf, temporaryFolder } from '../support/spans.ts';

const GB = 1e9;

function writerIn(folder: string, maxBytes: number = GB): SqliteWriter {
  const writer = new SqliteWriter({ folder, maxBytes });
  onTestFinished(() => writer.close());
  return writer;
}

const readerIn = (folder: string): SqliteReader => {
  const reader = new SqliteReader(folder);
  onTestFinished(() => reader.close());
  return reader;
};

/** "2 spans, 1 flush, 3 repeated" */
const told = ({ committed, repeatedCount }: CommitResult): string =>
  `${committed.spanCount} spans, ${committed.flushes.length} flushes, ${repeatedCount} repeated`;

test('a restarted writer knows what is stored, and its commits go on counting', () => {
  const folder = temporaryFolder();
  const before = new SqliteWriter({ folder, maxBytes: GB });
  const first = before.commit(batchOf([spanOf('a1', { sessionId: 's' })], [flushOf('s', 1)]));
  before.close();
  const after = writerIn(folder);
  const again = after.commit(
    batchOf([spanOf('a1', { sessionId: 's' }), spanOf('b1')], [flushOf('s', 1)]),
  );
  expect(told(again)).toBe('1 spans, 0 flushes, 2 repeated');
  expect(again.committed.commit).toBe(first.committed.commit + 1);
});

test('a session adopts the spans of its traces that came before it was named', async () => {
  const folder = temporaryFolder();
  const writer = writerIn(folder);
  writer.commit(batchOf([spanOf('a2'), spanOf('a3'), spanOf('b1')]));
  // Over midnight: the children stand in another file than the root that names the session.
  writer.commit(batchOf([spanOf('a4'), spanOf('b2')], [], NOON_NS + seconds(12 * 3_600)));
  const { committed } = writer.commit(
    batchOf([spanOf('a1', { sessionId: 's' })], [], NOON_NS + seconds(12 * 3_600 + 1)),
  );
  const { key } = committed.sessions[0]!;
  expect(committed.spanCount).toBe(1);
  expect(committed.tallies.map(one => one.count).toSorted()).toEqual([1, 1, 2]);
  const reader = readerIn(folder);
  const names = (await reader.sessionSpans(key, 99)).map(span => [span.name, span.sessionKey]);
  expect(names).toEqual([
    ['a2', key],
    ['a3', key],
    ['a4', key],
    ['a1', key],
  ]);
  const raw = writer.loadSession(key);
  expect([raw?.tallies.map(one => one.count), raw?.lastCommit]).toEqual([[2, 1, 1], 3]);
  // Read again with the root's commit left out, as when that one is ingested by itself: nothing is there.
  expect(raw?.tallies.filter(one => one.commit < 3)).toEqual([]);
  // A second span of the session adopts nothing again.
  const later = writer.commit(
    batchOf([spanOf('a5', { sessionId: 's' })], [], NOON_NS + seconds(12 * 3_600 + 2)),
  );
  expect(later.committed.tallies.map(one => one.count)).toEqual([1]);
});

test('a new volume begins at midnight UTC of arrival, and reading merges them', async () => {
  const folder = temporaryFolder();
  const writer = writerIn(folder);
  writer.commit(batchOf([spanOf('a1', { sessionId: 's' })], [flushOf('s', 1)]));
  writer.commit(batchOf([spanOf('a2', { sessionId: 's' })], [], NOON_NS + seconds(11 * 3_600)));
  writer.commit(
    batchOf(
      [spanOf('a3', { sessionId: 's' }), spanOf('b1')],
      [],
      NOON_NS + seconds(11 * 3_600 + 1_800),
    ),
  );
  writer.commit(batchOf([spanOf('a4', { sessionId: 's' })], [], NOON_NS + seconds(12 * 3_600)));
  expect(volumes(folder)).toEqual(['000001.db', '000002.db']);
  const reader = readerIn(folder);
  expect((await reader.trace('a'.repeat(32), 100))?.spans.map(span => span.name)).toEqual([
    'a1',
    'a2',
    'a3',
    'a4',
  ]);
  // Its latest part came last, so trace a stands before b, once.
  expect(
    (await reader.traces({ limit: 10 })).items.map(one => [one.rootName, one.spanCount]),
  ).toEqual([
    ['a1', 4],
    ['b1', 1],
  ]);
});

test('a reader passes over a volume that is just being made', async () => {
  const folder = temporaryFolder();
  const writer = writerIn(folder);
  writer.commit(batchOf([spanOf('a1')]));
  const reader = readerIn(folder);
  const next = join(folder, 'volumes', '000002.db');
  writeFileSync(next, '');
  reader.refresh();
  expect((await reader.traces({ limit: 9 })).items.length).toBe(1);
  rmSync(next);
  writer.commit(batchOf([spanOf('b1')], [], NOON_NS + seconds(86_400)));
  reader.refresh();
  expect((await reader.traces({ limit: 9 })).items.length).toBe(2);
});

test('a span sent again after midnight is known from the volume before', () => {
  const writer = writerIn(temporaryFolder());
  writer.commit(batchOf([spanOf('a1')]));
  const again = writer.commit(
    batchOf([spanOf('a1'), spanOf('a2')], [], NOON_NS + seconds(13 * 3_600)),
  );
  expect(told(again)).toBe('1 spans, 0 flushes, 1 repeated');
});

test('pages of traces hold each trace once, over volumes', async () => {
  const folder = temporaryFolder();
  const writer = writerIn(folder);
  for (const [index, name] of [...'abcdef'].entries())
    writer.commit(batchOf([spanOf(`${name}1`)], [], NOON_NS + seconds(index * 6 * 3_600)));
  const reader = readerIn(folder);
  const seen: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await reader.traces({ limit: 2, ...(cursor && { cursor }) });
    seen.push(...page.items.map(one => one.rootName));
    cursor = page.nextCursor;
  } while (cursor);
  expect(seen.join(' ')).toBe('f1 e1 d1 c1 b1 a1');
});

test('over its cap the oldest volume goes, and the newest stays', () => {
  const folder = temporaryFolder();
  const writer = writerIn(folder, 1_000_000);
  for (let day = 0; day < 12; day++)
    writer.commit(
      batchOf(
        [spanOf(`a${day}`, { attributes: { noise: noise(day) } })],
        [],
        NOON_NS + seconds(day * 86_400),
      ),
    );
  expect(volumes(folder).at(-1)).toBe('000012.db');
  expect(volumes(folder).length).toBeLessThan(12);
  expect(writer.sizeBytes()).toBeLessThan(1_500_000);
});

const volumes = (folder: string): string[] =>
  readdirSync(join(folder, 'volumes'))
    .filter(file => file.endsWith('.db'))
    .toSorted();

/** 100 kB that deflate can do little with. */
function noise(seed: number): string {
  let state = seed + 1;
  let text = '';
  while (text.length < 100_000) {
    state = (state * 48_271) % 2_147_483_647;
    text += state.toString(36);
  }
  return text;
}
