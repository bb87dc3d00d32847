import { createHash } from 'node:crypto';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { readMigrations, type FileKind } from '../../src/store/sqlite/migrate.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { batchOf, spanOf, temporaryFolder } from '../support/spans.ts';

const open = (folder: string): SqliteWriter => new SqliteWriter({ folder, maxBytes: 1e9 });

/** A folder in which a collector ran once. */
function usedFolder(): string {
  const folder = temporaryFolder();
  const writer = open(folder);
  writer.commit(batchOf([spanOf('a1', { attributes: { text: 'x'.repeat(1_000) } })]));
  writer.close();
  return folder;
}

const errorOf = (folder: string): string => {
  try {
    open(folder).close();
    return 'opened';
  } catch (error) {
    return error instanceof Error
      ? `${error.name}: ${error.message.replaceAll(folder, 'DATA')}`
      : '';
  }
};

const hashes = (kind: FileKind): string[] =>
  readMigrations(kind).map(({ sql }) =>
    createHash('sha256').update(sql).digest('hex').slice(0, 16),
  );

test('a shipped migration never changes', () => {
  expect({ meta: hashes('meta'), volume: hashes('volume') }).toEqual({
    meta: ['2d3220ee7b65db31', '332ae55802f84c28', '1fedb120edb838fa', '624a33519a27789d'],
    volume:
      'f96dac59a64ed2f2 b8984d9049c50327 1cdc77fc7d76ab2a 46b0505a926f955f 332756c20629cb0e'.split(
        ' ',
      ),
  });
});

test('a file of a newer collector is refused by name, and left as it is', () => {
  const folder = usedFolder();
  const database = new Database(join(folder, 'meta.db'));
  database.pragma('user_version = 99');
  database.close();
  expect(errorOf(folder)).toBe(
    'SchemaTooNewError: DATA/meta.db has schema 99; this collector knows up to 4. Upgrade it, or give --data another folder.',
  );
});

test('a database that is not ours is refused', () => {
  const folder = temporaryFolder();
  const database = new Database(join(folder, 'meta.db'));
  database.exec('CREATE TABLE users (id INTEGER)');
  database.close();
  expect(errorOf(folder)).toMatch(
    /^ForeignFileError: DATA\/meta\.db is not a file of Framescope\. .*--data/,
  );
});

test('a file that is no database is refused', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'volumes'));
  writeFileSync(
    join(folder, 'volumes', '000001.db'),
    'hello, this is a text of more than a header'.repeat(100),
  );
  expect(errorOf(folder)).toMatch(/^ForeignFileError: DATA\/volumes\/000001\.db/);
});

test('a volume cut short is refused, not repaired into data loss', () => {
  const folder = usedFolder();
  truncateSync(join(folder, 'volumes', '000001.db'), 3 * 8_192);
  expect(errorOf(folder)).toMatch(
    /^TornFileError: DATA\/volumes\/000001\.db is damaged .*It is left as it is/,
  );
});

test('an empty file left by a crash while it was made is made anew', () => {
  const folder = usedFolder();
  writeFileSync(join(folder, 'volumes', '000002.db'), '');
  expect(errorOf(folder)).toBe('opened');
});

test('a second collector on the same folder is refused, and the first goes on', () => {
  const folder = temporaryFolder();
  const first = open(folder);
  expect(errorOf(folder)).toMatch(
    /^DataInUseError: .*Stop that one, or give --data another folder\.$/,
  );
  expect(first.commit(batchOf([spanOf('a1')])).committed.spanCount).toBe(1);
  first.close();
  expect(errorOf(folder)).toBe('opened');
});
