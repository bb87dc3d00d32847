// The frames of one stream, corrected and judged: for each hop, in path order,
// when each frame passed, how old it was, and what became of it.

import { FRAME_FLAG, hopKey } from '@framescope/protocol';
import type { ClockMap } from '../clock/session-clocks.ts';
import { inChargeAt, placesOf } from './instances.ts';
import { fatesOf, type DeclaredRange, type Fates, type Missed } from './fate.ts';
import { rowsOfLastTick } from './join.ts';
import { pathOrder, type OrderedHop } from './path-order.ts';
import { scheduleOf, type Schedule } from './schedule.ts';
import type { SealedStream } from './sealed.ts';
import type { HopMarks, StreamMarks } from './stream-marks.ts';

/**
 * One hop's frames, of one instance; columns have `rows.length` valid entries. Session time, ns.
 * What is counted leaves out the first `rows.sealedLength` rows: they were counted before.
 */
export interface HopFrames extends OrderedHop {
  /** `path@instance` */
  readonly id: string;
  /** With the instance where the path has several. */
  readonly key: string;
  /** Without it: what measures are named by. */
  readonly bareKey: string;
  readonly producer: string;
  /** Clock of the last row. */
  readonly clock: ClockMap;
  /**
   * Against the media schedule (up), or since the frame was first sent (down): before that it
   * waits ahead of time, and its age means nothing (NaN, as where it was never seen sent).
   */
  readonly latencyNs: Float64Array;
  /** How wrong a latency may be: this hop's clock and that of where it counts from. */
  readonly latencyErrorNs: number;
  /** FRAME_FLAG bits. */
  readonly flags: Uint8Array;
  /** Frames that this hop lost, at the time they passed the hop before. */
  readonly lost: readonly Missed[];
  /** Late frames are counted at the first hop of their process only. */
  readonly countsLate: boolean;
  readonly lateCount: number;
  /** What this hop made up, of frames it could have had. */
  readonly concealed: readonly Missed[];
  readonly watermarkTick: number;
  /** Limit on latency; null on down streams, whose frames are sent ahead of time. */
  readonly budgetNs: number | null;
  /** Latencies that came out negative beyond the error: clock faults. Within it they are drawn as zero. */
  readonly faultCount: number;
  /** The rows of those. */
  readonly faultRows: readonly number[];
}

export interface StreamFrames {
  readonly name: string;
  readonly sampleRate: number;
  readonly direction: 'up' | 'down';
  /** In path order; instances of one hop stand one after the other. */
  readonly hops: readonly HopFrames[];
  /** Up streams with marks. */
  readonly schedule: Schedule | undefined;
  /** What processes said of missing media, corrected. */
  readonly declared: readonly DeclaredRange[];
}

export interface FrameContext {
  /** By the number that rows carry. */
  readonly clocks: readonly ClockMap[];
  readonly budgetNs: number | null;
  /** What is known of the part of this stream that was counted for good. */
  readonly sealed?: SealedStream;
}

export function framesOf(marks: StreamMarks, context: FrameContext): StreamFrames {
  const { name, sampleRate, direction } = marks;
  const { sealed } = context;
  const corrected = [...marks.hops.values()]
    .filter(hop => hop.rows.length > 0)
    .map(hop => correctedHop(hop, context));
  const places = new Map(placesOf(corrected).map(place => [place.all, place.instances]));
  const hops = pathOrder([...places.keys()], direction);
  const declared = correctedRanges(marks, context.clocks);
  const fates = fatesOf({ hops, ranges: nearRanges(declared, marks), sampleRate });
  const schedule = direction === 'down' ? undefined : scheduleIn(hops[0], sampleRate, sealed);
  const judge: Judge = {
    stream: name,
    budgetNs: direction === 'up' ? context.budgetNs : null,
    hasSeveral: path => [...marks.hops.values()].filter(hop => hop.path === path).length > 1,
    edgeTick: marks.edgeTick,
  };
  const origin = direction === 'down' ? firstSent(hops, sealed) : 0;
  const judged = hops.flatMap((all, i) => {
    const instances = places.get(all)!;
    return instances.map((hop, instance) => {
      const latencyNs = schedule
        ? sinceSchedule(hop, schedule)
        : origin === undefined || i < origin
          ? new Float64Array(hop.rows.length).fill(Number.NaN)
          : sinceSent(hop, hops[origin]!);
      const errorNs = hop.errorNs + (origin === undefined ? 0 : hops[origin]!.errorNs);
      const share = shareOf(fates, i, { all, instances, instance });
      return judgedHop(judge, { hop, share, latencyNs, errorNs });
    });
  });
  return {
    name,
    sampleRate,
    direction,
    hops: sealed === undefined ? judged : sealed.withQuiet(judged),
    schedule,
    declared,
  };
}

