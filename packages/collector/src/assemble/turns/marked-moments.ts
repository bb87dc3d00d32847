// Moments that nobody recorded, read off the marks: when did that very sample
// pass here? The authority gives a tick; every process in the path saw it go by.

import type { ClockMap } from '../clock/session-clocks.ts';
import { instanceWith } from '../frames/instances.ts';
import type { HopFrames, StreamFrames } from '../frames/stream-frames.ts';
import type { RawMoment } from '../ledger/place.ts';

/** Marks are kept to 10 µs by default. */
const QUANTUM_NS = 10_000;

/** A capture callback runs within this after its last sample, if nothing blocks it. */
const CALLBACK_NS = 5_000_000;

export interface TickFacts {
  readonly tick: number;
  readonly errorNs: number;
  readonly source: string;
}

export interface MarkedContext {
  readonly clocks: readonly ClockMap[];
  /** The process that decides turns. */
  readonly authority: string | undefined;
  /** A telephone line reports what it played: its media clock is the caller's, as far as anybody knows. */
  readonly isCarried?: boolean;
}

/**
 * The end of speech: captured at the client's first hop, received at the authority's.
 * `tick` is where speech ended, so the last voiced sample is the one before it.
 */
export function speechEnd(
  stream: StreamFrames | undefined,
  at: TickFacts,
  context: MarkedContext,
): RawMoment[] {
  if (stream === undefined) return [];
  const facts = { ...at, of: 'opens' as const };
  const { hops } = stream;
  const first = instanceWith(hops, hops[0], at.tick - 1);
  const own = hops.filter(hop => hop.producer === context.authority);
  const received = instanceWith(own, own[0], at.tick - 1);
  const moments: RawMoment[] = [];
  const isMouth = first !== undefined && (first.name === 'capture' || first.role === 'client');
  if (isMouth && first !== received)
    push(moments, captured(stream, first, { ...facts, name: 'speech_end_captured' }, context));
  if (context.isCarried === true && first !== undefined && first === received)
    push(moments, scheduled(stream, first, { ...facts, name: 'speech_end_carried' }, context));
  if (received !== undefined)
    push(
      moments,
      passing(received, { ...facts, name: 'speech_end_received', tick: at.tick - 1 }, context),
    );
  return moments;
}

/** A capture callback may be blocked, a microphone is not: the sample was taken when it was due. */
function captured(
  stream: StreamFrames,
  hop: HopFrames,
  facts: Wanted,
  context: MarkedContext,
): RawMoment | undefined {
  if (hop.name !== 'capture') return passing(hop, { ...facts, tick: facts.tick - 1 }, context);
  return scheduled(stream, hop, facts, context);
}

/** When the sample was due by the stream's media clock, as its earliest frames show that. */
function scheduled(
  stream: StreamFrames,
  hop: HopFrames,
  facts: Wanted,
  context: MarkedContext,
): RawMoment | undefined {
  const marked = passing(hop, { ...facts, tick: facts.tick - 1 }, context);
  if (marked === undefined || stream.schedule === undefined) return marked;
  const row = hop.rows.rowOf(facts.tick - 1);
  const earlierNs = Math.max(0, hop.atNs[row]! - Math.round(stream.schedule.at(facts.tick)));
  // Between the schedule and the callback; a callback later than that was blocked.
  const errorNs = marked.errorNs + Math.min(earlierNs, CALLBACK_NS);
  return { ...marked, rawNs: marked.rawNs - earlierNs, errorNs };
}

/** The first voiced sample of an answer: sent by the authority, then received, unbuffered and audible. */
export function firstVoiced(
  stream: StreamFrames | undefined,
  at: TickFacts,
  context: MarkedContext,
): RawMoment[] {
  if (stream === undefined) return [];
  const { hops } = stream;
  const own = hops.filter(hop => hop.producer === context.authority);
  const sent =
    own.findLast(hop => hop.name === 'send') ?? own.findLast(hop => hop.name !== 'playout');
  const after = sent === undefined ? hops : hops.slice(hops.indexOf(sent) + 1);
  const ear = after.at(-1);
  const client = after.filter(hop => hop.role === 'client' || hop.role === roleOfPlayout(ear));
  const facts = { ...at, of: 'closes' as const };
  const moments: RawMoment[] = [];
  const find = (name: string): HopFrames | undefined =>
    instanceWith(
      client,
      client.find(hop => hop.name === name),
      at.tick,
    );
  if (sent !== undefined)
    push(moments, passing(sent, { ...facts, name: 'first_voiced_sent' }, context));
  const wanted = [
    ['first_voiced_received', find('receive')],
    ['first_voiced_unbuffered', find('jitter_buffer')],
  ] as const;
  for (const [name, hop] of wanted)
    if (hop !== undefined) push(moments, passing(hop, { ...facts, name }, context));
  const playout = find('playout');
  if (playout !== undefined)
    push(
      moments,
      audible(playout, { ...facts, name: playedName(playout) }, stream.sampleRate, context),
    );
  return moments;
}

/** What a carrier played is on its way to an ear, not at it. */
const playedName = ({ role }: HopFrames): string =>
  role === 'carrier' ? 'first_voiced_carried' : 'first_voiced_audible';

const roleOfPlayout = (hop: HopFrames | undefined): string | undefined =>
  hop?.name === 'playout' ? hop.role : undefined;

/** A device plays sample after sample: a sample inside a frame sounds that much after the first. */
function audible(
  hop: HopFrames,
  facts: Wanted,
  sampleRate: number,
  context: MarkedContext,
): RawMoment | undefined {
  const marked = passing(hop, facts, context);
  if (marked === undefined) return undefined;
  const into = facts.tick - hop.rows.startTick[hop.rows.rowOf(facts.tick)]!;
  return { ...marked, rawNs: marked.rawNs + Math.round((into / sampleRate) * 1e9) };
}

interface Wanted extends TickFacts {
  readonly name: string;
  readonly of: 'opens' | 'closes';
}

function passing(
  hop: HopFrames,
  { name, tick, errorNs, source, of }: Wanted,
  { clocks }: MarkedContext,
): RawMoment | undefined {
  const row = hop.rows.rowOf(tick);
  if (row < 0) return undefined;
  const clock = clocks[hop.rows.clock[row]!]!;
  // What the tick is unsure of belongs to both ends of a part that starts with it.
  return { name, rawNs: hop.rows.rawNs[row]!, clock, source, errorNs: errorNs + QUANTUM_NS, of };
}

function push(moments: RawMoment[], moment: RawMoment | undefined): void {
  if (moment !== undefined) moments.push(moment);
}
