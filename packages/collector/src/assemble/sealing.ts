// Which marks of a session are counted for good, and when that was wrong.
//
// Reading a session again costs as much as all its marks: it happens at once the first
// time, and then the less often the more often it was needed, so that a stream that
// starts over and over takes no more than a few hundredths of the time. At its end
// every session is read again.

import { NS_PER_S } from '@framescope/protocol';
import type { Flow } from './frames/flow.ts';
import { SealedStream } from './frames/sealed.ts';
import type { HopFrames, StreamFrames } from './frames/stream-frames.ts';
import type { HopMarks, StreamMarks } from './frames/stream-marks.ts';
import type { SessionData } from './session-data.ts';

/** A frame this far behind every hop at work is counted for good… */
const BEHIND_S = 10;
/** …and where frameworks tell of turns: they do when those are over. */
const BEHIND_TOLD_S = 90;
/** A hop this far behind the others is at work no more. */
const AT_WORK_S = 60;
/** Marks before the edge that stay, for those behind it to be judged by. */
const CONTEXT_S = 2;
/** Less than this is not worth the sealing. */
const STEP_S = 5;
/** A turn holds its marks so long, ended or not. */
const HELD_NS: number = 600 * NS_PER_S;
/** Reading a mark again costs some tenths of a microsecond: between two times lies so much a mark. */
const AGAIN_NS_A_MARK = 15_000;
/** The pause doubles with each time, up to this often. */
const DOUBLINGS_MAX = 8;
/** Rows looked at for the earliest: marks are nearly in order of time. */
const NEARLY = 512;
const MINUTE_NS = 60_000_000_000n;

export interface SealingFacts {
  /** Session time from which turns are still going on. */
  readonly openNs: number;
  /** Turns are told by other programs. */
  readonly isTold: boolean;
  /** By stream. */
  readonly flows: ReadonlyMap<string, readonly Flow[]>;
}

/** How often a session was read again, and when last. */
export interface Rereads {
  readonly count: number;
  readonly lastUnixNs: bigint;
}

export const NEVER_REREAD: Rereads = { count: 0, lastUnixNs: 0n };

export class Sealing {
  readonly rereads: Rereads;
  hasSealed = false;
  readonly #streams = new Map<string, SealedStream>();
  #zeroUnixNs: bigint | undefined;
  #isUpset = false;
  #sealedCount = 0;

  constructor(rereads: Rereads = NEVER_REREAD) {
    this.rereads = rereads;
  }

  /** Session time up to which marks are gone. */
  get sealedToNs(): number {
    let last = -Infinity;
    for (const { sealedToNs } of this.#streams.values()) last = Math.max(last, sealedToNs);
    return last;
  }

  of(stream: string): SealedStream | undefined {
    return this.#streams.get(stream);
  }

  streamOf({ name, sampleRate }: StreamMarks, zeroUnixNs: bigint): SealedStream {
    let stream = this.#streams.get(name);
    // Nothing is sealed: the minutes are those of the zero as it is now.
    if (stream === undefined || !this.hasSealed) {
      stream = new SealedStream(sampleRate, zeroUnixNs);
      this.#streams.set(name, stream);
    }
    return stream;
  }

  /** What was sealed is not what would be sealed now. */
  upset(): void {
    if (this.hasSealed) this.#isUpset = true;
  }

  /** True when the session should be read again, now. */
  isDue(data: SessionData, nowUnixNs: bigint): boolean {
    if (!this.hasSealed) return false;
    const isMissed = [...data.streams.values()].some(stream => stream.missedCount > 0);
    if (isMissed || data.zeroUnixNs !== this.#zeroUnixNs) this.#isUpset = true;
    if (!this.#isUpset) return false;
    const { count, lastUnixNs } = this.rereads;
    const marks = this.#sealedCount + data.markCount;
    const pauseNs = marks * AGAIN_NS_A_MARK * 2 ** Math.min(count, DOUBLINGS_MAX);
    return count === 0 || nowUnixNs - lastUnixNs >= BigInt(pauseNs);
  }

  /**
   * Seals what can be. Answers the Unix minute before which nothing will change.
   */
  seal(
    data: SessionData,
    streams: readonly StreamFrames[],
    { openNs, isTold, flows }: SealingFacts,
  ): number {
    let firstLeft = Infinity;
    for (const frames of streams) {
      const marks = data.streams.get(frames.name)!;
      const sealed = this.#streams.get(frames.name)!;
      if (sealed.edgeTick > 0 && sealed.isReordered(frames.hops)) this.#isUpset = true;
      const edge = edgeOf(marks, frames, { openNs, behindS: isTold ? BEHIND_TOLD_S : BEHIND_S });
      const isWorthIt = edge >= marks.edgeTick + STEP_S * marks.sampleRate;
      const leftNs = firstTimeFrom(frames.hops, isWorthIt ? edge : marks.edgeTick);
      if (isWorthIt) {
        const before = marks.markCount;
        this.#sealedCount += sealed.seal(frames, flows.get(frames.name) ?? [], edge);
        marks.seal(edge, edge - CONTEXT_S * marks.sampleRate);
        data.markCount -= before - marks.markCount;
        this.#zeroUnixNs ??= data.zeroUnixNs;
        this.hasSealed = true;
      }
      if (leftNs < Infinity) sealed.forgetMinutes(leftNs);
      firstLeft = Math.min(firstLeft, leftNs);
    }
    if (!this.hasSealed || firstLeft === Infinity) return 0;
    return Number((data.zeroUnixNs + BigInt(Math.floor(firstLeft))) / MINUTE_NS);
  }
}

/** Frames that end before it are done with; a whole second of media. */
function edgeOf(
  marks: StreamMarks,
  { hops }: StreamFrames,
  { openNs, behindS }: { readonly openNs: number; readonly behindS: number },
): number {
  const { sampleRate } = marks;
  const fronts = [...marks.hops.values()].map((hop: HopMarks) => hop.frontTick);
  const newest = Math.max(0, ...fronts);
  const atWork = fronts.filter(front => front > newest - AT_WORK_S * sampleRate);
  let edge = Math.min(newest, ...atWork) - behindS * sampleRate;
  for (const hop of hops) edge = Math.min(edge, firstTickSince(hop, openNs));
  return Math.floor(edge / sampleRate) * sampleRate;
}

/** Of the frames that passed at `openNs` or later the first; beyond any when there is none. */
function firstTickSince({ rows, atNs }: HopFrames, openNs: number): number {
  if (rows.length === 0 || atNs[rows.length - 1]! - openNs > HELD_NS) return Infinity;
  for (let row = rows.sealedLength; row < rows.length; row++)
    if (atNs[row]! >= openNs) return rows.startTick[row]!;
  return Infinity;
}

/** Session time of the first mark whose frame ends at `edge` or later. */
function firstTimeFrom(hops: readonly HopFrames[], edge: number): number {
  let first = Infinity;
  for (const { rows, atNs } of hops) {
    const from = Math.max(rows.sealedLength, rows.countBefore(edge));
    for (let row = from; row < Math.min(rows.length, from + NEARLY); row++)
      if (atNs[row]! < first) first = atNs[row]!;
  }
  return first;
}
