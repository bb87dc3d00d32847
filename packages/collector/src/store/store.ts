// The seam between the collector and whatever keeps its data.
//
// Nothing outside this folder knows SQL. Raw data is written by the writer
// thread, what is derived from it by the assembly thread; readers have their own
// connections and answer promises, so that another engine (or a thread of
// readers) can take its place.
//
// Raw data is the truth and never changes: each group commit has a number that
// only rises, over all volumes. Derived rows can be made again from it. They
// are written together with the number of the last commit that they cover, so
// that assembly goes on after a `kill -9` where it was.
//
//   commit(batch) ──▶ raw, commit n ┄┄▶ flushesBetween(m, n) ──▶ assembler ──▶ commitDerived(rows, covers n)
//        │                                                                           │
//        └─ answered 200 here                                                        └─ shown from here
//
// Assembly reads behind the commits, as fast as it can: what it has not come to
// waits in the store, not in memory.

import type {
  Annotation,
  AnnotationInput,
  Attributes,
  BudgetInput,
  BudgetList,
  Pin,
  SessionDetail,
  SessionStatus,
  SessionSummary,
  TraceId,
  TraceSummary,
  Turn,
} from '@framescope/protocol';
import type { Change } from '../assemble/assembler.ts';
import type { MinuteCursor } from '../rollup/minute-codec.ts';
import type { ValueColumn, WaitRows } from '../rollup/wait-codec.ts';
import type { LoadColumn, LoadScan } from './load-columns.types.ts';
import type { WaitSums, WaitSumsAsked } from './wait-sums.types.ts';
import type { SpanColumns } from '../decode/span-columns.ts';
import type { DecodedFlush, DecodedLoad, DecodedSpan, MetricPoint } from '../decode/types.ts';

export type { LoadColumn, LoadScan };

// ---- raw, in ------------------------------------------------------------------------------

/** What one group commit takes in: the decoded bodies of one or more requests. */
export interface IngestBatch {
  readonly arrivalUnixNs: bigint;
  /** Read during the commit and not kept. */
  readonly spans: SpanColumns;
  readonly flushes: readonly DecodedFlush[];
  /** Known by (series, time, start): a point that is there already is left out. */
  readonly points?: readonly MetricPoint[];
  /** Known by process and time. */
  readonly loads?: readonly DecodedLoad[];
}

/** A point as stored: as it was sent. */
export type StoredPoint = MetricPoint;

/** A span as stored. `sessionKey` is null for spans that name no session. */
export interface StoredSpan extends DecodedSpan {
  readonly sessionKey: string | null;
  readonly commit: number;
  readonly arrivalUnixNs: bigint;
}

/** How many spans of one session and resource came in one commit. */
export interface SpanTally {
  readonly sessionKey: string;
  /** The traces they are of, in order of arrival; of many only the last 256. */
  readonly traceIds: readonly TraceId[];
  /** Attributes of the resource. */
  readonly resource: Attributes;
  readonly count: number;
  readonly errorCount: number;
  /** First start and last end. */
  readonly startUnixNs: bigint;
  readonly endUnixNs: bigint;
  readonly commit: number;
  readonly arrivalUnixNs: bigint;
}

/** A flush (record, state or heart beat) as stored. */
export interface StoredFlush extends DecodedFlush {
  readonly sessionKey: string;
  readonly commit: number;
  readonly arrivalUnixNs: bigint;
}

/** What assembly needs of it. */
export type AssemblyFlush = Omit<StoredFlush, 'traceId' | 'spanId'>;

/** One incarnation of a `session.id` that a commit touched. */
export interface TouchedSession {
  readonly key: string;
  readonly id: string;
  /** 0, or one more each time its `session.id` came back an hour after its last data. */
  readonly incarnation: number;
  /** True when nothing of it was stored before this commit. */
  readonly isNew: boolean;
}

/** What was new in a batch: repeated spans and records are left out. Order is that of arrival. */
export interface CommittedBatch {
  readonly commit: number;
  readonly arrivalUnixNs: bigint;
  readonly sessions: readonly TouchedSession[];
  readonly spanCount: number;
  /** All spans that belong to a session, counted. */
  readonly tallies: readonly SpanTally[];
  /** Those of them that assembly has to see whole (recognise/interest.ts). */
  readonly spans: readonly StoredSpan[];
  readonly flushes: readonly StoredFlush[];
}

