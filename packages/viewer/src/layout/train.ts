// The train timetable: each frame a line from hop to hop.
//
//   mic.client/send     ──┬───┬───┬───┬──     slope is latency, a gap is loss,
//                          ╲   ╲   ╲   ╲
//   mic.agent/receive   ────┴───┴───┴───┴     bunching is jitter
//                            ╲  │  ╱
//   mic.agent/stt       ────────┴────────     a fan-in is re-chunking
//
// Which frame of one hop is which of the next is an interval join over ticks:
// `[a, b)` here and `[c, d)` there are the same audio where they overlap.

import { lowerBound, toX, type TimeScale } from './time-scale.ts';
import type { Lanes, Leg, Station } from './lanes.ts';

/** Columns of one hop, in order of time. */
export interface Rows {
  readonly length: number;
  readonly rawShiftNs: number;
  readonly startTick: ArrayLike<number>;
  readonly endTick: ArrayLike<number>;
  readonly atNs: ArrayLike<number>;
  readonly latencyNs: ArrayLike<number>;
  readonly flags: ArrayLike<number>;
}

/** How far beyond its limit a line is; the index of its colour. */
export const LEVEL = { silent: 0, calm: 1, near: 2, over: 3, far: 4, extreme: 5 } as const;
export const LEVEL_COUNT = 6;

/** Lines in CSS pixels, reused from frame to frame; rows past `count` are stale. */
export interface Lines {
  count: number;
  readonly x1: Float32Array;
  readonly x2: Float32Array;
  readonly leg: Uint8Array;
  readonly level: Uint8Array;
  readonly fromRow: Int32Array;
  readonly toRow: Int32Array;
}

/** A burst ahead of real time: one piece above, many below. */
export interface Fan {
  readonly leg: number;
  readonly x: number;
  readonly left: number;
  readonly right: number;
}

/** Where a frame was last seen. */
export interface LostMark {
  readonly station: number;
  readonly x: number;
  readonly row: number;
}

export interface Train {
  readonly lines: Lines;
  fans: Fan[];
  lost: LostMark[];
}

/** 32 legs by 4,000 pixels of a wide screen, one line each. */
export const LINES_MAX: number = 1 << 17;
const FLAG_LOST = 2;
const FAN_CHILDREN_MIN = 4;

export function makeTrain(): Train {
  const lines: Lines = {
    count: 0,
    x1: new Float32Array(LINES_MAX),
    x2: new Float32Array(LINES_MAX),
    leg: new Uint8Array(LINES_MAX),
    level: new Uint8Array(LINES_MAX),
    fromRow: new Int32Array(LINES_MAX),
    toRow: new Int32Array(LINES_MAX),
  };
  return { lines, fans: [], lost: [] };
}

export interface TrainInput {
  readonly lanes: Lanes;
  readonly rows: ReadonlyMap<string, Rows>;
  readonly scale: TimeScale;
  readonly isRaw: boolean;
  /** Tick ranges of speech by stream: what lies outside is drawn fainter. */
  readonly speech: ReadonlyMap<string, readonly { startTick: number; endTick: number }[]>;
}

/** Lays out every line in view into `train`; at most one per pixel pair and leg. */
export function layoutTrain(input: TrainInput, train: Train): void {
  train.lines.count = 0;
  train.fans = [];
  train.lost = [];
  input.lanes.legs.forEach((leg, index) => layoutLeg(input, train, leg, index));
  input.lanes.stations.forEach((station, index) => layoutLost(input, train, station, index));
}

const shiftOf = (input: TrainInput, rows: Rows): number => (input.isRaw ? rows.rawShiftNs : 0);
const xOf = (input: TrainInput, rows: Rows, i: number): number =>
  toX(input.scale, rows.atNs[i]! - shiftOf(input, rows));

function layoutLost(input: TrainInput, train: Train, station: Station, index: number): void {
  const rows = input.rows.get(station.key);
  if (!rows) return;
  let lastPx = -1;
  const shiftNs = shiftOf(input, rows);
  const end = lowerBound(rows.atNs, rows.length, input.scale.toNs + shiftNs);
  for (let i = lowerBound(rows.atNs, rows.length, input.scale.fromNs + shiftNs); i < end; i++) {
    if (((rows.flags[i] ?? 0) & FLAG_LOST) === 0) continue;
    const x = xOf(input, rows, i);
    if (Math.floor(x / 2) === lastPx) continue;
    lastPx = Math.floor(x / 2);
    train.lost.push({ station: index, x, row: i });
  }
}

