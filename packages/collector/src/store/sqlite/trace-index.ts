// Trace → commits, in one volume.
//
//   commits  1 2 3 … 64 │ 65 … 128 │ … │ 449 … 512 │ 513 514   ← directories, one by one
//   level 0   run            run           run                 ← sorted, in pages
//   level 1   └───────── run of 16 runs ─────────┘
//
// A run is written once and read by page; the writer keeps the traces of commits
// that are in no run yet in memory, a reader looks through their directories.

import type { Database, Statement } from 'better-sqlite3';
import { ByteSink, ByteSource } from './byte-sink.ts';

/** Commits that a reader looks through one by one. */
const COMMITS_A_RUN_MAX = 64;
const ENTRIES_A_RUN_MAX = 32_768;
const RUNS_MERGED = 16;
const ENTRIES_A_PAGE = 512;
const TWO_32 = 2 ** 32;
/** Hash and commit are sorted as one double: 32 and 21 bits. */
const COMMIT_RANGE_MAX: number = 2 ** 21;

/** Every statement on the index; a test pins how SQLite answers each. */
export const TRACE_INDEX = {
  runs: `SELECT id, level, from_commit, to_commit, first_page, page_count, entry_count FROM trace_run ORDER BY id`,
  page: `SELECT entries FROM trace_page WHERE id = ?`,
  lastPage: `SELECT id FROM trace_page ORDER BY id DESC LIMIT 1`,
  addRun: `
    INSERT INTO trace_run (level, from_commit, to_commit, first_page, page_count, entry_count)
    VALUES (?, ?, ?, ?, ?, ?)`,
  addPage: `INSERT INTO trace_page (id, entries) VALUES (?, ?)`,
  dropRun: `DELETE FROM trace_run WHERE id = ?`,
  dropPages: `DELETE FROM trace_page WHERE id >= ? AND id < ?`,
} as const;

interface Run {
  readonly id: number;
  readonly level: number;
  readonly from_commit: number;
  readonly to_commit: number;
  readonly first_page: number;
  readonly page_count: number;
  readonly entry_count: number;
}

/** Reads runs; a reader's and the writer's own. */
export class TraceRuns {
  readonly #statements: Readonly<Record<'runs' | 'page', Statement>>;

  constructor(database: Database) {
    this.#statements = {
      runs: database.prepare(TRACE_INDEX.runs),
      page: database.prepare(TRACE_INDEX.page),
    };
  }

  all(): readonly Run[] {
    return this.#statements.runs.all() as Run[];
  }

  /** Commits that hold a trace of this hash, as far as runs go; ascending. */
  commitsOf(hash: number, runs: readonly Run[]): number[] {
    const commits: number[] = [];
    for (const run of runs) {
      const page = run.first_page + Math.floor((hash / TWO_32) * run.page_count);
      const row = this.#statements.page.get(page) as { entries: Buffer } | undefined;
      if (row) find(row.entries, { hash, from: run.from_commit }, commits);
    }
    return commits.toSorted((a, b) => a - b);
  }

  /** The hashes of one page. Written out: after a start it is done for a day of traces. */
  eachHash(page: number, visit: (hash: number) => void): void {
    const row = this.#statements.page.get(page) as { entries: Buffer } | undefined;
    if (!row) return;
    const varint = varintsOf(row.entries);
    let hash = 0;
    for (let left = varint(); left > 0; left--) {
      hash += varint();
      varint();
      visit(hash);
    }
  }

  *entries(page: number): Iterable<{ hash: number; commit: number }> {
    const row = this.#statements.page.get(page) as { entries: Buffer } | undefined;
    if (!row) return;
    const source = new ByteSource(row.entries);
    let hash = 0;
    for (let left = source.varint(); left > 0; left--) {
      hash += source.varint();
      yield { hash, commit: source.varint() };
    }
  }
}

/** Adds to the index; owned by the writer, used within its transactions. */
export class TraceIndexWriter {
  readonly runs: TraceRuns;
  readonly #statements: Readonly<Record<keyof typeof TRACE_INDEX, Statement>>;
  /** Traces of commits that are in no run: hash and commit, in order of arrival. */
  #hashes = new Uint32Array(4_096);
  #commits = new Float64Array(4_096);
  #count = 0;
  #commitCount = 0;
  readonly #sink = new ByteSink(1 << 14);

