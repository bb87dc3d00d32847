// Everything raw that is known of one session, in memory: marks by stream, the
// clocks they were read on, the processes that sent them, the turns as last told.
//
// Both the assembler and the queries build it from the same stored flushes, so a
// time on a chart and a time in a ledger are the same time.

import {
  ATTR,
  decodeRecordShared,
  type Attributes,
  type RecordPart,
  type SessionState,
  type StateMessage,
} from '@framescope/protocol';
import type { KnownTurn, SourceName } from '../recognise/source.types.ts';
import type { AssemblyFlush } from '../store/store.ts';
import type { ClockBook } from './clock/clock-book.ts';
import type { ClockKey } from './clock/clock-graph.ts';
import { RoundTrips } from './clock/round-trips.ts';
import { SessionClocks, type ClockMap } from './clock/session-clocks.ts';
import { StreamMarks } from './frames/stream-marks.ts';
import { LineageLog } from './lineage-log.ts';
import { MediaLog } from './media-log.ts';
import { SetupLog } from './setup-log.ts';
import { ToldTurns } from './turns/told-turns.ts';

/** One process that takes part. */
export interface Process {
  readonly producer: string;
  resource: Attributes;
  clock: ClockKey;
  /** DomainNs, on `clock`, of the last thing it told. */
  lastRawNs: number;
  firstRawNs: number;
  session: SessionState | undefined;
  lastArrivalUnixNs: bigint;
  lostCount: number;
  dropped: Readonly<Record<string, number>>;
}

/** A turn as its authority last told it. */
export interface TurnFacts {
  readonly state: KnownTurn;
  readonly clock: ClockKey;
  readonly producer: string | undefined;
  readonly source: SourceName;
  /** DomainNs until which its source was heard of; absent: as its process was. */
  readonly knownToRawNs?: number;
  /** The same turn as others tell it: their moments are told with it. */
  readonly joined?: readonly TurnFacts[];
}

/** Rows carry their clock in a byte. */
const CLOCKS_MAX = 255;
const STREAMS_MAX = 64;
const PROCESSES_MAX = 1_024;
const TURNS_MAX = 20_000;
/** 26 bytes each: a call of an hour with both directions and six hops holds 2.2 million. */
const MARKS_MAX = 6_000_000;
/** A clock nobody compares after so long is placed by its own word. */
const ZERO_WAIT_NS = 5_000_000_000n;

export class SessionData {
  readonly clocks: SessionClocks;
  readonly streams: Map<string, StreamMarks> = new Map();
  readonly processes: Map<string, Process> = new Map();
  readonly media: MediaLog = new MediaLog();
  readonly rtts: RoundTrips = new RoundTrips();
  readonly lineage: LineageLog = new LineageLog();
  readonly setup: SetupLog = new SetupLog();
  /** By `stream tick`. */
  readonly turns: Map<string, TurnFacts> = new Map();
  /** What was refused here, by reason. */
  readonly refused: Map<string, number> = new Map();
  readonly #told = new ToldTurns(reason => this.refuse(reason));
  markCount = 0;
  /** Rises with each mark, range or sample: what was computed from less is out of date. */
  revision = 0;
  readonly #clockKeys: ClockKey[] = [];
  readonly #clockBook: ClockBook;
  #hasReferences = false;
  #zeroUnixNs: bigint | undefined;
  #isZeroFixed = false;
  #firstArrivalUnixNs: bigint | undefined;

  /** `zeroUnixNs`: where it is known already; else it follows from the first flushes. */
  constructor(clockBook: ClockBook, zeroUnixNs?: bigint) {
    this.#clockBook = clockBook;
    this.clocks = new SessionClocks();
    if (zeroUnixNs === undefined) return;
    this.#zeroUnixNs = zeroUnixNs;
    this.#isZeroFixed = true;
    this.clocks.setZero(zeroUnixNs);
  }