/** Row numbers by start tick; nearly always the order of time already. */
export function orderByTick(rows: Rows): Int32Array {
  const order = new Int32Array(rows.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  for (let i = 1; i < rows.length; i++)
    if (rows.startTick[i]! < rows.startTick[i - 1]!)
      return order.sort((a, b) => rows.startTick[a]! - rows.startTick[b]!);
  return order;
}

/** Which row of one hop is which of the next, by row of the first: known as long as the rows are the same. */
interface Links {
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Time between the two beyond what the chunk took to fill, ns. */
  readonly legNs: Float64Array;
  readonly fans: readonly { readonly a: number; readonly first: number; readonly last: number }[];
  /** Least and greatest time between two rows of a link, ns: bounds the search. */
  readonly leastNs: number;
  readonly mostNs: number;
}

const known = new WeakMap<Rows, WeakMap<Rows, Links>>();

/** A picture is laid out anew sixty times a second, its rows come once a second at most. */
function linksOf(above: Rows, below: Rows, sampleRate: number): Links {
  let ofAbove = known.get(above);
  if (!ofAbove) known.set(above, (ofAbove = new WeakMap()));
  let links = ofAbove.get(below);
  if (!links) ofAbove.set(below, (links = joinRows(above, below, sampleRate)));
  return links;
}

function joinRows(above: Rows, below: Rows, sampleRate: number): Links {
  const aOrder = orderByTick(above);
  const bOrder = orderByTick(below);
  const from: number[] = [];
  const to: number[] = [];
  const fans: { a: number; first: number; last: number }[] = [];
  let first = 0;
  for (const a of aOrder) {
    const start = above.startTick[a]!;
    const end = above.endTick[a]!;
    while (first < bOrder.length && below.endTick[bOrder[first]!]! <= start) first++;
    let last = first;
    while (last < bOrder.length && below.startTick[bOrder[last]!]! < end) last++;
    if (last - first >= FAN_CHILDREN_MIN)
      fans.push({ a, first: bOrder[first]!, last: bOrder[last - 1]! });
    else
      for (let k = first; k < last; k++) {
        from.push(a);
        to.push(bOrder[k]!);
      }
  }
  return timed({ above, below, sampleRate }, inOrderOfTime(from, to), fans);
}

/** By row of the first hop: what is in view is then one stretch. Nearly always so already. */
function inOrderOfTime(from: number[], to: number[]): { from: Int32Array; to: Int32Array } {
  const isInOrder = from.every((row, i) => i === 0 || row >= from[i - 1]!);
  if (isInOrder) return { from: Int32Array.from(from), to: Int32Array.from(to) };
  const order = from.map((_, i) => i).sort((a, b) => from[a]! - from[b]! || a - b);
  return {
    from: Int32Array.from(order, i => from[i]!),
    to: Int32Array.from(order, i => to[i]!),
  };
}

function timed(
  of: { readonly above: Rows; readonly below: Rows; readonly sampleRate: number },
  { from, to }: { readonly from: Int32Array; readonly to: Int32Array },
  fans: Links['fans'],
): Links {
  const { above, below, sampleRate } = of;
  const legNs = new Float64Array(from.length);
  let leastNs = Infinity;
  let mostNs = -Infinity;
  for (let i = 0; i < from.length; i++) {
    const a = from[i]!;
    const b = to[i]!;
    const betweenNs = below.atNs[b]! - above.atNs[a]!;
    // What waits for its chunk to fill is not late: only time past the chunk's last sample counts.
    const fillTicks = Math.max(0, below.endTick[b]! - above.endTick[a]!);
    legNs[i] = betweenNs - (fillTicks / sampleRate) * 1e9;
    leastNs = Math.min(leastNs, betweenNs);
    mostNs = Math.max(mostNs, betweenNs);
  }
  return { from, to, legNs, fans, leastNs, mostNs };
}

interface LegInput {
  readonly index: number;
  readonly leg: Leg;
  readonly above: Rows;
  readonly below: Rows;
  readonly links: Links;
}

function layoutLeg(input: TrainInput, train: Train, leg: Leg, index: number): void {
  const { stations } = input.lanes;
  const above = input.rows.get(stations[leg.from]!.key);
  const below = input.rows.get(stations[leg.to]!.key);
  if (!above || !below) return;
  const links = linksOf(above, below, stations[leg.to]!.sampleRate);
  const one: LegInput = { index, leg, above, below, links };
  for (const fan of links.fans) addFan(input, train, one, fan);
  addLines(input, train, one);
}

function addFan(
  input: TrainInput,
  train: Train,
  { index, above, below }: LegInput,
  fan: Links['fans'][number],
): void {
  const x = xOf(input, above, fan.a);
  const left = xOf(input, below, fan.first);
  const right = xOf(input, below, fan.last);
  if (Math.max(right, x) < input.scale.leftPx) return;
  if (Math.min(left, x) > input.scale.leftPx + input.scale.widthPx) return;
  train.fans.push({ leg: index, x, left, right });
}

/** Links that can be in view: `[first, end)`. */
function linksInView(input: TrainInput, { above, below, links }: LegInput): [number, number] {
  const { fromNs, toNs } = input.scale;
  const aboveNs = shiftOf(input, above);
  const apartNs = aboveNs - shiftOf(input, below);
  const earliestNs = fromNs + aboveNs - Math.max(0, links.mostNs + apartNs);
  const latestNs = toNs + aboveNs + Math.max(0, -links.leastNs - apartNs);
  const firstRow = lowerBound(above.atNs, above.length, earliestNs);
  const endRow = lowerBound(above.atNs, above.length, latestNs + 1);
  return [
    lowerBound(links.from, links.from.length, firstRow),
    lowerBound(links.from, links.from.length, endRow),
  ];
}

function addLines(input: TrainInput, train: Train, one: LegInput): void {
  const { lines } = train;
  const { index, leg, above, below, links } = one;
  const { leftPx, widthPx } = input.scale;
  const isSilentAt = silence(input.speech.get(input.lanes.stations[leg.from]!.stream) ?? [], above);
  const [first, end] = linksInView(input, one);
  for (let i = first; i < end; i++) {
    const a = links.from[i]!;
    const b = links.to[i]!;
    const x1 = xOf(input, above, a);
    const x2 = xOf(input, below, b);
    if (Math.max(x1, x2) < leftPx || Math.min(x1, x2) > leftPx + widthPx) continue;
    const level = levelOf(links.legNs[i]!, leg.limitNs, isSilentAt(a));
    const before = lines.count - 1;
    const isSamePixel =
      before >= 0 &&
      lines.leg[before] === index &&
      Math.floor(lines.x1[before]!) === Math.floor(x1) &&
      Math.floor(lines.x2[before]!) === Math.floor(x2);
    if (isSamePixel && lines.level[before]! >= level) continue;
    if (!isSamePixel && lines.count === LINES_MAX) return;
    const at = isSamePixel ? before : lines.count++;
    lines.x1[at] = x1;
    lines.x2[at] = x2;
    lines.leg[at] = index;
    lines.level[at] = level;
    lines.fromRow[at] = a;
    lines.toRow[at] = b;
  }
}

/** Whether a row lies outside of all speech; the range of the row before is tried first. */
function silence(
  speech: readonly { startTick: number; endTick: number }[],
  rows: Rows,
): (row: number) => boolean {
  let last = speech[0];
  return row => {
    if (last === undefined) return false;
    const start = rows.startTick[row]!;
    const end = rows.endTick[row]!;
    if (last.startTick < end && last.endTick > start) return false;
    const found = speech.find(one => one.startTick < end && one.endTick > start);
    last = found ?? last;
    return found === undefined;
  };
}

/** 75 % of the limit is near it; beyond it, 1.5 and 3 times part the colours. */
export function levelOf(latencyNs: number, limitNs: number, isSilent: boolean): number {
  const factor = limitNs > 0 ? latencyNs / limitNs : 0;
  if (factor > 3) return LEVEL.extreme;
  if (factor > 1.5) return LEVEL.far;
  if (factor > 1) return LEVEL.over;
  if (isSilent) return LEVEL.silent;
  return factor > 0.75 ? LEVEL.near : LEVEL.calm;
}

/** One frame along its stream: what the pointer names and the black line shows. */
export interface ChosenFrame {
  readonly stream: string;
  readonly tick: number;
  readonly points: readonly ChosenPoint[];
  readonly isLost: boolean;
}

export interface ChosenPoint {
  readonly station: number;
  readonly x: number;
  readonly atNs: number;
  readonly latencyNs: number;
  readonly errorNs: number;
  /** Since the point before; undefined for the first. */
  readonly legNs: number | undefined;
}

/** Follows the sample `tick` through the stations of `stream`. */
export function chooseFrame(
  input: TrainInput,
  stream: string,
  tick: number,
): ChosenFrame | undefined {
  const points: ChosenPoint[] = [];
  let isLost = false;
  input.lanes.stations.forEach((station, index) => {
    const rows = station.stream === stream ? input.rows.get(station.key) : undefined;
    const row = rows ? rowOfTick(rows, tick) : -1;
    if (!rows || row < 0) return;
    const atNs = rows.atNs[row]!;
    const before = points.at(-1);
    isLost = ((rows.flags[row] ?? 0) & FLAG_LOST) !== 0;
    points.push({
      station: index,
      x: xOf(input, rows, row),
      atNs,
      latencyNs: rows.latencyNs[row]!,
      errorNs: station.errorNs,
      legNs: before ? atNs - before.atNs : undefined,
    });
  });
  return points.length === 0 ? undefined : { stream, tick, points, isLost };
}

function rowOfTick(rows: Rows, tick: number): number {
  // Ticks follow time but for late repeats: look from where order says, then everywhere.
  const guess = Math.max(0, lowerBound(rows.startTick, rows.length, tick + 1) - 1);
  if (rows.length > 0 && rows.startTick[guess]! <= tick && rows.endTick[guess]! > tick)
    return guess;
  for (let i = 0; i < rows.length; i++)
    if (rows.startTick[i]! <= tick && rows.endTick[i]! > tick) return i;
  return -1;
}

/** The frame whose line passes nearest to a point, within `reachPx`; lost ones too. */
export function frameAt(
  input: TrainInput,
  train: Train,
  point: { readonly x: number; readonly y: number },
  reachPx = 14,
): { stream: string; tick: number } | undefined {
  const { stations, legs } = input.lanes;
  let best = reachPx;
  let found: { stream: string; tick: number } | undefined;
  for (let i = 0; i < train.lines.count; i++) {
    const leg = legs[train.lines.leg[i]!]!;
    const from = stations[leg.from]!;
    const share = (point.y - from.y) / (stations[leg.to]!.y - from.y);
    if (share < -0.05 || share > 1.05) continue;
    const x1 = train.lines.x1[i]!;
    const distance = Math.abs(x1 + (train.lines.x2[i]! - x1) * share - point.x);
    if (distance >= best) continue;
    best = distance;
    found = {
      stream: from.stream,
      tick: input.rows.get(from.key)!.endTick[train.lines.fromRow[i]!]! - 1,
    };
  }
  for (const lost of train.lost) {
    const station = stations[lost.station]!;
    const distance = Math.hypot(lost.x - point.x, station.y + 12 - point.y);
    if (distance >= best) continue;
    best = distance;
    found = { stream: station.stream, tick: input.rows.get(station.key)!.endTick[lost.row]! - 1 };
  }
  return found;
}

/** The next frame over its limit or lost, in time order, before or after a time. */
export function nextLate(
  input: TrainInput,
  afterNs: number,
  step: 1 | -1,
): { stream: string; tick: number; atNs: number } | undefined {
  let best: { stream: string; tick: number; atNs: number } | undefined;
  for (const station of input.lanes.stations) {
    const rows = input.rows.get(station.key);
    if (!rows) continue;
    for (let i = 0; i < rows.length; i++) {
      if (((rows.flags[i] ?? 0) & 0b1011) === 0) continue;
      const atNs = rows.atNs[i]!;
      const isBeyond = step > 0 ? atNs > afterNs + 1 : atNs < afterNs - 1;
      const isNearer = !best || (step > 0 ? atNs < best.atNs : atNs > best.atNs);
      if (isBeyond && isNearer) best = { stream: station.stream, tick: rows.endTick[i]! - 1, atNs };
    }
  }
  return best;
}
