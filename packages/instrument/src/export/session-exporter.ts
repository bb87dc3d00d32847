// One session's flush: marks out of the ring, into a record, into bytes, into
// the outbox. Runs off the audio path, about once a second.

import {
  encodeRecord,
  EncodeTally,
  type ClockSample,
  type FrameBlock,
  type FrameRecord,
  type MediaRange,
  type SessionState,
  type UnixNs,
} from '@framescope/protocol';
import { isTimedBeforeLeap, rowsBeforeLeap } from '../clock/leap-watch.ts';
import type { TimedMarks } from '../hop/timed-marks.ts';
import type { SessionFlight } from '../flight/session-flight.ts';
import type { MarkRing } from '../hot/mark-ring.ts';
import type { MarkRows } from '../hot/mark-rows.ts';
import type { Clock } from '../ports.ts';
import { textOf, type Problems } from '../problems.ts';
import { framesSpans, recordId, type SpanPacker } from './frames-span.ts';
import type { Outbox } from './outbox.ts';
import type { RecordBuilder, StreamFacts } from './record-builder.ts';
import type { StateBook } from './state-book.ts';
import { StateTeller, type Told } from './state-teller.ts';

/** 10 µs: finer than a browser's clock, and 6.8 bits a mark. */
const QUANTUM_NS = 10_000;
/** A sample a second from the collector and each link: a minute of a busy relay. */
const CLOCK_SAMPLES_MAX = 256;

export interface ExporterHost {
  readonly sessionId: string;
  readonly traceId: string;
  readonly producer: string;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly ring: MarkRing;
  /** Where marks of hops that found no room went. */
  readonly refusingRing: MarkRing;
  /** Marks that brought their time. */
  readonly timed: TimedMarks;
  /** Shared by all sessions of a scope: a flush is over before the next one begins. */
  readonly rows: MarkRows;
  readonly builder: RecordBuilder;
  readonly book: StateBook;
  /** Remembers the marks for a minute, and gives those that are worth it a span. */
  readonly flight: Pick<SessionFlight, 'take'>;
  readonly packer: SpanPacker;
  readonly outbox: Outbox;
  readonly rangesOf: (stream: StreamFacts) => readonly MediaRange[];
  readonly sessionState: () => SessionState;
  readonly onAcknowledged: (recordIds: readonly string[]) => void;
}

interface ClockEpoch {
  readonly number: number;
  readonly zeroUnixNs: UnixNs;
}

const epochOf = ({ epoch, zeroUnixNs }: Clock): ClockEpoch => ({ number: epoch, zeroUnixNs });

export class SessionExporter {
  readonly #host: ExporterHost;
  readonly #teller: StateTeller;
  #seq = 0;
  #clockSamples: ClockSample[] = [];
  /** Of the marks that wait: the clock may have leapt since they were made. */
  #epoch: ClockEpoch;
  #refused = 0;
  #closed = 0;
  #bad = 0;
  #waiting = 0;

  constructor(host: ExporterHost) {
    this.#host = host;
    this.#teller = new StateTeller(host.book);
    this.#epoch = epochOf(host.clock);
  }

