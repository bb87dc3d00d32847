// The writer's side of the SQLite store: group commits into the newest volume, and
// retention. One in a data folder, in the writer thread. For commands and tests, which have
// one thread, it is the store of assembly as well.

import type { Annotation, AnnotationInput, BudgetList, Pin } from '@framescope/protocol';
import type { Database } from 'better-sqlite3';
import type { SpanColumns } from '../../decode/span-columns.ts';
import type { DecodedFlush, MetricPoint } from '../../decode/types.ts';
import type {
  BudgetChange,
  BudgetConflict,
  BudgetsGiven,
  CollectorClockRow,
  CommitResult,
  AssemblyStore,
  DerivedRows,
  FlushRun,
  IngestBatch,
  PinRefusal,
  RawSession,
  RawWriter,
  Retention,
  StoredSpan,
  UnfinishedSession,
} from '../store.ts';
import { adoptSpans } from './adoption.ts';
import { AssemblyReads } from './assembly-reads.ts';
import { resultOf, writeSpans, type Draft, type SpanDraft } from './draft.ts';
import { KeptCalls } from './kept-calls.ts';
import { FlushMemory, nextIncarnation, SessionMemory, type KnownSession } from './memory.ts';
import { MetaWriter } from './meta-writer.ts';
import { guarded, lockFolder, logBytesOf } from './open.ts';
import { DataFolder, isOtherDay, VOLUMES_AT_CAP } from './volume-files.ts';
import { isStoredFlush } from './repeated-flushes.ts';
import { RetentionKeeper } from './retention.ts';
import type { RawSpans } from './session-raw.ts';
import { SpanIntake, type IntakeResult } from './span-intake.ts';
import type { CommitRow } from './volume-queries.ts';
import { VolumeWriter, type SessionName } from './volume-writer.ts';
import { SpanTallies, WantedRows } from '../span-tallies.ts';

const HOUR_NS = 3_600_000_000_000n;

/** A `session.id` seen again after so long a silence is a new session. */
const SAME_SESSION_NS: bigint = HOUR_NS;

/** How far back a repeated span or record is looked for. */
const REPEATS_NS: bigint = 24n * HOUR_NS;

export interface SqliteWriterOptions {
  readonly folder: string;
  readonly maxBytes: number;
  readonly retention?: Retention;
  /** Limits that apply where the page set none. Absent: as the collector had them when it last ran. */
  readonly budgets?: BudgetsGiven;
  /** Called when a volume was opened or dropped: readers look again. */
  readonly onVolumes?: () => void;
}