  /** Unix time of session time 0. */
  get zeroUnixNs(): bigint {
    return this.#zeroUnixNs ?? 0n;
  }

  get hasFlushes(): boolean {
    return this.processes.size > 0;
  }

  /** A session of spans alone starts with its first span. */
  assumeZero(unixNs: bigint): void {
    if (this.#isZeroFixed || this.hasFlushes) return;
    this.#zeroUnixNs = unixNs;
    this.clocks.setZero(unixNs);
  }

  /** Clocks by the number that rows carry. */
  clockMaps(): ClockMap[] {
    return this.#clockKeys.map(key => this.clocks.map(key));
  }

  addFlush(flush: AssemblyFlush): void {
    if (!this.#hasReferences) this.clocks.setReferences(this.#clockBook.at(flush.commit));
    this.#hasReferences = true;
    const key = this.clocks.note(flush.clock);
    const process = this.#process(flush, key);
    if (process === undefined) return this.refuse('too many processes');
    process.resource = fuller(process.resource, flush.resource.attributes);
    process.clock = key;
    process.lostCount += flush.lostCount;
    if (flush.arrivalUnixNs > process.lastArrivalUnixNs)
      process.lastArrivalUnixNs = flush.arrivalUnixNs;
    const endRawNs = Number(flush.endUnixNs - flush.clock.zeroUnixNs);
    const startRawNs = Number(flush.startUnixNs - flush.clock.zeroUnixNs);
    process.lastRawNs = Math.max(process.lastRawNs, endRawNs);
    process.firstRawNs = Math.min(process.firstRawNs, startRawNs);
    if (flush.record !== undefined) this.#addRecord(flush.record, process);
    if (flush.state !== undefined) this.#addState(flush.state, process);
    if (!this.#isZeroFixed) this.#findZero(flush);
    this.revision++;
  }

  #process(flush: AssemblyFlush, clock: ClockKey): Process | undefined {
    const known = this.processes.get(flush.producer);
    if (known !== undefined || this.processes.size >= PROCESSES_MAX) return known;
    const process: Process = {
      producer: flush.producer,
      resource: flush.resource.attributes,
      clock,
      lastRawNs: -Infinity,
      firstRawNs: Infinity,
      session: undefined,
      lastArrivalUnixNs: flush.arrivalUnixNs,
      lostCount: 0,
      dropped: {},
    };
    this.processes.set(flush.producer, process);
    return process;
  }

  #addRecord(bytes: Uint8Array, process: Process): void {
    // Checked at the door; a volume that was written by an older version may still surprise.
    const record = decodeRecordShared(bytes);
    if (!record.ok) return this.refuse('unreadable record');
    this.addRecord(record.value, process.producer);
  }

  /** Marks and clock samples of one record. */
  addRecord(record: RecordPart, producer: string): void {
    const key = this.clocks.note(record);
    for (const sample of record.clockSamples) {
      this.clocks.addSample(key, sample);
      this.rtts.add(record.domain, sample);
    }
    const clock = this.#clockNumber(key);
    if (clock === undefined || this.markCount > MARKS_MAX)
      return this.refuse('marks beyond memory');
    const resource = this.processes.get(producer)?.resource ?? {};
    const instance = textOf(resource, ATTR.serviceInstanceId) ?? producer;
    for (const block of record.blocks) {
      const stream = this.#stream(block.stream, block);
      if (stream === undefined) {
        this.refuse('too many streams');
        continue;
      }
      const before = stream.markCount;
      stream.add(block, clock, producer, instance);
      this.markCount += stream.markCount - before;
    }
  }

  #clockNumber(key: ClockKey): number | undefined {
    const known = this.#clockKeys.indexOf(key);
    if (known >= 0) return known;
    return this.#clockKeys.length >= CLOCKS_MAX ? undefined : this.#clockKeys.push(key) - 1;
  }

