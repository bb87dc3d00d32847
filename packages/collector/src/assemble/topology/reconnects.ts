// A process that lost the way for its media and got it back (an ICE restart, a network
// that changed): a hand-over to itself. The process says when; what it cost is read off
// the marks around it.
//
//   told         lost ──────────── restored
//   receive  ● ● ●    (jitter)       ● ● ●      silence heard, frames that never came
//
// Up, the frames are looked for where they arrive next; with an untraced far end that
// is nowhere, and nothing is claimed of them.

import type { Handover } from '@framescope/protocol';
import type { HopFrames, StreamFrames } from '../frames/stream-frames.ts';
import type { SessionData } from '../session-data.ts';
import type { ToldSetup } from '../setup-log.ts';
import { pathPlaces } from './legs.ts';

/** Of one session; a page that flaps for an hour says no more with the rest. */
const RECONNECTS_MAX = 100;
/** A process is told that its connection is lost some seconds after it was (ICE consent). */
const TOLD_LATE_NS = 7_000_000_000;
/** What was on its way when it came back. */
const AFTER_NS = 2_000_000_000;
/** Until the first frame has come over the way that stands again. */
const RESUMED_NS = 250_000_000;

export function reconnectsOf(
  streams: readonly StreamFrames[],
  data: SessionData,
  processOf: (producer: string) => number,
): Handover[] {
  const restored = data.setup.named('connection_restored').slice(-RECONNECTS_MAX);
  const outages = restored.flatMap((back): Told[] => {
    const lost = lostBefore(back, data);
    return lost === undefined ? [] : [{ lost, back }];
  });
  return onceEach(outages, streams, data).map(told =>
    reconnectOf(told, { streams, data, processOf }),
  );
}

interface Told {
  readonly lost: ToldSetup;
  readonly back: ToldSetup;
}

/** Both ends of a connection tell of it: what overlaps is one outage, told best by the caller's end. */
function onceEach(
  outages: readonly Told[],
  streams: readonly StreamFrames[],
  { clocks }: SessionData,
): Told[] {
  const nsOf = ({ clock, at }: ToldSetup): number => clocks.map(clock).toSession(at);
  const isClient = ({ back }: Told): boolean => roleOf(streams, back.producer) === 'client';
  const isSame = (a: Told, b: Told): boolean =>
    a.back.producer !== b.back.producer &&
    nsOf(a.lost) < nsOf(b.back) &&
    nsOf(b.lost) < nsOf(a.back);
  const kept: Told[] = [];
  for (const one of [...outages.filter(isClient), ...outages.filter(each => !isClient(each))])
    if (!kept.some(other => isSame(one, other))) kept.push(one);
  return kept;
}

function lostBefore(back: ToldSetup, { setup }: SessionData): ToldSetup | undefined {
  return setup
    .named('connection_lost')
    .filter(one => one.producer === back.producer && one.clock === back.clock && one.at <= back.at)
    .toSorted((a, b) => b.at - a.at)[0];
}

interface Facts {
  readonly streams: readonly StreamFrames[];
  readonly data: SessionData;
  readonly processOf: (producer: string) => number;
}

type Direction = Handover['directions'][number];

function reconnectOf({ lost, back }: Told, { streams, data, processOf }: Facts): Handover {
  const map = data.clocks.map(back.clock);
  const atNs = Math.round(map.toSession(lost.at));
  const before = data.setup
    .named('connection_restored')
    .filter(one => one.producer === back.producer && one.at < lost.at);
  const backNs = Math.round(map.toSession(back.at));
  const window = {
    // Not what an outage before this one tore.
    fromNs: Math.max(atNs - TOLD_LATE_NS, ...before.map(one => map.toSession(one.at) + AFTER_NS)),
    toNs: backNs + AFTER_NS,
    lostNs: atNs,
    backNs,
  };
  const directions = streams.flatMap(stream => {
    const hop = arrivalOf(stream, back.producer);
    return hop === undefined ? [] : [gapIn(stream, hop, window)];
  });
  const worst = directions.reduce<Direction | undefined>(
    (most, one) => (most === undefined || one.frames > most.frames ? one : most),
    undefined,
  );
  const process = processOf(back.producer);
  const up = directions.find(({ stream }) => isUp(streams, stream));
  return {
    atNs,
    atUnixNs: String(data.zeroUnixNs + BigInt(atNs)),
    role: roleOf(streams, back.producer),
    from: process,
    to: process,
    wasTold: true,
    gapFrames: worst?.frames ?? 0,
    gapNs: worst?.lostNs ?? 0,
    directions,
    authorityNs: up?.silenceNs ?? null,
  };
}

