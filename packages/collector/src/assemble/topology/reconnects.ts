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

export function reconnectsOf(
  streams: readonly StreamFrames[],
  data: SessionData,
  processOf: (producer: string) => number,
): Handover[] {
  const restored = data.setup.named('connection_restored').slice(-RECONNECTS_MAX);
  return restored.flatMap((back): Handover[] => {
    const lost = lostBefore(back, data);
    return lost === undefined ? [] : [reconnectOf({ lost, back }, { streams, data, processOf })];
  });
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

function reconnectOf(
  { lost, back }: { readonly lost: ToldSetup; readonly back: ToldSetup },
  { streams, data, processOf }: Facts,
): Handover {
  const map = data.clocks.map(back.clock);
  const atNs = Math.round(map.toSession(lost.at));
  const before = data.setup
    .named('connection_restored')
    .filter(one => one.producer === back.producer && one.at < lost.at);
  const window = {
    // Not what an outage before this one tore.
    fromNs: Math.max(atNs - TOLD_LATE_NS, ...before.map(one => map.toSession(one.at) + AFTER_NS)),
    toNs: Math.round(map.toSession(back.at)) + AFTER_NS,
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
  // It sends this stream from its own first hop on: what arrives, arrives elsewhere.
  const isSource = first === 0;
  return isSource ? places.find(hop => hop.producer !== producer) : places[first];
}

/** The widest hole between two frames that the outage may have torn. */
function gapIn(
  { name, sampleRate }: StreamFrames,
  { rows, atNs }: HopFrames,
  { fromNs, toNs }: { readonly fromNs: number; readonly toNs: number },
): Direction {
  let widest = { holeNs: 0, ticks: 0, frameTicks: 1 };
  for (let row = 1; row < rows.length; row++) {
    if (atNs[row]! < fromNs || atNs[row - 1]! > toNs) continue;
    const frameTicks = Math.max(1, rows.endTick[row - 1]! - rows.startTick[row - 1]!);
    const ticks = rows.startTick[row]! - rows.endTick[row - 1]!;
    const holeNs = atNs[row]! - atNs[row - 1]! - (frameTicks / sampleRate) * 1e9;
    // A pause of the speaker leaves no ticks out.
    if (ticks > 0 && holeNs > widest.holeNs) widest = { holeNs, ticks, frameTicks };
  }
  return {
    stream: name,
    frames: Math.round(widest.ticks / widest.frameTicks),
    lostNs: Math.round((widest.ticks / sampleRate) * 1e9),
    silenceNs: Math.round(widest.holeNs),
  };
}
