// The writer's side of the SQLite store: group commits into the newest volume,
// derived rows into meta.db. One in a data folder, in the writer thread.

import { sessionKey, type Annotation, type AnnotationInput } from '@framescope/protocol';
import type { Database } from 'better-sqlite3';
import type { DecodedFlush, DecodedSpan, MetricPoint } from '../../decode/types.ts';
import type {
  CollectorClockRow,
  CommitResult,
  DerivedRows,
  IngestBatch,
  RawSession,
  StoredFlush,
  StoredSpan,
  StoreWriter,
  TouchedSession,
  UnfinishedSession,
} from '../store.ts';
import { SessionMemory, TraceMemory, type KnownSession, type KnownTrace } from './memory.ts';
import { MetaWriter } from './meta-writer.ts';
import { guarded, lockFolder } from './open.ts';
import { DataFolder, isOtherDay, VOLUMES_AT_CAP } from './volume-files.ts';
import type { PackedSpan } from './span-pack.ts';
import type { CommitRow } from './volume-queries.ts';
import { VolumeWriter, type Commit, type SessionName } from './volume-writer.ts';

const HOUR_NS = 3_600_000_000_000n;

/** A `session.id` seen again after so long a silence is a new session. */
const SAME_SESSION_NS: bigint = HOUR_NS;

/** How far back a repeated span or record is looked for. */
const REPEATS_NS: bigint = 24n * HOUR_NS;

/** The size is looked at every so many commits: files grow by at most a few MB a commit. */
const SIZE_CHECK_COMMITS = 64;

export interface SqliteWriterOptions {
  readonly folder: string;
  readonly maxBytes: number;
  /** Called when a volume was opened or dropped: readers look again. */
  readonly onVolumes?: () => void;
}

/** One commit in the making. */
interface Draft {
  readonly commit: Commit;
  readonly touched: Map<string, TouchedSession>;
  /** Row IDs in the current volume by session key. */
  readonly rowIds: Map<string, number>;
  readonly spans: PackedSpan[];
  readonly flushes: { readonly flush: DecodedFlush; readonly key: string }[];
  readonly points: MetricPoint[];
  repeatedCount: number;
}

export class SqliteWriter implements StoreWriter {
  readonly #folder: DataFolder;
  readonly #lock: Database;
  readonly #meta: MetaWriter;
  /** Oldest first; the last one is written. */
  readonly #volumes: VolumeWriter[] = [];
  readonly #maxBytes: number;
  readonly #onVolumes: () => void;
  readonly #traces = new TraceMemory(traceId => this.#loadTrace(traceId));
  readonly #sessions = new SessionMemory();
  readonly #endsUnixNs = new Map<number, bigint>();
  #last: CommitRow = { commit: 0, arrivalUnixNs: 0n };

  /** @throws {StoreError} when the folder is in use, foreign, torn or from a newer collector. */
  constructor(options: SqliteWriterOptions) {
    this.#folder = new DataFolder(options.folder);
    this.#maxBytes = options.maxBytes;
    this.#onVolumes = options.onVolumes ?? (() => undefined);
    guarded(options.folder, () => this.#folder.create());
    this.#lock = lockFolder(this.#folder.lockPath);
    try {
      this.#meta = new MetaWriter(this.#folder.metaPath);
      const numbers = this.#folder.volumeNumbers();
      for (const number of numbers) this.#openVolume(number, number === numbers.at(-1));
      this.#last = this.#lastCommit();
    } catch (problem) {
      for (const volume of this.#volumes) volume.close();
      this.#lock.close();
      throw problem;
    }
  }

  #openVolume(number: number, isNewest: boolean): VolumeWriter {
    const volume = new VolumeWriter(number, this.#folder.volumePath(number), isNewest);
    this.#volumes.push(volume);
    return volume;
  }

  #lastCommit(): CommitRow {
    for (const volume of this.#volumes.toReversed()) {
      const last = volume.queries.lastCommit();
      if (last) return last;
    }
    // Volumes may all have been dropped by hand: numbers still only rise.
    const covered = this.#meta.covered().map(one => one.covered_commit);
    return { commit: covered.reduce((a, b) => Math.max(a, b), 0), arrivalUnixNs: 0n };
  }

  commit(batch: IngestBatch): CommitResult {
    return guarded(this.#folder.path, () => {
      const volume = this.#currentVolume(batch.arrivalUnixNs);
      try {
        return volume.transaction(() => this.#commitInto(volume, batch));
      } catch (problem) {
        // What was remembered may have been taken back with the transaction.
        this.#traces.clear();
        this.#sessions.clear();
        throw problem;
      }
    });
  }

  #commitInto(volume: VolumeWriter, batch: IngestBatch): CommitResult {
    const draft: Draft = {
      commit: { number: this.#last.commit + 1, arrivalUnixNs: batch.arrivalUnixNs },
      touched: new Map(),
      rowIds: new Map(),
      spans: [],
      flushes: [],
      points: [],
      repeatedCount: 0,
    };
    this.#takeSpans(batch.spans, draft);
    this.#takeFlushes(batch.flushes, draft);
    this.#takePoints(batch.points ?? [], draft);
    const newCount = draft.spans.length + draft.flushes.length + draft.points.length;
    if (newCount > 0) this.#write(volume, draft);
    this.#traces.trim();
    this.#sessions.trim();
    return resultOf(draft);
  }

  #write(volume: VolumeWriter, draft: Draft): void {
    for (const session of draft.touched.values())
      draft.rowIds.set(session.key, volume.touchSession(session, draft.commit));
    volume.writeSpans(draft.spans, draft.commit, draft.rowIds);
    for (const { flush, key } of draft.flushes)
      volume.writeFlush(flush, draft.rowIds.get(key)!, draft.commit);
    for (const point of draft.points) volume.points.write(point, draft.commit.number);
    this.#last = { commit: draft.commit.number, arrivalUnixNs: draft.commit.arrivalUnixNs };
  }