const isUp = (streams: readonly StreamFrames[], name: string): boolean =>
  streams.some(stream => stream.name === name && stream.direction === 'up');

const roleOf = (streams: readonly StreamFrames[], producer: string): string =>
  streams.flatMap(({ hops }) => hops).find(hop => hop.producer === producer)?.role ?? 'client';

/** Where a stream's frames come out of that connection: at the process, or at the next one behind it. */
function arrivalOf(stream: StreamFrames, producer: string): HopFrames | undefined {
  const places = pathPlaces(stream).map(([hop]) => hop!);
  const first = places.findIndex(hop => hop.producer === producer);
  if (first < 0) return undefined;
  // It comes in here, wherever from; or it leaves from here, and arrives elsewhere.
  const comesIn = first > 0 || places[first]!.name === 'receive';
  return comesIn ? places[first] : places.find(hop => hop.producer !== producer);
}

interface Outage {
  /** When it was told. */
  readonly lostNs: number;
  readonly backNs: number;
  /** Frames may have been torn a little before and behind that. */
  readonly fromNs: number;
  readonly toNs: number;
}

/**
 * The widest hole in the ticks that the outage may have torn, and the longest time in it with nothing
 * arriving: what waited on the way comes late and all at once, and is not lost.
 */
function gapIn(
  { name, sampleRate }: StreamFrames,
  { rows, atNs }: HopFrames,
  { lostNs, backNs, fromNs, toNs }: Outage,
): Direction {
  let widest = { ticks: 0, frameTicks: 1 };
  let silenceNs = 0;
  for (let row = 1; row < rows.length; row++) {
    if (atNs[row]! < fromNs || atNs[row - 1]! > toNs) continue;
    const frameTicks = Math.max(1, rows.endTick[row - 1]! - rows.startTick[row - 1]!);
    const ticks = rows.startTick[row]! - rows.endTick[row - 1]!;
    const holeNs = atNs[row]! - atNs[row - 1]! - (frameTicks / sampleRate) * 1e9;
    if (ticks > widest.ticks) widest = { ticks, frameTicks };
    // A pause of the speaker leaves no ticks out: one that the outage lies in cannot be told from it.
    const isIn = ticks > 0 || (atNs[row - 1]! < backNs && atNs[row]! > lostNs);
    if (!isIn) continue;
    // Of a speaker who had nothing more to say the rest of the hole is a pause, not the outage's.
    const ownNs = Math.max((ticks / sampleRate) * 1e9, backNs - atNs[row - 1]!) + RESUMED_NS;
    silenceNs = Math.max(silenceNs, Math.min(holeNs, ownNs));
  }
  return {
    stream: name,
    frames: Math.round(widest.ticks / widest.frameTicks),
    lostNs: Math.round((widest.ticks / sampleRate) * 1e9),
    silenceNs: Math.round(silenceNs),
  };
}

/**
 * Adds what was found now to what is known. Of a connection that came back the cost is found only while the
 * marks around it are in memory: what was seen of it stays.
 */
export function remember(known: Map<string, Handover>, found: readonly Handover[]): void {
  for (const [key, before] of known) if (isTakenOver(before, found)) known.delete(key);
  const count = new Map<number, number>();
  for (const one of found) {
    const nth = count.get(one.from) ?? 0;
    if (one.from === one.to) count.set(one.from, nth + 1);
    const key = one.from === one.to ? `${one.from} itself ${nth}` : `${one.from} ${one.to}`;
    const before = known.get(key);
    const hasMore = one.from === one.to && before !== undefined && silence(before) > silence(one);
    known.set(key, hasMore ? { ...before, atNs: one.atNs, atUnixNs: one.atUnixNs } : one);
  }
}

/** Told by one end of a connection before the other had: now it is the other's. */
const isTakenOver = (before: Handover, found: readonly Handover[]): boolean =>
  before.from === before.to &&
  !found.some(one => one.from === before.from && one.to === before.to) &&
  found.some(one => one.from === one.to && Math.abs(one.atNs - before.atNs) <= TOLD_LATE_NS);

const silence = ({ directions }: Handover): number =>
  directions.reduce((most, one) => Math.max(most, one.silenceNs), 0);
