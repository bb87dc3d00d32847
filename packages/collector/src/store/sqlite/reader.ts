// The readers' side of the SQLite store: a connection to meta.db and one to
// each volume, none of which can write; what several volumes hold is merged here.

import { existsSync } from 'node:fs';
import type {
  Annotation,
  BudgetList,
  Pin,
  SessionDetail,
  SessionSummary,
  TraceSummary,
  Turn,
} from '@framescope/protocol';
import type {
  BudgetsGiven,
  ClockSampleRow,
  CommitBound,
  CommitPlace,
  CollectorClockRow,
  MeasureCount,
  LoadColumn,
  LoadScan,
  MetricCount,
  OddSpans,
  PageRequest,
  FacetSession,
  GroupScan,
  SearchRows,
  SessionFilter,
  SpanRun,
  StoredFlush,
  StoredPoint,
  StoredSpan,
  StorePage,
  StoreReader,
  TraceOwner,
  TraceRows,
  TraceSpans,
  UnixRange,
  SessionScan,
  WaitTable,
  WantedColumns,
  WordsFinder,
} from '../store.ts';
import { cursorOf, numbersOf } from '../cursor.ts';
import { MetaReader } from './meta-reader.ts';
import { MetricPoints } from './metric-points.ts';
import { LoadSamples } from './load-samples.ts';
import { isUpToDate } from './migrate.ts';
import { openForReading } from './open.ts';
import { rowsOfSpans, TraceRowsBuilder } from '../trace-rows.ts';
import { summaryOfTrace } from './trace-summary.ts';
import { DataFolder } from './volume-files.ts';
import { TIME_MAX, VolumeQueries, type SessionPlace } from './volume-queries.ts';
import { VolumeSpans, type TracePart } from './volume-spans.ts';

interface OpenVolume {
  readonly number: number;
  readonly queries: VolumeQueries;
  readonly points: MetricPoints;
  readonly loads: LoadSamples;
  readonly spans: VolumeSpans;
  close(): void;
}

interface TracePlace {
  readonly volume: number;
  readonly id: number;
  readonly traceId: string;
}

export class SqliteReader implements StoreReader {
  readonly #folder: DataFolder;
  readonly #meta: MetaReader;
  /** Oldest first. */
  #volumes: OpenVolume[] = [];
  /** Files of kept calls, by key (kept-calls.ts). */
  readonly #kept = new Map<string, OpenVolume>();

  /** The writer must have opened the folder before. */
  constructor(folder: string) {
    this.#folder = new DataFolder(folder);
    this.#meta = new MetaReader(openForReading(this.#folder.metaPath, 'meta'));
    this.refresh();
  }

  /** Looks again which volumes there are: call when the writer says that they changed. */
  refresh(): void {
    const numbers = this.#folder.volumeNumbers();
    for (const gone of this.#volumes.filter(one => !numbers.includes(one.number))) gone.close();
    this.#volumes = numbers.flatMap(
      number =>
        this.#volumes.find(one => one.number === number) ??
        this.#open(number, this.#folder.volumePath(number)) ??
        [],
    );
    this.#refreshKept();
  }