/** Those that may touch marks that are still here. */
const nearRanges = (
  declared: readonly DeclaredRange[],
  { contextTick }: StreamMarks,
): readonly DeclaredRange[] =>
  contextTick === 0 ? declared : declared.filter(range => range.endTick >= contextTick);

/** By the marks of the first hop there are, and those that are gone. */
function scheduleIn(
  first: CorrectedHop | undefined,
  sampleRate: number,
  sealed: SealedStream | undefined,
): Schedule | undefined {
  if (sealed === undefined || sealed.edgeTick === 0)
    return first && scheduleOf(first.rows, first.atNs, sampleRate);
  if (first === undefined || first.path !== sealed.firstPath) return sealed.schedule.with(NO_MARKS);
  return sealed.schedule.with({
    cut: first.rows,
    atNs: first.atNs,
    from: first.rows.countBefore(sealed.edgeTick),
  });
}

const NO_MARKS = { cut: { length: 0, startTick: [], endTick: [] }, atNs: [], from: 0 };

type CorrectedHop = OrderedHop & { readonly marks: HopMarks; readonly clock: ClockMap };

function correctedHop(marks: HopMarks, { clocks, sealed }: FrameContext): CorrectedHop {
  const { path, role, name, nth, after, rows } = marks;
  const clock = clocks[rows.clock[rows.length - 1]!]!;
  const middleNs = rows.rawNs[rows.length >> 1]!;
  const firstTick = sealed?.firstTickOf(path);
  return {
    path,
    ...(firstTick === undefined ? {} : { firstTick }),
    role,
    name,
    nth,
    ...(after === undefined ? {} : { after }),
    rows,
    atNs: correctedTimes(marks, clocks),
    errorNs: Math.ceil(clocks[rows.clock[rows.length >> 1]!]!.boundNs(middleNs)),
    marks,
    clock,
  };
}

/**
 * An offset bends by at most the drift allowance, so over 134 ms a straight line is
 * right to 4 µs, less than the quantum of a mark, and saves most of the look-ups.
 */
const BLOCK_NS: number = 2 ** 27;

function correctedTimes({ rows }: HopMarks, clocks: readonly ClockMap[]): Float64Array {
  const atNs = new Float64Array(rows.length);
  let block = Number.NaN;
  let clockAt = -1;
  let left = 0;
  let slope = 0;
  for (let row = 0; row < rows.length; row++) {
    const rawNs = rows.rawNs[row]!;
    const its = Math.floor(rawNs / BLOCK_NS);
    if (its !== block || rows.clock[row] !== clockAt) {
      clockAt = rows.clock[row]!;
      block = its;
      const clock = clocks[clockAt]!;
      left = clock.toSession(its * BLOCK_NS);
      slope = (clock.toSession((its + 1) * BLOCK_NS) - left) / BLOCK_NS;
    }
    atNs[row] = Math.round(left + (rawNs - its * BLOCK_NS) * slope);
  }
  return atNs;
}

function correctedRanges(marks: StreamMarks, clocks: readonly ClockMap[]): DeclaredRange[] {
  return marks.ranges.map(({ kind, path, startTick, endTick, rawNs, clock }) => ({
    kind,
    path,
    startTick,
    endTick,
    atNs: clocks[clock]!.toSession(rawNs),
  }));
}

/** Age of each frame: since its last sample was due at the mouth. */
function sinceSchedule({ rows, atNs }: CorrectedHop, schedule: Schedule): Float64Array {
  const latencyNs = new Float64Array(rows.length);
  for (let row = 0; row < rows.length; row++)
    latencyNs[row] = Math.round(atNs[row]! - schedule.at(rows.endTick[row]!));
  return latencyNs;
}

/**
 * Where the way of agent audio begins. TTS pushes seconds ahead of real time and the agent
 * paces what it sends, so the way is counted from the first `send`; without one from the first hop.
 */
function firstSent(
  hops: readonly CorrectedHop[],
  sealed: SealedStream | undefined,
): number | undefined {
  const sent = hops.findIndex(hop => hop.name === 'send');
  if (sent >= 0) return sent;
  // It has been quiet for long: nobody knows when these were sent.
  return sealed?.has('send') === true ? undefined : 0;
}