  #takeSpans(spans: readonly DecodedSpan[], draft: Draft): void {
    const fresh = spans.filter(span => this.#traces.add(span));
    draft.repeatedCount += spans.length - fresh.length;
    // First who names a session, then who inherits it: children often stand before their root.
    for (const span of fresh)
      if (span.sessionId !== undefined)
        this.#traces.of(span.traceId).session ??= this.#touch(span.sessionId, draft);
    for (const span of fresh) draft.spans.push({ span, sessionKey: this.#sessionOf(span, draft) });
  }

  #sessionOf(span: DecodedSpan, draft: Draft): string | null {
    if (span.sessionId !== undefined) return this.#touch(span.sessionId, draft).key;
    const inherited = this.#traces.of(span.traceId).session;
    if (!inherited) return null;
    if (!draft.touched.has(inherited.key))
      draft.touched.set(inherited.key, { ...inherited, isNew: false });
    return inherited.key;
  }

  #takeFlushes(flushes: readonly DecodedFlush[], draft: Draft): void {
    const inBatch = new Set<string>();
    for (const flush of flushes) {
      const known = this.#knownSession(flush.sessionId, draft.commit.arrivalUnixNs);
      const identity = `${flush.sessionId}\n${flush.producer} ${flush.seq} ${flush.part}`;
      if (inBatch.has(identity) || (known && this.#isStored(flush, known.name.key, draft)))
        draft.repeatedCount++;
      else draft.flushes.push({ flush, key: this.#touch(flush.sessionId, draft).key });
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

  #isStored(flush: DecodedFlush, key: string, draft: Draft): boolean {
    return this.#recentVolumes(draft.commit.arrivalUnixNs).some(({ queries }) => {
      const session = queries.sessionByKey(key);
      return session !== undefined && queries.hasFlush(session.id, flush);
    });
  }

  /** The session that a `session.id` names now; it counts as touched by this commit. */
  #touch(sessionId: string, draft: Draft): SessionName {
    const { arrivalUnixNs } = draft.commit;
    const before = this.#sessions.get(sessionId) ?? this.#loadSession(sessionId);
    const isSame =
      before !== undefined && arrivalUnixNs - before.lastArrivalUnixNs <= SAME_SESSION_NS;
    const name = isSame ? before.name : nextIncarnation(sessionId, before);
    this.#sessions.set(sessionId, { name, lastArrivalUnixNs: arrivalUnixNs });
    if (!draft.touched.has(name.key)) draft.touched.set(name.key, { ...name, isNew: !isSame });
    return name;
  }

  #knownSession(sessionId: string, arrivalUnixNs: bigint): KnownSession | undefined {
    const known = this.#sessions.get(sessionId) ?? this.#loadSession(sessionId);
    const isGoingOn = known && arrivalUnixNs - known.lastArrivalUnixNs <= REPEATS_NS;
    return isGoingOn ? known : undefined;
  }

  #loadSession(sessionId: string): KnownSession | undefined {
    for (const { queries } of this.#volumes.toReversed()) {
      const row = queries.sessionById(sessionId);
      if (!row) continue;
      return {
        name: { key: row.key, id: sessionId, incarnation: Number(row.incarnation) },
        lastArrivalUnixNs: row.last_arrival_ns,
      };
    }
    return undefined;
  }