  #stream(
    name: string,
    facts: { readonly sampleRate: number; readonly direction: 'up' | 'down' },
  ): StreamMarks | undefined {
    const known = this.streams.get(name);
    if (known !== undefined || this.streams.size >= STREAMS_MAX) return known;
    const stream = new StreamMarks({ name, ...facts });
    this.streams.set(name, stream);
    return stream;
  }

  #addState(message: StateMessage, process: Process): void {
    if (message.session !== undefined) {
      process.session = message.session;
      if (message.session.authority) this.clocks.prefer(process.clock);
      for (const stream of message.session.streams) this.#stream(stream.name, stream);
    }
    if (message.dropped !== undefined) process.dropped = message.dropped;
    for (const one of message.lineage ?? [])
      if (!this.lineage.add(one, process.clock)) this.refuse('bends and derivations beyond memory');
    for (const one of message.setup ?? [])
      if (!this.setup.add(one, process.clock, process.producer))
        this.refuse('moments of set-up beyond memory');
    for (const interval of message.media ?? [])
      if (!this.media.add(interval, process.clock))
        this.refuse('media figures of too many streams');
    for (const state of this.#told.take(message, process.producer))
      this.addTurn({
        state,
        clock: process.clock,
        producer: process.producer,
        source: 'framescope',
      });
  }

  /** Upserts by (stream, tick); the higher revision wins. */
  addTurn(facts: TurnFacts): void {
    const id = `${facts.state.stream} ${facts.state.tick}`;
    const known = this.turns.get(id);
    if (known !== undefined && known.state.rev > facts.state.rev) return;
    if (known === undefined && this.turns.size >= TURNS_MAX) return this.refuse('too many turns');
    // A span tells the same state later, without its producer.
    this.turns.set(id, { ...facts, producer: facts.producer ?? known?.producer });
    this.revision++;
  }

  /** The process that decides turns: of several that did so, one after the other, the last to speak. */
  authority(): Process | undefined {
    let last: Process | undefined;
    for (const process of this.processes.values())
      if (process.session?.authority === true)
        if (last === undefined || process.lastArrivalUnixNs >= last.lastArrivalUnixNs)
          last = process;
    return last;
  }

  processOnClock(clock: ClockKey): Process | undefined {
    for (const process of this.processes.values()) if (process.clock === clock) return process;
    return undefined;
  }

  /** Counts what was left out here. */
  refuse(reason: string): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
  }

  /**
   * The zero is the first data of the first clocks that are joined to the collector's. It depends
   * on the flushes and their arrival alone, so that it is the same when they are read again.
   */
  #findZero(flush: AssemblyFlush): void {
    this.#firstArrivalUnixNs ??= flush.arrivalUnixNs;
    const startsNs: number[] = [];
    this.clocks.setZero(flush.startUnixNs);
    for (const process of this.processes.values()) {
      const map = this.clocks.map(process.clock);
      if (map.isPlaced) startsNs.push(map.toSession(process.firstRawNs));
    }
    const hasWaited = flush.arrivalUnixNs - this.#firstArrivalUnixNs > ZERO_WAIT_NS;
    if (startsNs.length > 0) this.#zeroUnixNs = flush.startUnixNs + BigInt(Math.min(...startsNs));
    else if (this.#zeroUnixNs === undefined || flush.startUnixNs < this.#zeroUnixNs)
      this.#zeroUnixNs = flush.startUnixNs;
    this.#isZeroFixed = startsNs.length > 0 || hasWaited;
    this.clocks.setZero(this.#zeroUnixNs);
  }
}

/** Each tenth flush says all of a resource, the others who it is. */
const fuller = (before: Attributes, now: Attributes): Attributes =>
  Object.keys(now).every(name => before[name] === now[name]) ? before : { ...before, ...now };

/** A resource attribute that is text, else null. */
export function textOf(attributes: Attributes, name: string): string | null {
  const value = attributes[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

export const serviceOf = (resource: Attributes): string =>
  textOf(resource, ATTR.serviceName) ?? 'unknown_service';