/** What assembly is given of one or several commits. */
export interface AssemblyBatch extends Omit<CommittedBatch, 'flushes'> {
  readonly flushes: readonly AssemblyFlush[];
}

export interface CommitResult {
  readonly committed: CommittedBatch;
  /** Spans and flushes that were stored before: harmless, not an error. */
  readonly repeatedCount: number;
}

/** All raw data of one session, in order of arrival. */
export interface RawSession {
  readonly key: string;
  readonly id: string;
  readonly lastCommit: number;
  /** All spans, counted by commit. */
  readonly tallies: readonly SpanTally[];
  /** Those that assembly has to see whole. */
  readonly spans: readonly StoredSpan[];
  readonly flushes: readonly StoredFlush[];
  /** Clock revision of the derived rows there are; absent: none. */
  readonly revision?: number;
}

/** A session whose derived rows do not cover all of its raw data, or that was open at the end. */
export interface UnfinishedSession {
  readonly key: string;
  readonly id: string;
  /** Commit that its derived rows cover; 0: none. */
  readonly coveredCommit: number;
  readonly lastCommit: number;
  readonly status: SessionStatus | null;
}

// ---- derived ------------------------------------------------------------------------------

/** One number of one turn (a wait by one definition, a part, a stage): a point of a chart. */
export interface ValueRow {
  /** `voice_to_voice.client`, `time_to_answer.server`, `part.inference`, …; `feature.*`: rollup/turn-features.ts. */
  readonly measure: string;
  readonly sessionKey: string;
  readonly tick: number;
  /** Which wait of the turn, 0 the first. */
  readonly waitIndex: number;
  /** Where it stands in time: the start of its wait. */
  readonly atUnixNs: bigint;
  readonly valueNs: number;
  /** Never answered: at least so long. */
  readonly isCensored: boolean;
  readonly outcome: string;
  readonly errorNs: number;
  readonly resolved: number;
  readonly worstPart: string | null;
  readonly worstPartNs: number | null;
  /** Over the budget that applied when it was computed. */
  readonly isOverBudget: boolean;
  /** Parts: how much the wait would fall if this one took no time; absent or null: not known. */
  readonly savesNs?: number | null;
}

/** Frames of one session, measure and minute. */
export interface RollupRow {
  readonly sessionKey: string;
  /** `frame.<hop key without instance>`; `slack.`, `lead.`, … as query/measure-info.ts has them. */
  readonly measure: string;
  /** Unix time / 60 s, whole. */
  readonly minute: number;
  readonly count: number;
  readonly expectedCount: number;
  readonly lostCount: number;
  readonly lateCount: number;
  readonly concealedCount: number;
  readonly overBudgetCount: number;
  readonly sumNs: number;
  readonly minNs: number;
  readonly maxNs: number;
  /** `Sketch.toBytes()`. */
  readonly sketch: Uint8Array;
  /** The 32 worst, slowest first: value and the tick it belongs to. */
  readonly worst: readonly { readonly valueNs: number; readonly ref: number }[];
}

/** One sample of a clock domain against the collector's, as used. */
export interface ClockSampleRow {
  readonly domain: string;
  readonly epoch: number;
  readonly peer: string;
  readonly peerEpoch: number;
  readonly t1: number;
  readonly t2: number;
  readonly t3: number;
  readonly t4: number;
}

/** A zero of the collector's own clock: measured once a boot, and when the wall clock was set. */
export interface CollectorClockRow {
  /** 16 hex digits; on Linux a hash of the boot ID, so that processes of this host share it. */
  readonly domain: string;
  readonly epoch: number;
  /** Unix time at DomainNs 0. */
  readonly zeroUnixNs: bigint;
  /** It is for sessions whose first data came in a later commit. */
  readonly sinceCommit: number;
}

