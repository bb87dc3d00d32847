// A session that went on over another process: the relay died, the agent was
// replaced. It stays one session; what went missing is counted where it arrives.
//
//   client/encode    ● ● ● ● ● ● ● ● ● ●
//   edge/send@1      ● ● ● ✝
//   edge/send@2                  ● ● ● ●
//   agent/receive    ● ● ●       ● ● ● ●      gap: 3 frames
//
// Found in the marks alone, so a process that never says goodbye is found too.

import type { Handover } from '@framescope/protocol';
import { lastAtOrBelow } from '../frames/hop-rows.ts';
import type { HopFrames, StreamFrames } from '../frames/stream-frames.ts';
import type { Process, SessionData } from '../session-data.ts';
import { pathPlaces, type PathPlace } from './legs.ts';

/** Two that stand side by side for longer than this are no successors. */
const OVERLAP_NS = 1_000_000_000;
/** Said goodbye at most so long after the other had begun. */
const TOLD_NS = 2_000_000_000;

interface Change {
  readonly from: HopFrames;
  readonly to: HopFrames;
  readonly stream: StreamFrames;
  readonly places: readonly PathPlace[];
  /** Of the last place of that process in the stream. */
  readonly at: number;
}

export function handoversOf(
  streams: readonly StreamFrames[],
  data: SessionData,
  processOf: (producer: string) => number,
): Handover[] {
  const changes = new Map<string, Map<string, Change>>();
  for (const stream of streams) {
    const places = pathPlaces(stream);
    for (const [at, place] of places.entries())
      for (const [from, to] of successions(place)) {
        const key = `${from.producer} ${to.producer}`;
        const byStream = changes.get(key) ?? new Map<string, Change>();
        // The last place of a process in the stream wins: behind it is where frames arrive.
        byStream.set(stream.name, { from, to, stream, places, at });
        changes.set(key, byStream);
      }
  }
  return [...changes.values()]
    .map(byStream => handoverOf([...byStream.values()], data, processOf))
    .toSorted((a, b) => a.atNs - b.atNs);
}

const startNs = (hop: HopFrames): number => hop.atNs[0]!;
const endNs = (hop: HopFrames): number => hop.atNs[hop.atNs.length - 1]!;

function successions(place: PathPlace): [HopFrames, HopFrames][] {
  const inOrder = place.toSorted((a, b) => startNs(a) - startNs(b));
  return inOrder.slice(1).flatMap((to, i): [HopFrames, HopFrames][] => {
    const from = inOrder[i]!;
    const isAfter = startNs(to) > endNs(from) - OVERLAP_NS;
    return isAfter && from.producer !== to.producer ? [[from, to]] : [];
  });
}

function handoverOf(
  changes: readonly Change[],
  data: SessionData,
  processOf: (producer: string) => number,
): Handover {
  const { from, to } = changes[0]!;
  const directions = changes.map(gapOf);
  const worst = directions.reduce((most, one) => (one.frames > most.frames ? one : most));
  const atNs = Math.round(Math.max(...changes.map(one => endNs(one.from))));
  const old = data.processes.get(from.producer);
  return {
    atNs,
    atUnixNs: String(data.zeroUnixNs + BigInt(atNs)),
    role: from.role,
    from: processOf(from.producer),
    to: processOf(to.producer),
    wasTold: wasTold(old, data, startNs(to)),
    gapFrames: worst.frames,
    gapNs: worst.lostNs,
    directions,
    authorityNs: authorityNs(changes, directions, data),
  };
}

function wasTold(old: Process | undefined, data: SessionData, nextNs: number): boolean {
  const endedAt = old?.session?.endedAt;
  if (old === undefined || endedAt === undefined) return false;
  return data.clocks.map(old.clock).toSession(endedAt) < nextNs + TOLD_NS;
}

type Direction = Handover['directions'][number];

/** What came before the place and never behind it, between the last frame of the old and the first of the new. */
function gapOf({ from, to, stream, places, at }: Change): Direction {
  const arrives = places[at + 1] ?? places[at]!;
  const firstTick = to.rows.startTick[0]!;
  const before = lastBefore(arrives, firstTick);
  const behind = firstFrom(arrives, firstTick);
  const fromTick = before?.tick ?? from.rows.endTick[from.rows.length - 1]!;
  const toTick = behind?.tick ?? firstTick;
  const frames = framesBetween(places.slice(0, at), fromTick, toTick);
  const silenceNs =
    frames.count === 0 || before === undefined || behind === undefined
      ? 0
      : Math.round(behind.atNs - before.atNs);
  return {
    stream: stream.name,
    frames: frames.count,
    lostNs: Math.round((frames.ticks / stream.sampleRate) * 1e9),
    silenceNs,
  };
}

interface Edge {
  readonly tick: number;
  readonly atNs: number;
}

/** The end of the last frame before `tick`. */
function lastBefore(place: PathPlace, tick: number): Edge | undefined {
  let last: Edge | undefined;
  for (const { rows, atNs } of place) {
    const row = lastAtOrBelow(rows.startTick, rows.length, tick - 1);
    if (row >= 0 && (last === undefined || rows.endTick[row]! > last.tick))
      last = { tick: rows.endTick[row]!, atNs: atNs[row]! };
  }
  return last;
}

/** The start of the first frame from `tick` on. */
function firstFrom(place: PathPlace, tick: number): Edge | undefined {
  let first: Edge | undefined;
  for (const { rows, atNs } of place) {
    const row = lastAtOrBelow(rows.startTick, rows.length, tick - 1) + 1;
    if (row < rows.length && (first === undefined || rows.startTick[row]! < first.tick))
      first = { tick: rows.startTick[row]!, atNs: atNs[row]! };
  }
  return first;
}

/**
 * Frames that some place before saw there: a sender without a connection marks nothing, so it may be
 * one further up. A synthesiser is none: what it made may never have been meant to leave.
 */
function framesBetween(
  before: readonly PathPlace[],
  fromTick: number,
  toTick: number,
): { readonly count: number; readonly ticks: number } {
  let most = { count: 0, ticks: 0 };
  for (const place of before) {
    const seen = { count: 0, ticks: 0 };
    for (const { rows, name } of place) {
      if (name === 'tts') continue;
      const first = lastAtOrBelow(rows.startTick, rows.length, fromTick - 1) + 1;
      for (let row = first; row < rows.length && rows.startTick[row]! < toTick; row++) {
        seen.count++;
        seen.ticks += rows.endTick[row]! - rows.startTick[row]!;
      }
    }
    if (seen.ticks > most.ticks) most = seen;
  }
  return most;
}

/** The authority itself changed: until the new one marked something. Else: until it heard the user again. */
function authorityNs(
  changes: readonly Change[],
  directions: readonly Direction[],
  data: SessionData,
): number | null {
  const { to } = changes[0]!;
  if (data.processes.get(to.producer)?.session?.authority === true)
    return Math.round(
      Math.min(...changes.map(one => startNs(one.to))) -
        Math.max(...changes.map(one => endNs(one.from))),
    );
  const up = changes.findIndex(one => one.stream.direction === 'up');
  return up < 0 ? null : directions[up]!.silenceNs;
}
