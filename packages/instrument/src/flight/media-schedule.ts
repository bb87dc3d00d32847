// When the media of a stream is due at each hop: the least of (time passed −
// media time) that the hop has seen, until the schedule itself moves.
//
// It moves when nobody sends for a while (mute, push-to-talk, sleep) and the
// ticks go on where they were, and when a hop is told that it stands further
// back. A stall looks alike at its first frame, but what it kept back comes faster
// than it plays, so the marks that follow tell. Taken for a move by mistake, at
// the end of a flush, it is put right by the next frame that comes earlier.
//
//   passed − media   ▁▁▁▁▁      ▇▇▇▇▇▇▇   a pause: due from here on at ▇
//                    ▁▁▁▁▁      ▇▅▂▁▁▁▁   a stall: late by what lies above ▁

import type { FlushedHop } from '../export/record-builder.ts';
import type { MarkRows } from '../hot/mark-rows.ts';

/** A stream that nobody marks for so long, with ticks that go on, may have paused. */
const PAUSE_NS = 200_000_000;
/** Marks looked at, of all hops, to tell a pause from a stall. */
const AHEAD_MAX = 512;

/** A stream, as its hops share it. */
export interface Paced {
  readonly hops: Due[];
  /** Toward the agent: its source keeps a schedule. */
  readonly isUp: boolean;
  /** The last mark at any hop. */
  lastNs: number;
}

/** When media is due at one hop. */
export interface Due {
  readonly paced: Paced;
  /** The hop's place among those of its session. */
  readonly code: number;
  readonly nsPerTick: number;
  /** Least of (time passed − media time); the media clock's own drift stays far below a budget. */
  offsetNs: number;
  /** Where the last frame ended. */
  endTick: number;
}

/** Rows of a flush in the order of their times. Good until the next flush of any session. */
export interface InOrder {
  readonly rows: MarkRows;
  readonly count: number;
  /** Indices of rows: timed marks lie behind the others, whenever they were made. May be longer. */
  readonly order: Uint32Array;
}

let order = new Uint32Array(0);
/** Moves a row, on the mean, up to which marks are put in order one by one: they lie near their place. */
const MOVES_MAX = 64;

export function inOrder(rows: MarkRows, count: number): InOrder {
  if (order.length < count) order = new Uint32Array(Math.max(count, rows.capacity));
  const { atNs } = rows;
  let moves = MOVES_MAX * count;
  for (let row = 0; row < count; row++) {
    const at = atNs[row]!;
    let place = row;
    while (place > 0 && atNs[order[place - 1]!]! > at && moves-- > 0) {
      order[place] = order[place - 1]!;
      place--;
    }
    order[place] = row;
    if (moves <= 0) return { rows, count, order: sorted(atNs, count) };
  }
  return { rows, count, order };
}

const sorted = (atNs: Float64Array, count: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, row) => row).sort((a, b) => atNs[a]! - atNs[b]! || a - b);

/**
 * Whether the hops of a stream kept their pace since `lastNs`: no pause, nothing late or from further
 * back. Then a hop's schedule can only come earlier, and the order among hops says nothing.
 */
export function isCalm(
  own: readonly Due[],
  flushed: readonly FlushedHop[],
  lastNs: number,
): boolean {
  let busiest: FlushedHop | undefined;
  let latestNs = lastNs;
  for (const { code, endTick } of own) {
    const hop = flushed[code]!;
    const { rows, count, late } = hop;
    if (late.length > 0) return false;
    if (count === 0) continue;
    if (rows.startTick[0]! < endTick) return false;
    if (count > (busiest?.count ?? 0)) busiest = hop;
    for (let row = 0; row < count; row++)
      if (rows.atNs[row]! > latestNs) latestNs = rows.atNs[row]!;
  }
  if (busiest === undefined) return true;
  // A hop that is never quiet for so long shows that the stream is not. Not a number fails.
  let beforeNs = lastNs;
  for (let row = 0; row < busiest.count; row++) {
    const gapNs = busiest.rows.atNs[row]! - beforeNs;
    if (!(gapNs <= PAUSE_NS && (gapNs >= 0 || row === 0))) return false;
    beforeNs = busiest.rows.atNs[row]!;
  }
  return latestNs - beforeNs <= PAUSE_NS;
}

/** How late the `place`-th mark is, ns from 0; marks are asked for in their order, each once. */
export function latenessNs(due: Due, marks: InOrder, place: number): number {
  const { rows, order } = marks;
  const { paced } = due;
  const row = order[place]!;
  const atNs = rows.atNs[row]!;
  const passedNs = passed(due, rows, row);
  const isKnown = due.offsetNs !== Infinity;
  const isPaused = atNs - paced.lastNs > PAUSE_NS;
  const isBack = rows.startTick[row]! < due.endTick;
  const riseNs = passedNs - due.offsetNs;
  if (isKnown && riseNs > PAUSE_NS && (isPaused || isBack) && !catchesUp(due, marks, place))
    // A pause is the stream's, and a hop that was late stays so; a jump comes to each hop in its turn.
    for (const hop of isPaused ? paced.hops : [due]) hop.offsetNs += riseNs;
  // A hop's first mark says nothing about a pause: the next one of another hop does.
  if (isKnown || Number.isNaN(paced.lastNs)) paced.lastNs = atNs;
  due.endTick = rows.startTick[row]! + rows.samples[row]!;
  due.offsetNs = Math.min(due.offsetNs, passedNs);
  return passedNs - due.offsetNs;
}

/** Whether marks that follow make up for half of how late this one is. */
function catchesUp(due: Due, { rows, count, order }: InOrder, place: number): boolean {
  const hop = rows.hop[order[place]!];
  const passedNs = passed(due, rows, order[place]!);
  const halfNs = (passedNs + due.offsetNs) / 2;
  const end = Math.min(count, place + 1 + AHEAD_MAX);
  for (let ahead = place + 1; ahead < end; ahead++) {
    const row = order[ahead]!;
    if (rows.hop[row] === hop && passed(due, rows, row) <= halfNs) return true;
  }
  return false;
}

const passed = ({ nsPerTick }: Due, rows: MarkRows, row: number): number =>
  rows.atNs[row]! - (rows.startTick[row]! + rows.samples[row]!) * nsPerTick;