export class SqliteWriter implements RawWriter, AssemblyStore {
  readonly #folder: DataFolder;
  readonly #lock: Database;
  readonly #meta: MetaWriter;
  /** Oldest first; the last one is written. */
  readonly #volumes: VolumeWriter[] = [];
  readonly #reads = new AssemblyReads(
    () => this.#volumes,
    key => this.#kept.get(key),
  );
  readonly #maxBytes: number;
  readonly #onVolumes: () => void;
  readonly #intake = new SpanIntake();
  readonly #wanted = new WantedRows();
  readonly #sessions = new SessionMemory();
  readonly #endsUnixNs = new Map<number, bigint>();
  readonly #retention: RetentionKeeper;
  readonly #kept: KeptCalls;
  #last: CommitRow = { commit: 0, arrivalUnixNs: 0n };

  /** @throws {StoreError} when the folder is in use, foreign, torn or from a newer collector. */
  constructor(options: SqliteWriterOptions) {
    this.#folder = new DataFolder(options.folder);
    this.#maxBytes = options.maxBytes;
    this.#onVolumes = options.onVolumes ?? (() => undefined);
    guarded(options.folder, () => this.#folder.create());
    this.#lock = lockFolder(this.#folder.lockPath);
    try {
      this.#meta = new MetaWriter(this.#folder.metaPath, logBytesOf(this.#maxBytes));
      this.#meta.budgets.begin(options.budgets);
      this.#kept = new KeptCalls(this.#folder, {
        logBytes: logBytesOf(this.#maxBytes),
        pinned: () => this.#meta.pins.keys(),
        onFiles: this.#onVolumes,
      });
      const numbers = this.#folder.volumeNumbers();
      for (const number of numbers) this.#openVolume(number, number === numbers.at(-1));
      this.#last = this.#lastCommit();
      this.#retention = new RetentionKeeper({
        folder: this.#folder,
        meta: this.#meta,
        volumes: this.#volumes,
        maxBytes: this.#maxBytes,
        ages: options.retention ?? {},
        onVolumes: this.#onVolumes,
        keep: volumes => this.#kept.keep(volumes),
      });
    } catch (problem) {
      for (const volume of this.#volumes) volume.close();
      this.#lock.close();
      throw problem;
    }
  }

  #openVolume(number: number, isNewest: boolean): VolumeWriter {
    const volume = new VolumeWriter(number, this.#folder.volumePath(number), {
      isNewest,
      logBytes: logBytesOf(this.#maxBytes),
    });
    this.#volumes.push(volume);
    return volume;
  }

  /** Those of kept calls first: what they hold came earlier. */
  #files(): readonly VolumeWriter[] {
    return [...this.#kept.all(), ...this.#volumes];
  }

  #lastCommit(): CommitRow {
    const last = this.#reads.newest();
    if (last) return last;
    // Volumes may all have been dropped by hand: numbers still only rise.
    const covered = this.#meta.covered().map(one => one.covered_commit);
    return { commit: covered.reduce((a, b) => Math.max(a, b), 0), arrivalUnixNs: 0n };
  }

  commit(batch: IngestBatch): CommitResult {
    return guarded(this.#folder.path, () => {
      const volume = this.#currentVolume(batch.arrivalUnixNs);
      let result: CommitResult;
      try {
        result = volume.transaction(() => this.#commitInto(volume, batch));
      } catch (problem) {
        // What was remembered may have been taken back with the transaction.
        this.#intake.clear();
        this.#sessions.clear();
        throw problem;
      }
      this.#retention.tryKeepCap();
      return result;
    });
  }

  #commitInto(volume: VolumeWriter, batch: IngestBatch): CommitResult {
    const draft: Draft = {
      commit: { number: this.#last.commit + 1, arrivalUnixNs: batch.arrivalUnixNs },
      touched: new Map(),
      rowIds: new Map(),
      flushes: [],
      points: [],
      loads: batch.loads ?? [],
      repeatedCount: 0,
    };
    const columns = batch.spans;
    const intake = this.#takeSpans(columns, draft);
    const spanCount = columns.length - intake.repeatedCount;
    this.#takeFlushes(batch.flushes, draft);
    this.#takePoints(batch.points ?? [], draft);
    if (spanCount + draft.flushes.length + draft.points.length + draft.loads.length > 0) {
      for (const session of draft.touched.values())
        draft.rowIds.set(session.key, volume.touchSession(session, draft.commit));
      if (spanCount > 0) writeSpans(volume, { columns, intake, draft });
      else volume.writeCommit(draft.commit, 0);
      this.#write(volume, draft);
    }
    const spans = this.#spansOf({ columns, intake, draft });
    for (const { session, row } of intake.adoptions)
      adoptSpans({ columns, row, session, commit: draft.commit, into: spans }, [
        volume,
        ...this.#recentVolumes(draft.commit.arrivalUnixNs).filter(other => other !== volume),
      ]);
    this.#intake.turnOver();
    this.#sessions.trim();
    return resultOf(draft, { ...spans, spanCount });
  }

  #write(volume: VolumeWriter, draft: Draft): void {
    for (const { flush, key } of draft.flushes)
      volume.writeFlush(flush, draft.rowIds.get(key)!, draft.commit);
    for (const point of draft.points) volume.points.write(point, draft.commit.number);
    for (const load of draft.loads) volume.loads.write(load, draft.commit.number);
    this.#last = { commit: draft.commit.number, arrivalUnixNs: draft.commit.arrivalUnixNs };
  }

  #takeSpans(columns: SpanColumns, draft: Draft): IntakeResult {
    const intake = this.#intake.take(columns, {
      volumes: () => this.#recentVolumes(draft.commit.arrivalUnixNs),
      touch: sessionId => this.#touch(sessionId, draft).name,
      nameOf: key => this.#nameOf(key),
    });
    draft.repeatedCount += intake.repeatedCount;
    for (const inherited of intake.sessions)
      if (!draft.touched.has(inherited.key))
        draft.touched.set(inherited.key, { ...inherited, isNew: false });
    return intake;
  }

  /** What assembly is told of the new spans. */
  #spansOf({ columns, intake, draft }: SpanDraft): RawSpans {
    const tallies = new SpanTallies(columns, intake.sessions.length + 1);
    const spans: StoredSpan[] = [];
    const commit = {
      commit: draft.commit.number,
      arrivalUnixNs: draft.commit.arrivalUnixNs,
    };
    this.#wanted.begin(columns);
    for (let row = 0; row < columns.length; row++) {
      const session = intake.sessionOf[row]!;
      if (session === 0 || !intake.isNew(row)) continue;
      tallies.add(row, session, intake.traceOf(row));
      if (!this.#wanted.has(row)) continue;
      const sessionKey = intake.sessions[session - 1]!.key;
      spans.push(Object.assign(columns.spanAt(row), { sessionKey, ...commit }));
    }
    return {
      spans,
      tallies: tallies.finish(commit, session => intake.sessions[session - 1]?.key),
    };
  }

  #nameOf(key: string): SessionName | undefined {
    for (const { queries } of this.#files().toReversed()) {
      const session = queries.sessionByKey(key);
      if (session) return this.#loadSession(session.sessionId)?.name;
    }
    return undefined;
  }

  #takeFlushes(flushes: readonly DecodedFlush[], draft: Draft): void {
    const inBatch = new Set<string>();
    for (const flush of flushes) {
      const known = this.#knownSession(flush.sessionId, draft.commit.arrivalUnixNs);
      const { sessionId, producer, seq } = flush;
      const identity = `${sessionId}\n${producer} ${seq} ${flush.part}`;
      const isStored =
        known !== undefined &&
        isStoredFlush(flush, known, () => this.#recentVolumes(draft.commit.arrivalUnixNs));
      if (inBatch.has(identity) || isStored) draft.repeatedCount++;
      else {
        const touched = this.#touch(sessionId, draft);
        touched.flushes.note(producer, seq);
        draft.flushes.push({ flush, key: touched.name.key });
      }
      inBatch.add(identity);
    }
  }

  #takePoints(points: readonly MetricPoint[], draft: Draft): void {
    if (points.length === 0) return;
    const volumes = this.#recentVolumes(draft.commit.arrivalUnixNs);
    const fresh = points.filter(point => !volumes.some(volume => volume.points.has(point)));
    draft.repeatedCount += points.length - fresh.length;
    draft.points.push(...fresh);
  }

  /** The session that a `session.id` names now; it counts as touched by this commit. */
  #touch(sessionId: string, draft: Draft): KnownSession {
    const { arrivalUnixNs } = draft.commit;
    const before = this.#sessions.get(sessionId) ?? this.#loadSession(sessionId);
    const isSame =
      before !== undefined && arrivalUnixNs - before.lastArrivalUnixNs <= SAME_SESSION_NS;
    const name = isSame ? before.name : nextIncarnation(sessionId, before);
    const flushes = isSame ? before.flushes : new FlushMemory(true);
    const touched = { name, lastArrivalUnixNs: arrivalUnixNs, flushes };
    this.#sessions.set(sessionId, touched);
    if (!draft.touched.has(name.key)) draft.touched.set(name.key, { ...name, isNew: !isSame });
    return touched;
  }

  #knownSession(sessionId: string, arrivalUnixNs: bigint): KnownSession | undefined {
    let known = this.#sessions.get(sessionId);
    if (known === undefined) {
      known = this.#loadSession(sessionId);
      // What is found out about its flushes stays with it.
      if (known !== undefined) this.#sessions.set(sessionId, known);
    }
    const isGoingOn = known && arrivalUnixNs - known.lastArrivalUnixNs <= REPEATS_NS;
    return isGoingOn ? known : undefined;
  }

  #loadSession(sessionId: string): KnownSession | undefined {
    for (const { queries } of this.#files().toReversed()) {
      const row = queries.sessionById(sessionId);
      if (!row) continue;
      return {
        name: { key: row.key, id: sessionId, incarnation: Number(row.incarnation) },
        lastArrivalUnixNs: row.last_arrival_ns,
        flushes: new FlushMemory(false),
      };
    }
    return undefined;
  }

  /** Volumes with data of the last 24 h. Those before the newest do not change: asked once. */
  #recentVolumes(nowUnixNs: bigint): VolumeWriter[] {
    return this.#volumes.filter(volume => {
      if (volume === this.#volumes.at(-1)) return true;
      let endUnixNs = this.#endsUnixNs.get(volume.number);
      if (endUnixNs === undefined) {
        endUnixNs = volume.queries.lastCommit()?.arrivalUnixNs ?? 0n;
        this.#endsUnixNs.set(volume.number, endUnixNs);
      }
      return nowUnixNs - endUnixNs <= REPEATS_NS;
    });
  }

  #currentVolume(arrivalUnixNs: bigint): VolumeWriter {
    const newest = this.#volumes.at(-1);
    if (newest && !this.#isFull(newest, arrivalUnixNs)) return newest;
    const volume = this.#openVolume((newest?.number ?? 0) + 1, true);
    newest?.finish();
    this.#onVolumes();
    return volume;
  }

  #isFull(volume: VolumeWriter, arrivalUnixNs: bigint): boolean {
    const first = volume.queries.firstCommit();
    if (first && isOtherDay(first.arrivalUnixNs, arrivalUnixNs)) return true;
    return this.#folder.volumeBytes(volume.number) > this.#maxBytes / VOLUMES_AT_CAP;
  }

  commitDerived(rows: readonly DerivedRows[]): void {
    if (rows.length === 0) return;
    guarded(this.#meta.path, () => {
      this.#meta.write(rows);
      this.#retention.keepCap();
    });
  }

  tidy(nowUnixNs: bigint): boolean {
    return guarded(
      this.#meta.path,
      () => this.#meta.tidy(nowUnixNs) || this.#meta.budgets.judgeSome(),
    );
  }

  retain(nowUnixNs: bigint): boolean {
    return guarded(this.#folder.path, () => {
      this.#retention.keepCap();
      return this.#retention.age(nowUnixNs);
    });
  }

  /** All that is beyond size and ages, at once: for when nothing is written. */
  prune(nowUnixNs: bigint): void {
    guarded(this.#folder.path, () => {
      this.#retention.keepCap();
      while (this.#retention.age(nowUnixNs));
    });
  }

  /** Sessions with raw data. */
  sessionKeys(): readonly string[] {
    const keys = this.#files().flatMap(({ queries }) => queries.sessions().map(one => one.key));
    return [...new Set(keys)];
  }

  /** Sessions with derived rows that what is left of their raw data would not give again. */
  thinnedSessions(): ReadonlySet<string> {
    const derived = new Set(this.#meta.covered().map(one => one.key));
    // Kept before anything of it was taken: all there, in its own file and in the volumes.
    for (const pin of this.#meta.pins.list()) if (pin.isWhole) derived.delete(pin.sessionKey);
    const keys = this.#volumes
      .filter(volume => volume.isThinned())
      .flatMap(({ queries }) => queries.sessions().map(one => one.key));
    return new Set(keys.filter(key => derived.has(key)));
  }

  annotate(annotation: AnnotationInput): Annotation {
    return guarded(this.#meta.path, () => this.#meta.annotate(annotation));
  }

  removeAnnotation(id: string): boolean {
    return guarded(this.#meta.path, () => this.#meta.removeAnnotation(id));
  }

  pin(key: string, note: string, atUnixNs: bigint): Pin | PinRefusal {
    return guarded(this.#folder.path, () =>
      this.#meta.pins.add({ key, note, atUnixNs, isWhole: () => this.#isWhole(key) }),
    );
  }

  /** All of its raw data is still there, as far as volumes tell. */
  #isWhole(key: string): boolean {
    const holding = this.#volumes.filter(one => one.queries.sessionByKey(key) !== undefined);
    return holding.length > 0 && !holding.some(volume => volume.isThinned());
  }

  unpin(key: string): boolean {
    return guarded(this.#folder.path, () => {
      const wasPinned = this.#meta.pins.remove(key);
      this.#kept.drop(key);
      return wasPinned;
    });
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

  collectorClocks(): readonly CollectorClockRow[] {
    return guarded(this.#meta.path, () => this.#meta.collectorClocks());
  }

  noteCollectorClock(clock: Omit<CollectorClockRow, 'sinceCommit'>): CollectorClockRow {
    const row = { ...clock, sinceCommit: this.#last.commit };
    guarded(this.#meta.path, () => this.#meta.noteCollectorClock(row));
    return row;
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
    return this.#last.commit;
  }

  sizeBytes(): number {
    return this.#folder.totalBytes();
  }

  close(): void {
    for (const file of this.#files()) file.close();
    this.#meta.close();
    this.#lock.close();
  }
}