  #refreshKept(): void {
    const keys = this.#folder.keptKeys();
    for (const [key, file] of this.#kept)
      if (!keys.includes(key)) {
        file.close();
        this.#kept.delete(key);
      }
    for (const key of keys) {
      if (this.#kept.has(key)) continue;
      const file = this.#open(0, this.#folder.keptPath(key));
      if (file) this.#kept.set(key, file);
    }
  }

  /** Files with a session, and the commit behind which each is read: no row comes twice. */
  #placesOf(key: string): { file: OpenVolume; session: SessionPlace; after: number }[] {
    const own = this.#kept.get(key);
    const keptTo = own?.queries.lastCommit()?.commit ?? 0;
    return [...(own ? [own] : []), ...this.#volumes].flatMap(file => {
      const session = file.queries.sessionByKey(key);
      return session ? { file, session, after: file === own ? 0 : keptTo } : [];
    });
  }

  #open(number: number, path: string): OpenVolume | undefined {
    // Dropped between listing and opening: gone is gone.
    if (!existsSync(path)) return undefined;
    const database = openForReading(path, 'volume');
    // The writer is just making it, or died of that; it says so when it is done.
    if (!isUpToDate(database, 'volume')) {
      database.close();
      return undefined;
    }
    return {
      number,
      queries: new VolumeQueries(database),
      points: new MetricPoints(database),
      loads: new LoadSamples(database),
      spans: new VolumeSpans(database),
      close: () => database.close(),
    };
  }

  async sessions(filter: SessionFilter): Promise<StorePage<SessionSummary>> {
    return this.#meta.sessions(filter);
  }

  async session(key: string): Promise<SessionDetail | undefined> {
    return this.#meta.session(key);
  }

  async summaries(keys: readonly string[]): Promise<readonly SessionSummary[]> {
    return keys.flatMap(key => this.#meta.summary(key) ?? []);
  }

  async turns(key: string, page: PageRequest): Promise<StorePage<Turn>> {
    return this.#meta.turns(key, page);
  }

  async turn(key: string, tick: number): Promise<Turn | undefined> {
    return this.#meta.turn(key, tick);
  }

  async flushes(key: string, range?: UnixRange): Promise<readonly StoredFlush[]> {
    return this.#placesOf(key).flatMap(({ file, session, after }) => {
      const found = file.queries.flushes(session.id, { key, id: session.sessionId }, range);
      return after === 0 ? found : found.filter(flush => flush.commit > after);
    });
  }

  async flushesSince(key: string, commit: number): Promise<readonly StoredFlush[]> {
    return this.#placesOf(key).flatMap(({ file, session, after }) =>
      file.queries.flushesSince(
        session.id,
        { key, id: session.sessionId },
        Math.max(commit, after),
      ),
    );
  }

  async sessionSpans(key: string, limit: number): Promise<readonly StoredSpan[]> {
    const found: StoredSpan[] = [];
    for (const { file, session, after } of this.#placesOf(key)) {
      if (found.length >= limit) break;
      for (const span of file.spans.ofSession(session.id, limit))
        if (span.commit > after && found.length < limit) found.push(span);
    }
    return found;
  }

  async collectorClocks(): Promise<readonly CollectorClockRow[]> {
    return this.#meta.collectorClocks();
  }

  async clockSamples(key: string): Promise<readonly ClockSampleRow[]> {
    return this.#meta.clockSamples(key);
  }

  async measures(range?: UnixRange): Promise<readonly MeasureCount[]> {
    return this.#meta.charts.measures(range);
  }

  async waits(range: UnixRange, wanted: WantedColumns): Promise<WaitTable> {
    return this.#meta.charts.waits(range, wanted);
  }

  async scanGroup(scan: GroupScan): Promise<void> {
    this.#meta.charts.scanGroup(scan);
  }

  async scanSessions(scan: SessionScan): Promise<void> {
    this.#meta.charts.scanSessions(scan);
  }

  async scanFacets(range: UnixRange, visit: (session: FacetSession) => boolean): Promise<void> {
    this.#meta.charts.scanFacets(range, visit);
  }

  async facetSession(row: number): Promise<FacetSession | undefined> {
    return this.#meta.charts.session(row);
  }

  async groupValues(name: string): Promise<readonly string[]> {
    return this.#meta.charts.groupValues(name);
  }

  async wordsFinder(text: string): Promise<WordsFinder> {
    return (session, tick) => this.#meta.charts.hasWords(session, text, tick);
  }

  async budgets(given: BudgetsGiven): Promise<BudgetList> {
    return this.#meta.budgets(given);
  }

  async pins(): Promise<readonly Pin[]> {
    return this.#meta.pins();
  }

  async annotations(range: UnixRange): Promise<readonly Annotation[]> {
    return this.#meta.charts.annotations(range);
  }

  async trace(traceId: string, limit: number): Promise<TraceSpans | undefined> {
    const found: StoredSpan[] = [];
    let count = 0;
    const known = this.#keptSpansOf(traceId, limit);
    for (const span of known.values()) found.push(span);
    count += known.size;
    for (const { spans } of this.#volumes) {
      for (const part of spans.parts(traceId)) {
        if (known.size > 0) {
          for (const span of spans.spansOf(part, limit))
            if (!known.has(span.spanId) && ++count <= limit) found.push(span);
          continue;
        }
        count += part.count;
        const room = limit - found.length;
        if (room > 0) for (const span of spans.spansOf(part, room)) found.push(span);
      }
    }
    return count > 0 ? { spans: found, omittedCount: count - found.length } : undefined;
  }

  async traceRows(traceId: string, limit: number, odd: OddSpans): Promise<TraceRows | undefined> {
    // A kept call may stand in its own file as well: the spans tell which are the same.
    if ([...this.#kept.values()].some(({ spans }) => spans.parts(traceId).length > 0)) {
      const found = await this.trace(traceId, limit);
      return found && rowsOfSpans(found, odd);
    }
    const parts = this.#volumes.flatMap(({ spans }) =>
      spans.parts(traceId).map(part => ({ spans, part })),
    );
    const count = parts.reduce((sum, { part }) => sum + part.count, 0);
    if (count === 0) return undefined;
    const taken = Math.min(limit, count);
    const rows = new TraceRowsBuilder(taken, odd);
    let room = taken;
    for (const { spans, part } of parts) {
      spans.rowsOf({ ...part, count: Math.min(part.count, room) }, rows);
      room -= Math.min(part.count, room);
      if (room === 0) break;
    }
    return rows.done(count - taken);
  }

  /** Of kept calls: volumes may still have the same spans. */
  #keptSpansOf(traceId: string, limit: number): Map<string, StoredSpan> {
    const found = new Map<string, StoredSpan>();
    for (const { spans } of this.#kept.values())
      for (const part of spans.parts(traceId))
        for (const span of spans.spansOf(part, limit - found.size)) found.set(span.spanId, span);
    return found;
  }

  async traceOwner(traceId: string): Promise<TraceOwner | undefined> {
    const turn = this.#meta.turnOfTrace(traceId);
    if (turn) return turn;
    const key = this.#partsOf(traceId).find(part => part.sessionKey !== null)?.sessionKey;
    const sessionId = key == null ? undefined : this.#sessionId(key);
    return key == null || sessionId === undefined
      ? undefined
      : { sessionKey: key, sessionId, turnTick: null };
  }

  #sessionId(key: string): string | undefined {
    return this.#placesOf(key)[0]?.session.sessionId;
  }

  #partsOf(traceId: string): TracePart[] {
    const parts = this.#volumes.flatMap(({ spans }) => spans.parts(traceId));
    if (parts.length > 0) return parts;
    return [...this.#kept.values()].flatMap(({ spans }) => spans.parts(traceId));
  }

  /** A trace stands where its latest part arrived; earlier parts of it are passed over. */
  async traces(page: PageRequest): Promise<StorePage<TraceSummary>> {
    const [fromVolume, fromId] = numbersOf(page.cursor, 2) ?? [];
    const found: TracePlace[] = [];
    for (const volume of this.#volumes.toReversed()) {
      if (fromVolume !== undefined && volume.number > Number(fromVolume)) continue;
      const isResumed = fromVolume !== undefined && volume.number === Number(fromVolume);
      const before = isResumed ? Number(fromId) : Number.MAX_SAFE_INTEGER;
      found.push(...this.#tracesIn(volume, before, page.limit + 1 - found.length));
      if (found.length > page.limit) break;
    }
    const items = found.slice(0, page.limit);
    const last = items.at(-1);
    return {
      items: items.map(one => summaryOfTrace(one.traceId, this.#partsOf(one.traceId))),
      nextCursor: found.length > page.limit && last ? cursorOf(last.volume, last.id) : null,
    };
  }

  #tracesIn({ number, spans }: OpenVolume, before: number, limit: number): TracePlace[] {
    const found: TracePlace[] = [];
    let beforeId = before;
    while (found.length < limit) {
      const rows = spans.tracesBefore(beforeId, limit);
      for (const { id, traceId } of rows)
        if (!this.#isInNewer(traceId, number)) found.push({ volume: number, id, traceId });
      if (rows.length < limit) break;
      beforeId = rows.at(-1)!.id;
    }
    return found.slice(0, limit);
  }

  #isInNewer(traceId: string, volume: number): boolean {
    return this.#volumes.some(
      ({ number, spans }) => number > volume && spans.parts(traceId).length > 0,
    );
  }

  async search(text: string, limit: number): Promise<SearchRows> {
    const isTraceId = /^[0-9a-f]{32}$/i.test(text) && this.#partsOf(text.toLowerCase()).length > 0;
    return {
      sessions: this.#meta.searchSessions(text, limit),
      turns: this.#meta.searchTurns(text, limit),
      traceIds: isTraceId ? [text.toLowerCase()] : [],
    };
  }

  async spansAfter(commit: number, spanLimit: number): Promise<SpanRun> {
    for (const { queries, spans } of this.#volumes) {
      const last = queries.lastCommit();
      if (!last || last.commit <= commit) continue;
      const packs = spans.blocksAfter(commit, spanLimit);
      return {
        spans: packs.flatMap(pack => pack.spans),
        first: packs[0]?.row,
        last: packs.at(-1)?.row,
      };
    }
    return { spans: [], first: undefined, last: undefined };
  }

  async spansBefore(
    { commit = Number.MAX_SAFE_INTEGER, arrivedUnixNs = TIME_MAX }: CommitBound,
    spanLimit: number,
  ): Promise<SpanRun> {
    for (const { queries, spans } of this.#volumes.toReversed()) {
      const first = queries.firstCommit();
      if (!first || first.commit >= commit) continue;
      const packs = spans.blocksBefore(commit, arrivedUnixNs, spanLimit).toReversed();
      if (packs.length === 0) continue;
      return {
        spans: packs.flatMap(pack => pack.spans),
        first: packs[0]!.row,
        last: packs.at(-1)!.row,
      };
    }
    return { spans: [], first: undefined, last: undefined };
  }

  async lastCommit(): Promise<CommitPlace | undefined> {
    for (const { queries } of this.#volumes.toReversed()) {
      const last = queries.lastCommit();
      if (last) return last;
    }
    return undefined;
  }

  async metricPoints(measure: string, range: UnixRange): Promise<readonly StoredPoint[]> {
    return this.#volumes.flatMap(({ points }) => points.inRange(measure, range));
  }

  async metricMeasures(): Promise<readonly MetricCount[]> {
    const counts = new Map<string, { measure: string; seriesCount: number; pointCount: number }>();
    for (const one of this.#volumes.flatMap(({ points }) => points.measures())) {
      const { measure } = one;
      const count = counts.get(measure) ?? { measure, seriesCount: 0, pointCount: 0 };
      // A series may stand in several volumes: the largest count is a lower bound, and enough here.
      count.seriesCount = Math.max(count.seriesCount, one.series);
      count.pointCount += one.points;
      counts.set(measure, count);
    }
    return [...counts.values()];
  }

  async sizeBytes(): Promise<number> {
    return this.#folder.totalBytes();
  }

  async loads(scan: LoadScan): Promise<readonly LoadColumn[]> {
    return this.#volumes.flatMap(({ loads }) => loads.columns(scan));
  }

  close(): void {
    for (const file of [...this.#volumes, ...this.#kept.values()]) file.close();
    this.#meta.close();
  }
}
