import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sessionKey } from '@framescope/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { PINS_MAX } from '../../src/store/pins-max.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import type { Retention } from '../../src/store/store.ts';
import { sessions } from '../../src/query/sessions.ts';
import { parseFilter } from '@framescope/protocol';
import { derivedOf, valueOf } from '../support/derived.ts';
import { batchOf, flushOf, NOON_NS, seconds, spanOf, temporaryFolder } from '../support/spans.ts';

const DAY_NS = seconds(86_400);

function writerIn(folder: string, options: { maxBytes?: number; retention?: Retention } = {}) {
  const writer = new SqliteWriter({ folder, maxBytes: 1e9, ...options });
  onTestFinished(() => writer.close());
  return writer;
}

function readerOf(folder: string): SqliteReader {
  const reader = new SqliteReader(folder);
  onTestFinished(() => reader.close());
  return reader;
}

const key = (id: string): string => sessionKey(id, 0);

const COMMITS = 60;
const EVERY_NS = seconds(3_000);
const END_NS = NOON_NS + BigInt(COMMITS) * EVERY_NS;

/** Two calls of fifty hours in the same commits, so in three volumes: spans and records. */
function twoCalls(writer: SqliteWriter): void {
  for (let i = 0; i < COMMITS; i++)
    writer.commit(
      batchOf(
        [
          spanOf(`a${i + 1}`, { sessionId: 'mine', attributes: { text: 'x'.repeat(5_000) } }),
          spanOf(`b${i + 1}`, { sessionId: 'other' }),
        ],
        [flushOf('mine', i), flushOf('other', i)],
        NOON_NS + BigInt(i) * EVERY_NS,
      ),
    );
  for (const id of ['mine', 'other'])
    writer.commitDerived([
      derivedOf(
        { key: key(id), startUnixNs: NOON_NS, commit: COMMITS },
        { values: [valueOf(key(id), 1)] },
      ),
    ]);
}

const tidyAll = (writer: SqliteWriter, nowUnixNs: bigint): void => {
  while (writer.tidy(nowUnixNs) || writer.retain(nowUnixNs));
};

/** `3–5` when it is 3, 4, 5 in order, each once. */
const runOf = (all: readonly number[]): string =>
  all.every((one, i) => one === all[0]! + i) ? `${all[0]}–${all.at(-1)}` : all.join(' ');

/** What can be read of a call: records, spans of its trace, spans of the session, its summary. */
async function seen(reader: SqliteReader, id: string): Promise<string> {
  reader.refresh();
  const trace = (await reader.trace((id === 'mine' ? 'a' : 'b').repeat(32), 99))?.spans ?? [];
  const seqs = (await reader.flushes(key(id))).map(flush => flush.seq);
  const ids = trace.map(span => Number(span.spanId));
  return [
    `records ${runOf(seqs)}`,
    `trace ${runOf(ids)}`,
    `session ${(await reader.sessionSpans(key(id), 99)).length}`,
    (await reader.session(key(id))) === undefined ? 'gone' : 'listed',
  ].join(', ');
}

const WHOLE = 'records 0–59, trace 1–60, session 60, listed';

test('a pinned call outlives every age, whole; the one beside it goes', async () => {
  const folder = temporaryFolder();
  const ages = { framesNs: DAY_NS, spansNs: 2n * DAY_NS, turnsNs: 3n * DAY_NS };
  const writer = writerIn(folder, { retention: ages });
  twoCalls(writer);
  const reader = readerOf(folder);
  expect(writer.pin(key('mine'), 'the slow one', NOON_NS)).toMatchObject({
    sessionKey: key('mine'),
    note: 'the slow one',
    isWhole: true,
  });
  // As its volumes go, one after the other: never less, never twice.
  for (let hours = 0; hours < 200; hours += 12) {
    tidyAll(writer, END_NS + seconds(hours * 3_600));
    expect(await seen(reader, 'mine')).toBe(WHOLE);
  }
  expect(await seen(reader, 'other')).toBe('records 44–59, trace 45–60, session 16, gone');
  // What is not pinned is not in the file of what is.
  expect(readdirSync(join(folder, 'kept')).filter(file => file.endsWith('.db'))).toEqual([
    `${key('mine')}.db`,
  ]);
}, 60_000);