  constructor(database: Database) {
    this.runs = new TraceRuns(database);
    this.#statements = {
      runs: database.prepare(TRACE_INDEX.runs),
      page: database.prepare(TRACE_INDEX.page),
      lastPage: database.prepare(TRACE_INDEX.lastPage),
      addRun: database.prepare(TRACE_INDEX.addRun),
      addPage: database.prepare(TRACE_INDEX.addPage),
      dropRun: database.prepare(TRACE_INDEX.dropRun),
      dropPages: database.prepare(TRACE_INDEX.dropPages),
    };
  }

  /** The last commit that is in a run; 0: none. */
  coveredCommit(): number {
    return this.runs.all().reduce((last, run) => Math.max(last, run.to_commit), 0);
  }

  add(hash: number, commit: number): void {
    if (this.#count === this.#hashes.length) {
      const hashes = new Uint32Array(this.#count * 2);
      hashes.set(this.#hashes);
      this.#hashes = hashes;
      const commits = new Float64Array(this.#count * 2);
      commits.set(this.#commits);
      this.#commits = commits;
    }
    this.#hashes[this.#count] = hash;
    this.#commits[this.#count++] = commit;
  }

  /** Forgets what was added since the last run: it is read from the directories again. */
  clear(): void {
    this.#count = 0;
    this.#commitCount = 0;
  }

  commitsOf(hash: number): number[] {
    const commits = this.runs.commitsOf(hash, this.runs.all());
    for (let i = 0; i < this.#count; i++)
      if (this.#hashes[i] === hash) commits.push(this.#commits[i]!);
    return commits;
  }

  /** Calls `visit` with all hashes of the volume, in no order: some ten nanoseconds each. */
  eachHash(visit: (hash: number) => void): void {
    for (const run of this.runs.all())
      for (let page = run.first_page; page < run.first_page + run.page_count; page++)
        this.runs.eachHash(page, visit);
    for (let i = 0; i < this.#count; i++) visit(this.#hashes[i]!);
  }

  /** A commit that was written before, and added again. */
  countCommit(): void {
    this.#commitCount++;
  }

  /** A commit with spans is over: perhaps it fills a run. */
  endCommit(commit: number): void {
    this.#commitCount++;
    const isFull =
      this.#commitCount >= COMMITS_A_RUN_MAX ||
      this.#count >= ENTRIES_A_RUN_MAX ||
      commit - this.#commits[0]! >= COMMIT_RANGE_MAX / RUNS_MERGED;
    if (isFull) this.#writeRun();
  }

  #writeRun(): void {
    if (this.#count === 0) return;
    const from = this.#commits[0]!;
    const to = this.#commits[this.#count - 1]!;
    const span = to - from + 1;
    const sorted = new Float64Array(this.#count);
    for (let i = 0; i < this.#count; i++)
      sorted[i] = this.#hashes[i]! * span + (this.#commits[i]! - from);
    this.#write(0, { from, to }, sorted.sort());
    this.clear();
    const runs = this.runs.all().filter(run => run.level === 0);
    if (runs.length >= RUNS_MERGED) this.#merge(runs);
  }

  #merge(runs: readonly Run[]): void {
    const from = runs[0]!.from_commit;
    const to = runs.at(-1)!.to_commit;
    const span = to - from + 1;
    if (span > COMMIT_RANGE_MAX) return;
    const all = new Float64Array(runs.reduce((sum, run) => sum + run.entry_count, 0));
    let at = 0;
    for (const run of runs) {
      for (let page = run.first_page; page < run.first_page + run.page_count; page++)
        for (const { hash, commit } of this.runs.entries(page))
          all[at++] = hash * span + (run.from_commit - from + commit);
    }
    for (const run of runs) {
      this.#statements.dropPages.run(run.first_page, run.first_page + run.page_count);
      this.#statements.dropRun.run(run.id);
    }
    this.#write(1, { from, to }, all.sort());
  }

  /** `sorted`: hash × commits + commit − from. */
  #write(level: number, range: { from: number; to: number }, sorted: Float64Array): void {
    const span = range.to - range.from + 1;
    const pageCount = Math.ceil(sorted.length / ENTRIES_A_PAGE);
    const last = this.#statements.lastPage.get() as { id: number } | undefined;
    const firstPage = (last?.id ?? 0) + 1;
    let at = 0;
    for (let page = 0; page < pageCount; page++) {
      // The same expression as when a page is looked for, so that no rounding parts them.
      let end = at;
      while (end < sorted.length && pageOf(sorted[end]!, span, pageCount) === page) end++;
      this.#statements.addPage.run(firstPage + page, this.#page(sorted, { at, end, span }));
      at = end;
    }
    this.#statements.addRun.run(level, range.from, range.to, firstPage, pageCount, sorted.length);
  }

  #page(
    sorted: Float64Array,
    { at, end, span }: { at: number; end: number; span: number },
  ): Buffer {
    const sink = this.#sink;
    sink.clear();
    sink.varint(end - at);
    let before = 0;
    for (let i = at; i < end; i++) {
      const commit = sorted[i]! % span;
      const hash = (sorted[i]! - commit) / span;
      sink.varint(hash - before);
      sink.varint(commit);
      before = hash;
    }
    return sink.view();
  }
}

/** Adds the commits of a hash in one page. Written out: it is read once a false "yes" of a filter. */
function find(
  page: Buffer,
  wanted: { readonly hash: number; readonly from: number },
  commits: number[],
): void {
  const varint = varintsOf(page);
  let hash = 0;
  for (let left = varint(); left > 0; left--) {
    hash += varint();
    if (hash > wanted.hash) return;
    const commit = varint();
    if (hash === wanted.hash) commits.push(wanted.from + commit);
  }
}

/** Reads the numbers of a page one after the other. */
function varintsOf(page: Buffer): () => number {
  let at = 0;
  return () => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = page[at++]!;
      if (byte < 0x80) return value + byte * scale;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    }
  };
}

const pageOf = (value: number, span: number, pageCount: number): number =>
  Math.floor((Math.floor(value / span) / TWO_32) * pageCount);
