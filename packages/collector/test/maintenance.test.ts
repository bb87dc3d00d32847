import { existsSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { UsageError } from '../src/config.ts';
import { maintain } from '../src/maintenance.ts';
import type { DecodedFlush } from '../src/decode/types.ts';
import { readRetention } from '../src/retention-flag.ts';
import { SqliteReader } from '../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../src/store/sqlite/writer.ts';
import { batchOf, flushOf, NOON_NS, seconds, spanOf, temporaryFolder } from './support/spans.ts';

/** Two days of spans of one call, nothing derived. */
function usedFolder(flushesOf: (day: number) => readonly DecodedFlush[] = () => []): string {
  const folder = temporaryFolder();
  const writer = new SqliteWriter({ folder, maxBytes: 1e9 });
  for (let day = 0; day < 2; day++) {
    const span = spanOf(`a${day + 1}`, { sessionId: 's', attributes: { 'session.id': 's' } });
    // Within an hour of each other, on two sides of midnight.
    writer.commit(batchOf([span], flushesOf(day), NOON_NS + seconds(12 * 3_600 - 60 + day * 120)));
  }
  writer.close();
  return folder;
}

const run = (...args: string[]): string[] => maintain(args)!.lines;

test('other words are none of these commands', () => {
  expect([maintain([]), maintain(['serve']), maintain(['--help'])]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('a question in SQL is answered in JSON lines, by meta.db or by a volume', () => {
  const folder = usedFolder();
  expect(run('sql', 'SELECT count(*) AS n FROM session', '--data', folder)).toEqual(['{"n":0}']);
  expect(
    run('sql', 'SELECT commit_no, arrival_ns FROM ingest', '--volume', '2', '--data', folder),
  ).toEqual([`{"commit_no":2,"arrival_ns":"${NOON_NS + seconds(12 * 3_600 + 60)}"}`]);
});

test('SQL cannot write, and a wrong question is told as SQLite tells it', () => {
  const folder = usedFolder();
  expect(() => run('sql', 'DELETE FROM session', '--data', folder)).toThrow();
  expect(() => run('sql', 'SELECT absent', '--data', folder)).toThrow('no such column: absent');
  expect(() => run('sql', '--data', folder)).toThrow(UsageError);
  expect(() => run('sql', 'SELECT 1', '--data', join(folder, 'no'))).toThrow(/is not there/);
});

test('rebuild makes sessions anew from what was received', async () => {
  const folder = usedFolder();
  expect(run('rebuild', '--data', folder)).toEqual(['1 sessions made anew']);
  const reader = new SqliteReader(folder);
  const { items } = await reader.sessions({ limit: 9 });
  reader.close();
  expect(items.map(session => [session.id, session.spanCount])).toEqual([['s', 2]]);
});

test.each(['frames=1d', 'spans=1d'])('rebuild leaves what outlived its raw data: %s', async age => {
  const folder = usedFolder(day => [flushOf('s', day)]);
  run('rebuild', '--data', folder);
  const sessions = async (): Promise<unknown> => {
    const reader = new SqliteReader(folder);
    const { items } = await reader.sessions({ limit: 9 });
    reader.close();
    return items;
  };
  const before = await sessions();
  run('prune', '--retention', age, '--data', folder);
  expect(run('rebuild', '--data', folder)[1]).toBe(
    '1 left as they are: retention took some of their frames or spans',
  );
  expect(await sessions()).toEqual(before);
});

test('prune deletes what is older than it is told, and says how much', () => {
  const folder = usedFolder();
  expect(run('prune', '--retention', 'frames=1d,spans=1d', '--data', folder)[0]).toMatch(
    /^0\.\d MB freed, 0\.\d MB left$/,
  );
  expect(() => run('sql', 'SELECT 1', '--volume', '1', '--data', folder)).toThrow(/is not there/);
});

test('prune by age alone deletes nothing for its size', () => {
  const folder = usedFolder();
  const first = join(folder, 'volumes', '000001.db');
  // Beyond what is the limit when nobody names one; a sparse file.
  truncateSync(first, 11 * 1024 ** 3);
  run('prune', '--retention', 'spans=90000d', '--data', folder);
  expect(existsSync(first)).toBe(true);
  run('prune', '--data', folder);
  expect(existsSync(first)).toBe(false);
});

test('integrity reads everything, and names what it cannot read', () => {
  const folder = usedFolder();
  expect(run('integrity', '--data', folder)).toEqual([
    '3 files, 2 spans, 0 records read: all sound',
  ]);
  const database = new Database(join(folder, 'volumes', '000002.db'));
  database.exec('UPDATE ingest SET spans = zeroblob(length(spans))');
  database.close();
  expect(maintain(['integrity', '--data', folder])).toEqual({
    code: 1,
    lines: [
      '3 files, 1 spans, 0 records read, 1 problems:',
      'volume 2, commit 2: Error: span block of version 0',
    ],
  });
});

test.each([
  ['frames=7d', { framesNs: 604_800_000_000_000n }],
  ['frames=90m, spans=12h', { framesNs: 5_400_000_000_000n, spansNs: 43_200_000_000_000n }],
  ['turns=400d', { turnsNs: 34_560_000_000_000_000n }],
])('--retention %s is understood', (text, ages) => {
  expect(readRetention(text)).toEqual(ages);
});

test.each(['', 'frames', 'frames=7', 'calls=7d', 'frames=7d,frames=8d', 'frames=0d', 'spans=-1d'])(
  '--retention "%s" is refused with what is wrong',
  text => {
    expect(readRetention(text)).toMatch(/KIND=AGE|twice|would delete/);
  },
);