/** What assembly made of one session; written in one transaction. */
export interface DerivedRows {
  readonly sessionKey: string;
  /** The last commit whose raw data is in these rows. */
  readonly coveredCommit: number;
  /** Clock revision they were computed with. */
  readonly revision: number;
  readonly session: SessionDetail;
  /**
   * `all`: every turn, value and rollup of the session is replaced by those given.
   * `given`: turns (by tick, with their values) and rollups (by measure and minute) named here only.
   */
  readonly replace: 'all' | 'given';
  readonly turns: readonly Turn[];
  readonly values: readonly ValueRow[];
  readonly rollups: readonly RollupRow[];
  /** Added to those stored; absent: none. */
  readonly clockSamples?: readonly ClockSampleRow[];
}

// ---- the two sides ------------------------------------------------------------------------

/** How long things are kept, ns; absent: as long as there is room. */
export interface Retention {
  /** Records of frames and live state. */
  readonly framesNs?: bigint;
  readonly spansNs?: bigint;
  /** Sessions, turns, waits and minutes: what was derived. */
  readonly turnsNs?: bigint;
  /** Sound that was uploaded; kept by store/recordings.ts. */
  readonly recordingsNs?: bigint;
}

/** Whole commits of flushes, as they follow each other. */
export interface FlushRun {
  readonly flushes: readonly AssemblyFlush[];
  /** All flushes up to this commit, inclusive, have been handed over. */
  readonly lastCommit: number;
}

/** Limits that apply where the page set none. */
export interface BudgetsGiven {
  /** By measure or family, ns. */
  readonly limits: Readonly<Record<string, number>>;
  /** Those of them that `--budgets` named. */
  readonly inFile: readonly string[];
}

export interface BudgetChange {
  /** All that the page sets; null: switched off. */
  readonly items: BudgetInput['items'];
  readonly atUnixNs: bigint;
  /** What the one who changes has seen; absent: whatever it is now. */
  readonly revision?: number;
}

/** Somebody else changed it since. */
export interface BudgetConflict {
  readonly conflict: true;
  readonly now: BudgetList;
}

/** No such session; or as many are pinned as may be. */
export type PinRefusal = 'unknown' | 'full';

/** What people change, little and seldom: here what retention has to know. */
export interface RawChanges {
  /** Keeps a call; again only changes the note. */
  pin(key: string, note: string, atUnixNs: bigint): Pin | PinRefusal;
  /** False: it was not pinned. */
  unpin(key: string): boolean;
}

/** And here what assembly has to know, or nobody. */
export interface DerivedChanges {
  annotate(annotation: AnnotationInput): Annotation;
  /** False: there was none of that ID. */
  removeAnnotation(id: string): boolean;
  setBudgets(change: BudgetChange): BudgetList | BudgetConflict;
}

/** Takes raw data in; one in a data folder. Every method is one transaction, and throws a StoreError. */
export interface RawWriter extends RawChanges {
  /**
   * Raw data, durable when it returns. Writing twice is harmless: spans are known by
   * (trace, span), flushes by (session, producer, seq, part), looked up among the last 24 h.
   */
  commit(batch: IngestBatch): CommitResult;
  /** Some of what is beyond size and ages goes; true when there is more of it. */
  retain(nowUnixNs: bigint): boolean;
  /** Bytes on disk, all files. */
  sizeBytes(): number;
  close(): void;
}

/**
 * What assembly stands on: it reads what was committed, in its own time, and writes what it made
 * of it. Used by one thread, another than the raw writer's; both may be one object.
 */
export interface AssemblyStore extends DerivedChanges {
  commitDerived(rows: readonly DerivedRows[]): void;
  /**
   * Work that can wait: finished sessions are packed, minutes added up over calls. Does some of it
   * and answers whether there is more; call when nothing else is to be done. `nowUnixNs`: minutes
   * younger than 90 s are left, their last frames are on their way.
   */
  tidy(nowUnixNs: bigint): boolean;
  /** At start: what assembly has to take up again. */
  unfinishedSessions(): readonly UnfinishedSession[];
  /** Everything raw of one session; undefined when there is none. `fromUnixNs`: arrival. */
  loadSession(key: string, fromUnixNs?: bigint): RawSession | undefined;
  /**
   * Flushes of the commits after `after`, up to `upTo`, by arrival: whole commits, the first and
   * then as many as keep within `limit` flushes.
   */
  flushesBetween(after: number, upTo: number, limit: number): FlushRun;
  /** Number of the newest commit; 0 while there is none. */
  newestCommit(): number;
  /** The limits that apply, by measure: the object stays, what is in it changes with them. */
  limits(): Readonly<Record<string, number>>;
  /** Zeros of the collector's clock that were noted, oldest first. */
  collectorClocks(): readonly CollectorClockRow[];
  /** Keeps another one, for sessions that begin from now on. */
  noteCollectorClock(clock: Omit<CollectorClockRow, 'sinceCommit'>): CollectorClockRow;
  /** Present where other collectors write too: it says what to assemble, not the writer beside. */
  readonly shared?: SharedAssembly;
  close(): void;
}