  #loadTrace(traceId: string): KnownTrace {
    const known: KnownTrace = { spanIds: new Set(), session: undefined };
    for (const { queries } of this.#recentVolumes(this.#last.arrivalUnixNs)) {
      const { spanIds, session } = queries.traceMembers(traceId);
      for (const spanId of spanIds) known.spanIds.add(spanId);
      if (session) known.session = this.#loadSession(session.id)?.name;
    }
    return known;
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
    this.#dropOldest();
    this.#onVolumes();
    return volume;
  }

  #isFull(volume: VolumeWriter, arrivalUnixNs: bigint): boolean {
    const first = volume.queries.firstCommit();
    if (first && isOtherDay(first.arrivalUnixNs, arrivalUnixNs)) return true;
    if (this.#last.commit % SIZE_CHECK_COMMITS !== 0) return false;
    return this.#folder.volumeBytes(volume.number) > this.#maxBytes / VOLUMES_AT_CAP;
  }

  /** Keeps the cap: the oldest volumes go, with what was derived from them alone. */
  #dropOldest(): void {
    while (this.#volumes.length > 1 && this.#folder.totalBytes() > this.#maxBytes) {
      const oldest = this.#volumes.shift()!;
      const last = oldest.queries.lastCommit();
      oldest.close();
      this.#folder.dropVolume(oldest.number);
      if (last) this.#meta.dropCovered(last.commit);
    }
  }

  commitDerived(rows: readonly DerivedRows[]): void {
    if (rows.length > 0) guarded(this.#meta.path, () => this.#meta.write(rows));
  }

  tidy(nowUnixNs: bigint): boolean {
    return guarded(this.#meta.path, () => this.#meta.tidy(nowUnixNs));
  }

  annotate(annotation: AnnotationInput): Annotation {
    return guarded(this.#meta.path, () => this.#meta.annotate(annotation));
  }

  unfinishedSessions(): readonly UnfinishedSession[] {
    const covered = new Map(this.#meta.covered().map(one => [one.key, one]));
    const last = new Map<string, { id: string; lastCommit: number }>();
    for (const { queries } of this.#volumes)
      for (const { key, id, lastCommit } of queries.sessions()) last.set(key, { id, lastCommit });
    return [...last].flatMap(([key, { id, lastCommit }]) => {
      const derived = covered.get(key);
      const isOpen = derived?.status === 'live' || derived?.status === 'idle';
      const coveredCommit = derived?.covered_commit ?? 0;
      if (coveredCommit >= lastCommit && !isOpen) return [];
      return [{ key, id, coveredCommit, lastCommit, status: derived?.status ?? null }];
    });
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
    const spans: StoredSpan[] = [];
    const flushes: StoredFlush[] = [];
    let id: string | undefined;
    for (const { queries } of this.#volumes) {
      const session = queries.sessionByKey(key);
      if (!session) continue;
      id = session.sessionId;
      spans.push(...queries.sessionSpans(session.id, Number.MAX_SAFE_INTEGER));
      flushes.push(...queries.flushes(session.id, { key, id }));
    }
    if (id === undefined) return undefined;
    const isWanted = (one: { arrivalUnixNs: bigint }): boolean =>
      fromUnixNs === undefined || one.arrivalUnixNs >= fromUnixNs;
    const lastCommit = Math.max(0, ...[spans.at(-1), flushes.at(-1)].map(one => one?.commit ?? 0));
    return {
      key,
      id,
      lastCommit,
      spans: spans.filter(isWanted),
      flushes: flushes.filter(isWanted),
      ...this.#meta.revision(key),
    };
  }

  sizeBytes(): number {
    return this.#folder.totalBytes();
  }

  close(): void {
    for (const volume of this.#volumes) volume.close();
    this.#meta.close();
    this.#lock.close();
  }
}

function nextIncarnation(sessionId: string, before: KnownSession | undefined): SessionName {
  const incarnation = before ? before.name.incarnation + 1 : 0;
  return { key: sessionKey(sessionId, incarnation), id: sessionId, incarnation };
}

function resultOf(draft: Draft): CommitResult {
  const { number: commit, arrivalUnixNs } = draft.commit;
  return {
    committed: {
      commit,
      arrivalUnixNs,
      sessions: [...draft.touched.values()],
      // The batch's own objects: copying each took a seventh of the writer's time.
      spans: draft.spans.map(({ span, sessionKey: key }) =>
        Object.assign(span, { sessionKey: key, commit, arrivalUnixNs }),
      ),
      flushes: draft.flushes.map(({ flush, key }) => ({
        ...flush,
        sessionKey: key,
        commit,
        arrivalUnixNs,
      })),
    },
    repeatedCount: draft.repeatedCount,
  };
}