  clockSample(sample: ClockSample): void {
    if (this.#clockSamples.length < CLOCK_SAMPLES_MAX) this.#clockSamples.push(sample);
  }

  /** Packs what came since the last call and hands it to the outbox. Never throws. */
  flush(): void {
    const { problems } = this.#host;
    let lost = problems.guard(
      'flush',
      () => this.#countLost(),
      () => 0,
    );
    // Ring and timed marks together may be more than one record's worth; what was lost is told once.
    do {
      const lostCount = lost;
      lost = 0;
      problems.guard('flush', () => this.#flushOnce(lostCount));
    } while (this.#host.ring.length > 0 || this.#host.timed.length > 0);
  }

  #flushOnce(lostCount: number): void {
    const { ring, timed, rows, clock } = this.#host;
    const ringCount = ring.drain(rows);
    const frameCount = timed.drainInto(rows, ringCount);
    if (clock.epoch === this.#epoch.number) return this.#pack(frameCount, lostCount);
    const [oldRows, newRows] = this.#sidesOfLeap(ringCount, frameCount);
    arrange(rows, [...oldRows, ...newRows]);
    this.#pack(oldRows.length, lostCount);
    this.#epoch = epochOf(clock);
    arrange(
      rows,
      newRows.map((_, i) => oldRows.length + i),
    );
    if (newRows.length > 0) this.#pack(newRows.length, 0);
  }

  /** Rows made before the leap, and after it: first those of the ring, then those that brought their time. */
  #sidesOfLeap(ringCount: number, frameCount: number): [number[], number[]] {
    const { rows, clock } = this.#host;
    const checkedNs = clock.epochFromNs ?? -Infinity;
    const oldRingCount = rowsBeforeLeap(rows.atNs, ringCount, checkedNs);
    const nowNs = clock.now();
    const sides: [number[], number[]] = [[], []];
    for (let row = 0; row < frameCount; row++) {
      const isOld =
        row < ringCount ? row < oldRingCount : isTimedBeforeLeap(rows.atNs[row]!, checkedNs, nowNs);
      sides[isOld ? 0 : 1].push(row);
    }
    return sides;
  }

  /** Makes one record of the first `frameCount` rows, and sends it. */
  #pack(frameCount: number, lostCount: number): void {
    const { rows, builder, flight, rangesOf, sessionState, clock } = this.#host;
    builder.sort(rows, frameCount);
    flight.take(builder.hops, rows, frameCount);
    const blocks = builder.blocks(rangesOf);
    const clockSamples = this.#clockSamples;
    this.#clockSamples = [];
    const told = this.#teller.next(sessionState);
    const isEmpty = blocks.length === 0 && clockSamples.length === 0 && told.message === undefined;
    // A heart beat says "I am alive"; one that waits says nothing more.
    if (isEmpty && this.#waiting > 0) return;
    const record = this.#record(blocks, clockSamples);
    const nowNs = clock.now();
    const firstNs = frameCount === 0 ? nowNs : builder.firstNs;
    const lastNs = frameCount === 0 ? nowNs : builder.lastNs;
    this.#send(record, told, { lostCount, firstNs, lastNs });
  }

  #record(blocks: readonly FrameBlock[], clockSamples: readonly ClockSample[]): FrameRecord {
    const { producer, clock } = this.#host;
    const { number: epoch, zeroUnixNs } = this.#epoch;
    const seq = this.#seq;
    this.#seq += 1;
    return {
      producer,
      seq,
      domain: clock.domain,
      epoch,
      zeroUnixNs,
      quantumNs: QUANTUM_NS,
      blocks,
      clockSamples,
    };
  }

  #send(
    record: FrameRecord,
    told: Told,
    counts: { lostCount: number; firstNs: number; lastNs: number },
  ): void {
    const { book, outbox, packer, traceId, sessionId, problems } = this.#host;
    try {
      const parts = this.#encode(record);
      const state = told.message;
      const facts = { sessionId, traceId, record, parts, state, ...counts };
      const bytes = packer.pack(framesSpans(facts));
      const recordIds = Array.from({ length: Math.max(1, parts.length) }, (_, part) =>
        recordId(record, traceId, part),
      );
      this.#waiting += 1;
      outbox.enqueue({
        recordIds,
        bytes,
        isWhole: state?.session !== undefined,
        settled: drop => {
          this.#waiting -= 1;
          told.settled(drop === undefined);
          if (drop === undefined) this.#acknowledged(recordIds);
          else book.countDropped(drop, 1);
        },
      });
    } catch (cause) {
      told.settled(false);
      problems.report(
        'not_encoded',
        `a record could not be packed: ${textOf(cause)}; please report this`,
      );
    }
  }

  #encode(record: FrameRecord): readonly Uint8Array[] {
    if (record.blocks.length === 0 && record.clockSamples.length === 0) return [];
    const tally = new EncodeTally();
    // Packed before the next one is encoded.
    const parts = encodeRecord(record, { tally, isLent: true });
    this.#host.book.countDropped('bad_mark', tally.refusedCount);
    return parts;
  }

  #acknowledged(recordIds: readonly string[]): void {
    try {
      this.#host.onAcknowledged(recordIds);
    } catch (cause) {
      this.#host.problems.report('on_acknowledged_threw', `onAcknowledged: ${textOf(cause)}`);
    }
  }

  /** Marks lost since the last flush, each told under its reason. */
  #countLost(): number {
    const { ring, refusingRing, timed, book, problems } = this.#host;
    const refused = ring.refusedCount + timed.refusedCount - this.#refused;
    const closedCount = ring.closedCount + refusingRing.closedCount + timed.closedCount;
    const closed = closedCount - this.#closed;
    const bad = ring.badCount + refusingRing.badCount - this.#bad;
    this.#refused += refused;
    this.#closed += closed;
    this.#bad += bad;
    book.countDropped('session_ended', closed);
    if (refused > 0)
      problems.report(
        'ring_full',
        'more marks than the ring holds came between two flushes: was the event loop blocked? They are counted as dropped',
        refused,
      );
    if (bad > 0)
      problems.report(
        'bad_mark',
        'mark(samples) takes a whole number of samples above 0, markAt also a start tick from 0',
        bad,
      );
    return refused + bad;
  }
}

/** Puts the rows named in `order`, indices without repetition, to the front. */
function arrange(rows: MarkRows, order: readonly number[]): void {
  for (const column of [rows.atNs, rows.startTick, rows.samples, rows.hop])
    column.set(order.map(row => column[row]!));
}