/** Where several collectors write to the same store: what is this one's to assemble. */
export interface SharedAssembly {
  /** Call with each tick. */
  pull(): SharedNews;
  /** Tells the viewers at the other collectors. */
  publish(changes: readonly Change[]): void;
}

export interface SharedNews {
  /** Commits of any collector for sessions of this one, each once. */
  readonly batch: CommittedBatch | undefined;
  /** Sessions that are another collector's now. */
  readonly lost: readonly string[];
  /** Sessions that are this one's now: to be read whole. */
  readonly claimed: readonly string[];
  /** What other collectors changed. */
  readonly changes: readonly Change[];
  /** Other limits apply than before, by measure: somebody set them, here or there. */
  readonly limits?: Readonly<Record<string, number>>;
}

export interface PageRequest {
  readonly limit: number;
  /** Opaque: from the `nextCursor` of the page before. */
  readonly cursor?: string;
}

export interface SessionFilter extends PageRequest {
  readonly status?: SessionStatus;
  readonly fromUnixNs?: bigint;
  readonly toUnixNs?: bigint;
}

export interface StorePage<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Half-open range of time, Unix ns. */
export interface UnixRange {
  readonly fromUnixNs: bigint;
  readonly toUnixNs: bigint;
}

export interface MeasureCount {
  readonly measure: string;
  readonly kind: 'wait' | 'frame';
  readonly count: number;
  readonly sessionCount: number;
}

/** A session as charts see it. `row` is its number in the store. */
export interface FacetSession {
  readonly row: number;
  readonly key: string;
  readonly id: string;
  readonly status: string;
  readonly startUnixNs: bigint;
  /** Read when first asked for. */
  readonly facets: SessionFacets;
  isPinned(): boolean;
}

/** What charts filter and group by, kept small: it is read for every session of a range. */
export interface SessionFacets {
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly synthetic: string | null;
  readonly places: readonly Place[];
  /** Hop key → index of its place. */
  readonly hops: Readonly<Record<string, number>>;
  /** Figures by their key in the filter language; durations in ns. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface Place {
  readonly service?: string;
  readonly instance?: string;
  readonly host?: string;
  readonly zone?: string;
  readonly region?: string;
}

export interface WantedColumns {
  /** Measures; `part.*` stands for all of that family. */
  readonly measures: readonly string[];
  /** True when `savesNs` is wanted: NaN otherwise. */
  readonly hasSaves?: boolean;
  /** Of so many calls one, whole, the same each time; where `waitSums` is offered. */
  readonly oneIn?: number;
}

/** Waits in columns; a row is one wait. */
export interface WaitTable extends WaitRows {
  readonly length: number;
  /** Time of a wait: this plus its `atNs`. */
  readonly fromUnixNs: bigint;
  readonly sessions: readonly FacetSession[];
  /** Index into `sessions`. */
  readonly session: Int32Array;
  readonly columns: ReadonlyMap<string, ValueColumn>;
  /** Name of the part that `worst` says. */
  readonly partName: (worst: number) => string | null;
}

export interface RollupScan {
  readonly measure: string;
  readonly range: UnixRange;
}

export interface GroupScan extends RollupScan {
  /** Absent: all calls. */
  readonly group?: { readonly name: string; readonly value: string };
  /** The entry is valid during the call. `sessions`: how many it is made of. */
  readonly visit: (entry: MinuteCursor, sessions: number) => void;
  /** Minutes that have not been added up yet, in rows of sessions: these. */
  readonly visitSession: (entry: MinuteCursor, session: FacetSession) => void;
}

