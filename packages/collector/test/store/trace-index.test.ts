import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { readMigrations } from '../../src/store/sqlite/migrate.ts';
import { TraceFilter } from '../../src/store/sqlite/trace-filter.ts';
import { TraceIndexWriter } from '../../src/store/sqlite/trace-index.ts';

/** Whole numbers below 2^32, the same on every machine. */
function hashesOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) >>> 0;
    return (state ^ (state >>> 13)) >>> 0;
  };
}

function volume(): Database.Database {
  const database = new Database(':memory:');
  for (const { sql } of readMigrations('volume')) database.exec(sql);
  onTestFinished(() => void database.close());
  return database;
}

test('an index of a thousand commits finds what a plain map finds', () => {
  const index = new TraceIndexWriter(volume());
  const random = hashesOf(1);
  const twin = new Map<number, number[]>();
  const known: number[] = [0, 2 ** 32 - 1];
  for (let commit = 5; commit < 1_305; commit += 1 + (random() % 2)) {
    for (let i = 0; i < 12; i++) {
      // A fifth of the traces go on from commit to commit.
      const hash = i % 5 === 0 ? known[random() % known.length]! : random();
      const commits = twin.get(hash) ?? [];
      if (commits.at(-1) === commit) continue;
      twin.set(hash, [...commits, commit]);
      if (i === 1) known.push(hash);
      index.add(hash, commit);
    }
    index.endCommit(commit);
  }
  // Runs were written and merged, and some commits stand in none yet.
  const levels = index.runs.all().map(run => run.level);
  expect([levels.includes(0) || levels.includes(1), index.coveredCommit() < 1_304]).toEqual([
    true,
    true,
  ]);
  const looked = [...twin].filter((_, i) => i % 9 === 0);
  expect(looked.map(([hash]) => index.commitsOf(hash))).toEqual(looked.map(([, one]) => one));
  expect(index.commitsOf(12_345)).toEqual([]);
  let count = 0;
  let strangers = 0;
  index.eachHash(hash => {
    count++;
    if (!twin.has(hash)) strangers++;
  });
  expect(strangers).toBe(0);
  expect(count).toBe([...twin.values()].reduce((sum, commits) => sum + commits.length, 0));
});

test('a filter never denies a trace that it was given, and seldom claims one that it was not', () => {
  const filter = new TraceFilter();
  const random = hashesOf(2);
  const given = Array.from({ length: 300_000 }, random);
  for (const hash of given) filter.add(hash);
  expect(given.every(hash => filter.mayHave(hash))).toBe(true);
  const others = hashesOf(3);
  let claims = 0;
  for (let i = 0; i < 100_000; i++) if (filter.mayHave(others())) claims++;
  expect(claims).toBeLessThan(1_500);
});
