import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import type { Retention } from '../../src/store/store.ts';
import { derivedOf } from '../support/derived.ts';
import { batchOf, flushOf, NOON_NS, seconds, spanOf, temporaryFolder } from '../support/spans.ts';

const DAY_NS = seconds(86_400);

function writerIn(folder: string, maxBytes: number, retention: Retention = {}): SqliteWriter {
  const writer = new SqliteWriter({ folder, maxBytes, retention });
  onTestFinished(() => writer.close());
  return writer;
}

const bytesOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);

/** Text that deflates to little less than itself. */
function noise(seed: number, length: number): string {
  const bytes = Buffer.alloc(Math.ceil(length / 4) * 3);
  let state = seed * 7_919 + 1;
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  return bytes.toString('base64').slice(0, length);
}

const id = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');

test('the files are within the cap after every commit, with readers open', () => {
  const folder = temporaryFolder();
  const maxBytes = 4_000_000;
  const writer = writerIn(folder, maxBytes);
  const reader = new SqliteReader(folder);
  onTestFinished(() => reader.close());
  let highest = 0;
  for (let i = 1; i <= 150; i++) {
    const spans = Array.from({ length: 20 }, (_, j) =>
      spanOf('a1', {
        traceId: id(i * 100 + j, 32) as never,
        spanId: id(i * 100 + j, 16) as never,
        attributes: { noise: noise(i * 100 + j, 2_000) },
      }),
    );
    writer.commit(batchOf(spans, [], NOON_NS + seconds(i * 60)));
    if (i % 10 === 0) reader.refresh();
    highest = Math.max(highest, bytesOf(folder));
  }
  expect(highest).toBeLessThanOrEqual(maxBytes + maxBytes / 16);
  // It was reached: 6 MB came in.
  expect(highest).toBeGreaterThan(maxBytes / 2);
}, 60_000);

test('a commit that is durable is told so, though no room can be made behind it', () => {
  const folder = temporaryFolder();
  const before = new SqliteWriter({ folder, maxBytes: 1e9 });
  before.commit(batchOf([spanOf('a1')], [], NOON_NS));
  before.commitDerived([derivedOf({ key: 'a' }, { values: [] })]);
  before.close();
  const meta = new Database(join(folder, 'meta.db'));
  meta.exec(
    "CREATE TRIGGER stuck BEFORE DELETE ON session BEGIN SELECT RAISE(ABORT, 'stuck'); END",
  );
  meta.close();
  const writer = writerIn(folder, 1);
  expect(writer.commit(batchOf([spanOf('a2')], [], NOON_NS)).repeatedCount).toBe(0);
  // What cannot be made room for is told where nothing acknowledged hangs on it.
  expect(() => writer.prune(NOON_NS)).toThrow('stuck');
});

/** Three days of a session each: a flush and a span. */
function threeDays(writer: SqliteWriter): void {
  for (let day = 0; day < 3; day++)
    writer.commit(
      batchOf(
        [spanOf(`${'abc'[day]}1`, { attributes: { text: 'x'.repeat(5_000) } })],
        [flushOf(`call-${day}`, day)],
        NOON_NS + BigInt(day) * DAY_NS,
      ),
    );
}

const tidyAll = (writer: SqliteWriter, nowUnixNs: bigint): void => {
  while (writer.tidy(nowUnixNs) || writer.retain(nowUnixNs));
};

/** What is left: days with frames, days with spans, files. */
async function left(folder: string): Promise<string> {
  const reader = new SqliteReader(folder);
  const spans: number[] = [];
  const frames: number[] = [];
  for (let day = 0; day < 3; day++) {
    if ((await reader.trace('abc'[day]!.repeat(32), 9)) !== undefined) spans.push(day);
    const key = keys.get(day)!;
    if ((await reader.flushes(key)).length > 0) frames.push(day);
  }
  reader.close();
  const files = readdirSync(join(folder, 'volumes')).filter(file => file.endsWith('.db')).length;
  return `frames ${frames.join(' ')}, spans ${spans.join(' ')}, ${files} files`;
}

const keys = new Map<number, string>();

test('frames go before spans, and a volume with neither is a file less', async () => {
  const folder = temporaryFolder();
  const writer = writerIn(folder, 1e9, { framesNs: DAY_NS, spansNs: 2n * DAY_NS });
  threeDays(writer);
  for (const { key, id: name } of writer.unfinishedSessions()) keys.set(Number(name.at(-1)), key);
  const start = NOON_NS + 2n * DAY_NS;
  tidyAll(writer, start - seconds(1));
  expect(await left(folder)).toBe('frames 1 2, spans 0 1 2, 3 files');
  tidyAll(writer, start + seconds(1));
  expect(await left(folder)).toBe('frames 2, spans 1 2, 2 files');
  tidyAll(writer, start + 9n * DAY_NS);
  // The newest volume is written: it stays, however old.
  expect(await left(folder)).toBe('frames 2, spans 2, 1 files');
});

test('without ages nothing goes by itself', async () => {
  const folder = temporaryFolder();
  const writer = writerIn(folder, 1e9);
  threeDays(writer);
  tidyAll(writer, NOON_NS + 900n * DAY_NS);
  expect(readdirSync(join(folder, 'volumes')).length).toBeGreaterThanOrEqual(3);
});

test('what is deleted from an old volume is given back to the file system', () => {
  const folder = temporaryFolder();
  const writer = writerIn(folder, 1e9, { framesNs: DAY_NS });
  const flushes = Array.from({ length: 500 }, (_, i) =>
    flushOf('call', i, { record: Buffer.from(noise(i, 1_500)) }),
  );
  writer.commit(batchOf([], flushes));
  writer.commit(batchOf([spanOf('a1')], [], NOON_NS + DAY_NS));
  const file = join(folder, 'volumes', '000001.db');
  const before = statSync(file).size;
  tidyAll(writer, NOON_NS + 5n * DAY_NS);
  expect(existsSync(file)).toBe(true);
  expect(statSync(file).size).toBeLessThan(before / 4);
});

test('a text of some kilobytes is kept once, however often it is sent', async () => {
  const folder = temporaryFolder();
  const writer = writerIn(folder, 1e9);
  const prompt = noise(1, 200_000);
  const before = bytesOf(folder);
  for (let i = 1; i <= 50; i++)
    writer.commit(batchOf([spanOf(`a${i}`, { attributes: { prompt } })]));
  expect(bytesOf(folder) - before).toBeLessThan(1_500_000);
  const reader = new SqliteReader(folder);
  onTestFinished(() => reader.close());
  const trace = await reader.trace('a'.repeat(32), 100);
  expect(trace?.spans.map(span => span.attributes['prompt'] === prompt)).toEqual(
    Array.from({ length: 50 }, () => true),
  );
});