export interface SessionScan extends RollupScan {
  readonly visit: (entry: MinuteCursor, session: FacetSession) => void;
  /** Asked once a session. */
  readonly wants: (session: FacetSession) => boolean;
}

export interface TraceSpans {
  readonly spans: readonly StoredSpan[];
  /** Spans of the trace beyond the limit. */
  readonly omittedCount: number;
}

/** Spans that are not what they seem: with one of these attributes, and by what it says. */
export interface OddSpans {
  readonly keys: readonly string[];
  test(span: StoredSpan): boolean;
}

/** A trace as columns, by order of arrival; entries past `count` are none. */
export interface TraceRows {
  readonly count: number;
  /** IDs as they stand in memory: two words, the first four bytes in `lo`. Parents: both zero on a root. */
  readonly idLo: Uint32Array;
  readonly idHi: Uint32Array;
  readonly parentLo: Uint32Array;
  readonly parentHi: Uint32Array;
  /** Unix ns in two halves. */
  readonly startLo: Uint32Array;
  readonly startHi: Uint32Array;
  readonly endLo: Uint32Array;
  readonly endHi: Uint32Array;
  /** Index into `names`, into `services`. */
  readonly name: Uint32Array;
  readonly names: readonly string[];
  readonly service: Uint32Array;
  readonly services: readonly string[];
  readonly status: Uint8Array;
  readonly odd: readonly StoredSpan[];
  /** The columns that the entries from `at` on stand in, block by block, and the row of each there. */
  readonly blocks: readonly { readonly at: number; readonly columns: SpanColumns }[];
  readonly rowInBlock: Uint32Array;
  /** An entry as an object; costs some microseconds. */
  spanAt(at: number): StoredSpan;
  /** Spans of the trace beyond the limit. */
  readonly omittedCount: number;
}

/** The session, and the turn if it is one's, that a trace belongs to. */
export interface TraceOwner {
  readonly sessionKey: string;
  readonly sessionId: string;
  readonly turnTick: number | null;
}

/** True when the words were said in any turn of the session (in that turn, with `tick`). */
export type WordsFinder = (session: number, tick?: number) => boolean;

export interface SearchRows {
  readonly sessions: readonly SessionSummary[];
  readonly turns: readonly { readonly sessionKey: string; readonly turn: Turn }[];
  readonly traceIds: readonly string[];
}