test('a pinned call outlives the size cap, and is loaded and rebuilt from its file', async () => {
  const folder = temporaryFolder();
  const first = new SqliteWriter({ folder, maxBytes: 1e9 });
  twoCalls(first);
  first.pin(key('mine'), '', NOON_NS);
  first.close();
  // A day later there is room for next to nothing.
  const writer = writerIn(folder, { maxBytes: 1 });
  writer.commit(batchOf([spanOf('c1')], [], END_NS + DAY_NS));
  writer.prune(END_NS + DAY_NS);
  const reader = readerOf(folder);
  expect(await seen(reader, 'mine')).toBe(WHOLE);
  expect(await seen(reader, 'other')).toBe(
    'records undefined–undefined, trace undefined–undefined, session 0, gone',
  );
  const raw = writer.loadSession(key('mine'))!;
  expect(raw.flushes.map(flush => flush.commit)).toEqual(
    Array.from({ length: COMMITS }, (_, i) => i + 1),
  );
  expect(raw.tallies.reduce((sum, tally) => sum + tally.count, 0)).toBe(COMMITS);
  expect(writer.thinnedSessions().has(key('mine'))).toBe(false);
});

test('the same ID again, after all volumes are gone, is a call of its own', () => {
  const folder = temporaryFolder();
  const first = new SqliteWriter({ folder, maxBytes: 1e9 });
  twoCalls(first);
  first.pin(key('mine'), '', NOON_NS);
  first.close();
  const writer = writerIn(folder, { maxBytes: 1 });
  writer.commit(batchOf([spanOf('c1')], [], END_NS + 9n * DAY_NS));
  writer.prune(END_NS + 9n * DAY_NS);
  const { committed } = writer.commit(batchOf([], [flushOf('mine', 0)], END_NS + 10n * DAY_NS));
  expect(committed.sessions.map(session => session.key)).toEqual([sessionKey('mine', 1)]);
});

test('what is let go goes with the next retention, its file at once', async () => {
  const folder = temporaryFolder();
  const writer = writerIn(folder, {
    retention: { framesNs: DAY_NS, spansNs: DAY_NS, turnsNs: DAY_NS },
  });
  twoCalls(writer);
  writer.pin(key('mine'), '', NOON_NS);
  tidyAll(writer, END_NS + 9n * DAY_NS);
  const reader = readerOf(folder);
  expect(await seen(reader, 'mine')).toBe(WHOLE);
  expect(writer.unpin(key('mine'))).toBe(true);
  expect(writer.unpin(key('mine'))).toBe(false);
  expect(existsSync(join(folder, 'kept', `${key('mine')}.db`))).toBe(false);
  tidyAll(writer, END_NS + 10n * DAY_NS);
  // The newest volume is being written: it stays, however old.
  expect(await seen(reader, 'mine')).toBe('records 44–59, trace 45–60, session 16, gone');
});

test('a call whose frames are gone already is kept as it is, and says so', () => {
  const writer = writerIn(temporaryFolder(), { retention: { framesNs: DAY_NS } });
  twoCalls(writer);
  tidyAll(writer, END_NS + DAY_NS);
  expect(writer.pin(key('mine'), '', NOON_NS)).toMatchObject({ isWhole: false });
});

test('a call that nobody knows is not pinned, nor one more than may be', () => {
  const writer = writerIn(temporaryFolder());
  expect(writer.pin('0000000000000', '', NOON_NS)).toBe('unknown');
  for (let i = 0; i <= PINS_MAX; i++) {
    writer.commitDerived([derivedOf({ key: `call${i}` })]);
    const done = writer.pin(`call${i}`, '', NOON_NS);
    expect(done === 'full').toBe(i === PINS_MAX);
  }
  // Its note may still be changed.
  expect(writer.pin('call1', 'new', NOON_NS)).toMatchObject({ note: 'new' });
});

test('lists say what is pinned, and pinned:true finds it', async () => {
  const folder = temporaryFolder();
  const writer = writerIn(folder);
  for (const name of ['a', 'b', 'c']) writer.commitDerived([derivedOf({ key: name })]);
  writer.pin('b', 'why', NOON_NS);
  const reader = readerOf(folder);
  const listed = await reader.sessions({ limit: 9 });
  expect(listed.items.flatMap(one => (one.pinned ? one.key : []))).toEqual(['b']);
  expect((await reader.session('b'))?.pinned).toBe(true);
  const context = { reader, nowUnixNs: () => NOON_NS, budgets: {} };
  const keysOf = async (text: string): Promise<string[]> => {
    const filter = parseFilter(text);
    if (!filter.ok) throw new Error(text);
    const page = await sessions(context, { limit: 9, filter: filter.filter });
    return page.items.map(one => one.key).toSorted();
  };
  expect(await keysOf('pinned:true')).toEqual(['b']);
  expect(await keysOf('-pinned:true')).toEqual(['a', 'c']);
  expect(await reader.pins()).toMatchObject([{ sessionKey: 'b', note: 'why' }]);
});