/** Time since `sent` let the frame's last sample go; NaN where it never saw it. */
function sinceSent({ rows, atNs }: CorrectedHop, sent: CorrectedHop): Float64Array {
  const latencyNs = new Float64Array(rows.length);
  const from = rowsOfLastTick(rows, sent.rows);
  for (let row = 0; row < rows.length; row++)
    latencyNs[row] = from[row]! < 0 ? Number.NaN : atNs[row]! - sent.atNs[from[row]!]!;
  return latencyNs;
}

/** What became of the frames of one instance. */
interface Share {
  /** Of its rows. */
  readonly late: Uint8Array;
  readonly lostNext: Uint8Array;
  readonly lost: readonly Missed[];
  readonly countsLate: boolean;
  readonly concealed: readonly Missed[];
  readonly watermarkTick: number;
}

interface Standing {
  readonly all: CorrectedHop;
  readonly instances: readonly CorrectedHop[];
  /** Which of them. */
  readonly instance: number;
}

/** Fates are those of places: this is the part of one who stood there. */
function shareOf(fates: Fates, at: number, { all, instances, instance }: Standing): Share {
  const whole = {
    late: fates.late[at]!,
    lostNext: fates.lostNext[at]!,
    lost: fates.lost[at]!,
    countsLate: fates.countsLate[at]!,
    concealed: fates.concealed[at]!,
    watermarkTick: fates.watermarkTick[at]!,
  };
  if (instances.length === 1) return whole;
  const { rows } = instances[instance]!;
  const placeRow = Array.from({ length: rows.length }, (_, row) =>
    all.rows.rowOf(rows.startTick[row]!),
  );
  const its = (missed: readonly Missed[]): Missed[] =>
    missed.filter(one => inChargeAt(instances, one.atNs) === instance);
  return {
    late: Uint8Array.from(placeRow, row => whole.late[row]!),
    lostNext: Uint8Array.from(placeRow, row => whole.lostNext[row]!),
    lost: its(whole.lost),
    countsLate: whole.countsLate,
    concealed: its(whole.concealed),
    watermarkTick: Math.min(whole.watermarkTick, rows.endTick[rows.length - 1]!),
  };
}

interface Judge {
  readonly stream: string;
  readonly budgetNs: number | null;
  readonly hasSeveral: (path: string) => boolean;
  /** What ends before it was counted. */
  readonly edgeTick: number;
}

interface Judged {
  readonly hop: CorrectedHop;
  readonly share: Share;
  readonly latencyNs: Float64Array;
  /** Of a latency: this hop's clock and the first one's. */
  readonly errorNs: number;
}

function judgedHop(judge: Judge, { hop, share, latencyNs, errorNs }: Judged): HopFrames {
  const { budgetNs, stream, hasSeveral, edgeTick } = judge;
  const flags = new Uint8Array(hop.rows.length);
  const { late, lostNext, countsLate } = share;
  const { sealedLength } = hop.rows;
  const faultRows: number[] = [];
  let lateCount = 0;
  for (let row = 0; row < flags.length; row++) {
    if (latencyNs[row]! < 0) {
      if (latencyNs[row]! < -errorNs - QUANTUM_NS && row >= sealedLength) faultRows.push(row);
      latencyNs[row] = 0;
    }
    if (late[row] === 1 && row >= sealedLength) lateCount++;
    flags[row] =
      (late[row] === 1 ? FRAME_FLAG.late : 0) |
      (lostNext[row] === 1 ? FRAME_FLAG.lost : 0) |
      (budgetNs !== null && latencyNs[row]! > budgetNs ? FRAME_FLAG.overBudget : 0);
  }
  const { marks, ...ordered } = hop;
  const place = { stream, role: hop.role, name: hop.name, nth: hop.nth };
  const isNew = (one: Missed): boolean => one.endTick >= edgeTick;
  return {
    ...ordered,
    id: marks.id,
    key: hopKey(hasSeveral(hop.path) ? { ...place, instance: marks.instance } : place),
    bareKey: hopKey(place),
    producer: marks.producer,
    latencyNs,
    latencyErrorNs: errorNs,
    flags,
    lost: edgeTick === 0 ? share.lost : share.lost.filter(isNew),
    countsLate,
    lateCount: countsLate ? lateCount : 0,
    concealed: edgeTick === 0 ? share.concealed : share.concealed.filter(isNew),
    watermarkTick: share.watermarkTick,
    budgetNs,
    faultCount: faultRows.length,
    faultRows,
  };
}

/** Marks are kept to 10 µs by default. */
const QUANTUM_NS = 10_000;