/** What serving reads through; safe to use while the writer writes. */
export interface StoreReader {
  sessions(filter: SessionFilter): Promise<StorePage<SessionSummary>>;
  session(key: string): Promise<SessionDetail | undefined>;
  /** Those of `keys` that there are. */
  summaries(keys: readonly string[]): Promise<readonly SessionSummary[]>;
  turns(key: string, page: PageRequest): Promise<StorePage<Turn>>;
  turn(key: string, tick: number): Promise<Turn | undefined>;
  /** Flushes whose sender's wall-clock range touches `range` (all when absent), by arrival. */
  flushes(key: string, range?: UnixRange): Promise<readonly StoredFlush[]>;
  /** Flushes of commits after `commit` (all when 0), by arrival: what came since the last look. */
  flushesSince(key: string, commit: number): Promise<readonly StoredFlush[]>;
  /** Spans of one session, by arrival. */
  sessionSpans(key: string, limit: number): Promise<readonly StoredSpan[]>;
  clockSamples(key: string): Promise<readonly ClockSampleRow[]>;
  /** Zeros of the collector's clock that were noted, oldest first. */
  collectorClocks(): Promise<readonly CollectorClockRow[]>;
  /** Of finished sessions the hour in which they began counts: bounds are those of hours. */
  measures(range?: UnixRange): Promise<readonly MeasureCount[]>;
  /** Waits that start in `range`, each once, with the columns asked for. */
  waits(range: UnixRange, wanted: WantedColumns): Promise<WaitTable>;
  /** Present where the engine adds waits up: for more of them than `waits` should read. */
  waitSums?(asked: WaitSumsAsked): Promise<WaitSums>;
  /** Frames of all calls, or of those with one value of a usual dimension, minute by minute. */
  scanGroup(scan: GroupScan): Promise<void>;
  /** Frames session by session and minute by minute, in no order. */
  scanSessions(scan: SessionScan): Promise<void>;
  /** Sessions with their facets, newest first: what a filtered list looks through. */
  scanFacets(range: UnixRange, visit: (session: FacetSession) => boolean): Promise<void>;
  /** By its row; undefined when it was dropped. */
  facetSession(row: number): Promise<FacetSession | undefined>;
  /** Values of a usual dimension that minutes are added up by. */
  groupValues(name: string): Promise<readonly string[]>;
  /** Looks for words that were said, lower case: answers a test of sessions and turns. */
  wordsFinder(text: string): Promise<WordsFinder>;
  /** Calls that are kept, newest first. */
  pins(): Promise<readonly Pin[]>;
  /** Limits as they apply: those given, and what the page set. */
  budgets(given: BudgetsGiven): Promise<BudgetList>;
  annotations(range: UnixRange): Promise<readonly Annotation[]>;
  trace(traceId: string, limit: number): Promise<TraceSpans | undefined>;
  /** The same as columns; those that are `odd` as objects. */
  traceRows(traceId: string, limit: number, odd: OddSpans): Promise<TraceRows | undefined>;
  traceOwner(traceId: string): Promise<TraceOwner | undefined>;
  /** Newest first by arrival. */
  traces(page: PageRequest): Promise<StorePage<TraceSummary>>;
  search(text: string, limit: number): Promise<SearchRows>;
  /**
   * Spans in order of arrival, for whoever hands them on: whole commits after `commit`, the first
   * of them and then as many as keep within `spanLimit` (a commit of flushes only counts as none).
   * `isSettled`: only those before which none can come any more, where several collectors write.
   */
  spansAfter(commit: number, spanLimit: number, isSettled?: boolean): Promise<SpanRun>;
  /**
   * The same backwards, for whoever searches: the latest whole commits within the bound that keep
   * within `spanLimit`, one at least. Spans are in order of arrival all the same.
   */
  spansBefore(bound: CommitBound, spanLimit: number): Promise<SpanRun>;
  /** The newest commit; undefined while nothing is stored. */
  lastCommit(): Promise<CommitPlace | undefined>;
  /** Histogram points of other programs, as sent, by no order. */
  metricPoints(measure: string, range: UnixRange): Promise<readonly StoredPoint[]>;
  metricMeasures(): Promise<readonly MetricCount[]>;
  /** Load of processes in columns of time, by process; one process may stand in several pieces. */
  loads(scan: LoadScan): Promise<readonly LoadColumn[]>;
  /** Bytes on disk. */
  sizeBytes(): Promise<number>;
  /** Present where numbers of commits are times: a gap between two says nothing. */
  readonly commitsLeap?: true;
  /** Present where other collectors may hand on to the same target. */
  forwardTurn?(target: string): ForwardTurn;
  /** Looks again where data is: call when the writer says that files changed. */
  refresh(): void;
  close(): void | Promise<void>;
}

/** Among several collectors: who hands on to a target, and how far that came. */
export interface ForwardTurn {
  /** Call at least once a second. */
  isOurs(): Promise<boolean>;
  /** The last commit that was handed on, by whomever; undefined: none yet. */
  place(): Promise<number | undefined>;
  /** All up to this commit are acknowledged. */
  note(commit: number): Promise<void>;
}

export interface CommitPlace {
  readonly commit: number;
  readonly arrivalUnixNs: bigint;
}

/** Commits before `commit` that had arrived at a time; absent: whichever. */
export interface CommitBound {
  readonly commit?: number;
  readonly arrivedUnixNs?: bigint;
}

export interface SpanRun {
  readonly spans: readonly StoredSpan[];
  /** First and last commit looked at; undefined when there is none where it was asked for. */
  readonly first: CommitPlace | undefined;
  readonly last: CommitPlace | undefined;
}

export interface MetricCount {
  readonly measure: string;
  readonly seriesCount: number;
  readonly pointCount: number;
}
