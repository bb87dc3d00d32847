// The assembly thread's side of the SQLite store: reads volumes, which another
// thread writes, and writes meta.db.

import { existsSync } from 'node:fs';
import type { Annotation, AnnotationInput, BudgetList } from '@framescope/protocol';
import type {
  AssemblyStore,
  BudgetChange,
  BudgetConflict,
  BudgetsGiven,
  CollectorClockRow,
  DerivedRows,
  FlushRun,
  RawSession,
  UnfinishedSession,
} from '../store.ts';
import { AssemblyReads, type ReadableVolume } from './assembly-reads.ts';
import { MetaWriter } from './meta-writer.ts';
import { isUpToDate } from './migrate.ts';
import { guarded, logBytesOf, openForReading } from './open.ts';
import { DataFolder } from './volume-files.ts';
import { VolumeQueries } from './volume-queries.ts';
import { VolumeSpans } from './volume-spans.ts';

interface OpenVolume extends ReadableVolume {
  close(): void;
}

interface AssemblyStoreOptions {
  readonly folder: string;
  readonly maxBytes: number;
  readonly budgets: BudgetsGiven;
}

export class SqliteAssemblyStore implements AssemblyStore {
  readonly #folder: DataFolder;
  readonly #meta: MetaWriter;
  readonly #reads = new AssemblyReads(
    () => this.#current(),
    key => this.#keptFile(key),
  );
  readonly #kept = new Map<string, OpenVolume>();
  #volumes: OpenVolume[] = [];

  /** The writer must have opened the folder, and keep it open for longer. */
  constructor({ folder, maxBytes, budgets }: AssemblyStoreOptions) {
    this.#folder = new DataFolder(folder);
    this.#meta = new MetaWriter(this.#folder.metaPath, logBytesOf(maxBytes));
    this.#meta.budgets.begin(budgets);
  }

  /** The writer makes and drops them: looked at each time. */
  #keptFile(key: string): OpenVolume | undefined {
    const path = this.#folder.keptPath(key);
    let file = this.#kept.get(key);
    if (existsSync(path)) {
      file ??= this.#openFile(0, path);
      if (file) this.#kept.set(key, file);
      return file;
    }
    file?.close();
    this.#kept.delete(key);
    return undefined;
  }

  /** Volumes as they are now: the writer may have begun one, or dropped one. */
  #current(): readonly OpenVolume[] {
    const numbers = this.#folder.volumeNumbers();
    for (const gone of this.#volumes.filter(one => !numbers.includes(one.number))) gone.close();
    this.#volumes = numbers.flatMap(
      number => this.#volumes.find(one => one.number === number) ?? this.#open(number) ?? [],
    );
    return this.#volumes;
  }

  #open(number: number): OpenVolume | undefined {
    const path = this.#folder.volumePath(number);
    return existsSync(path) ? this.#openFile(number, path) : undefined;
  }

  #openFile(number: number, path: string): OpenVolume | undefined {
    const database = openForReading(path, 'volume');
    // The writer is just making it: there is no commit in it yet.
    if (!isUpToDate(database, 'volume')) {
      database.close();
      return undefined;
    }
    return {
      number,
      queries: new VolumeQueries(database),
      spans: new VolumeSpans(database),
      close: () => database.close(),
    };
  }

  commitDerived(rows: readonly DerivedRows[]): void {
    if (rows.length > 0) guarded(this.#meta.path, () => this.#meta.write(rows));
  }

  tidy(nowUnixNs: bigint): boolean {
    return guarded(
      this.#meta.path,
      () => this.#meta.tidy(nowUnixNs) || this.#meta.budgets.judgeSome(),
    );
  }

  annotate(annotation: AnnotationInput): Annotation {
    return guarded(this.#meta.path, () => this.#meta.annotate(annotation));
  }

  removeAnnotation(id: string): boolean {
    return guarded(this.#meta.path, () => this.#meta.removeAnnotation(id));
  }

  setBudgets(change: BudgetChange): BudgetList | BudgetConflict {
    return guarded(this.#meta.path, () => this.#meta.budgets.set(change));
  }

  limits(): Readonly<Record<string, number>> {
    return this.#meta.budgets.limits;
  }

  unfinishedSessions(): readonly UnfinishedSession[] {
    return guarded(this.#folder.path, () => this.#reads.unfinished(this.#meta.covered()));
  }

  loadSession(key: string, fromUnixNs?: bigint): RawSession | undefined {
    return guarded(this.#folder.path, () => {
      const raw = this.#reads.loadSession(key, fromUnixNs);
      return raw && { ...raw, ...this.#meta.revision(key) };
    });
  }

  flushesBetween(after: number, upTo: number, limit: number): FlushRun {
    return guarded(this.#folder.path, () => this.#reads.flushesBetween(after, upTo, limit));
  }

  newestCommit(): number {
    return guarded(this.#folder.path, () => this.#reads.newest()?.commit ?? 0);
  }

  collectorClocks(): readonly CollectorClockRow[] {
    return guarded(this.#meta.path, () => this.#meta.collectorClocks());
  }

  noteCollectorClock(clock: Omit<CollectorClockRow, 'sinceCommit'>): CollectorClockRow {
    const row = { ...clock, sinceCommit: this.newestCommit() };
    guarded(this.#meta.path, () => this.#meta.noteCollectorClock(row));
    return row;
  }

  close(): void {
    for (const file of [...this.#volumes, ...this.#kept.values()]) file.close();
    this.#meta.close();
  }
}
