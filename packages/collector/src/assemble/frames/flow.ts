// What the flow of a stream says beside the age of its frames.
//
// Agent audio is made ahead of real time, so its age says nothing. What counts:
//
//   gap        at its origin: how long after the chunk before it a chunk came
//   rtf        the same for each second of audio: below a second it keeps up
//   lead       at the sender: how far ahead of a listener who began with the first
//   slack      at the listener's end: how long before its turn to sound it came
//   underrun   … or after it
//
//   origin    ▐1▐2▐3   ▐4        ▐5              a chunk ▐ comes
//   listener  [ 1 ][ 2 ][ 3 ][ 4 ]··[ 5 ]        ·· nothing to play: 5 has no slack left
//
// A pause of the speaker is no gap: after more than a second with nothing to play
// something new begins, unless turns are told and none is answered there.
//
// On the way up the age of a frame is that of its newest sample; where a stage has
// put frames together, the age of the oldest is told beside it.

import { NS_PER_S } from '@framescope/protocol';
import { lastAtOrBelow } from './hop-rows.ts';
import type { HopFrames, StreamFrames } from './stream-frames.ts';

/** One measure of one stream, a value a frame that has one. */
export interface Flow {
  /** `slack.agent.client/receive`, … */
  readonly measure: string;
  readonly atNs: readonly number[];
  readonly valueNs: readonly number[];
  readonly tick: readonly number[];
  /** Rows (of the values) that count as over budget: frames that came after their turn. */
  readonly isLate?: (valueNs: number) => boolean;
}

/** Longer than this with nothing to play is a pause of the speaker. */
const PAUSE_NS = NS_PER_S;

/** @param answersAt First voiced ticks of answers on this stream, ascending; empty when no turn is told. */
export function flowOf(stream: StreamFrames, answersAt: readonly number[]): Flow[] {
  const { hops, direction } = stream;
  if (direction === 'up') return oldestOf(stream);
  const playout = hops.find(hop => hop.name === 'playout');
  const origin = hops[0];
  if (origin === undefined || origin === playout) return [];
  const sender = hops.find(hop => hop.name === 'send') ?? origin;
  const arrival = playout && hops.find(hop => hop.role === playout.role && hop !== playout);
  const begins = beginnings(stream, answersAt);
  const flows = [
    ...gapsOf(stream, origin, begins),
    leadOf(stream, sender, begins),
    ...(arrival === undefined ? [] : slackOf(stream, { arrival, playout: playout!, begins })),
  ];
  return flows.filter(flow => flow.valueNs.length > 0);
}

/** Whether what comes so late after `dueNs` is the beginning of something new. */
type Begins = (tick: number, lateNs: number) => boolean;

function beginnings({ sampleRate }: StreamFrames, answersAt: readonly number[]): Begins {
  return (tick, lateNs) => {
    if (lateNs <= PAUSE_NS) return false;
    if (answersAt.length === 0) return true;
    // The silence that a voice begins with is part of the answer.
    const next = lastAtOrBelow(answersAt, answersAt.length, tick - 1) + 1;
    return next < answersAt.length && answersAt[next]! - tick <= sampleRate;
  };
}

class Values {
  readonly atNs: number[] = [];
  readonly valueNs: number[] = [];
  readonly tick: number[] = [];

  add(hop: HopFrames, row: number, valueNs: number): void {
    this.atNs.push(hop.atNs[row]!);
    this.valueNs.push(Math.round(valueNs));
    this.tick.push(hop.rows.startTick[row]!);
  }
}

interface Chunk {
  readonly row: number;
  /** When a listener who began with the first chunk is done with what came before. */
  readonly dueNs: number;
  /** Nothing is known of what came before, or it was something else. */
  readonly isFirst: boolean;
}

/** Chunks of one hop in order of ticks, each against a listener who never waits before he must. */
function* chunksOf({ sampleRate }: StreamFrames, hop: HopFrames, begins: Begins): Generator<Chunk> {
  const { rows, atNs } = hop;
  let dueNs = Number.NaN;
  for (let row = 0; row < rows.length; row++) {
    const start = rows.startTick[row]!;
    const isNext = row > 0 && rows.endTick[row - 1] === start;
    const isFirst = !isNext || begins(start, atNs[row]! - dueNs);
    yield { row, dueNs, isFirst };
    const fromNs = isFirst ? atNs[row]! : Math.max(dueNs, atNs[row]!);
    dueNs = fromNs + ((rows.endTick[row]! - start) / sampleRate) * NS_PER_S;
  }
}

function gapsOf(stream: StreamFrames, hop: HopFrames, begins: Begins): Flow[] {
  const [gap, rtf] = [new Values(), new Values()];
  for (const { row, isFirst } of chunksOf(stream, hop, begins)) {
    if (isFirst) continue;
    // Chunks may overtake each other on the way here.
    const gapNs = Math.max(0, hop.atNs[row]! - hop.atNs[row - 1]!);
    const { startTick, endTick } = hop.rows;
    gap.add(hop, row, gapNs);
    rtf.add(hop, row, (gapNs / (endTick[row]! - startTick[row]!)) * stream.sampleRate);
  }
  return [
    { measure: `gap.${hop.bareKey}`, ...gap },
    { measure: `rtf.${hop.bareKey}`, ...rtf },
  ];
}

function leadOf(stream: StreamFrames, hop: HopFrames, begins: Begins): Flow {
  const lead = new Values();
  for (const { row, dueNs, isFirst } of chunksOf(stream, hop, begins))
    if (!isFirst) lead.add(hop, row, dueNs - hop.atNs[row]!);
  return { measure: `lead.${hop.bareKey}`, ...lead, isLate: leadNs => leadNs < 0 };
}

interface Listener {
  readonly arrival: HopFrames;
  readonly playout: HopFrames;
  readonly begins: Begins;
}

function slackOf(stream: StreamFrames, { arrival, playout, begins }: Listener): Flow[] {
  const [slack, underrun] = [new Values(), new Values()];
  for (let row = 0; row < arrival.rows.length; row++) {
    const tick = arrival.rows.startTick[row]!;
    const dueNs = dueAt(stream, playout, tick);
    if (dueNs === undefined) continue;
    const slackNs = dueNs - arrival.atNs[row]!;
    if (begins(tick, -slackNs)) continue;
    slack.add(arrival, row, slackNs);
    if (slackNs < 0) underrun.add(arrival, row, -slackNs);
  }
  return [
    { measure: `slack.${arrival.bareKey}`, ...slack, isLate: slackNs => slackNs < 0 },
    { measure: `underrun.${arrival.bareKey}`, ...underrun, isLate: () => true },
  ];
}

/** When a tick was to sound: when what was played before it was over. */
function dueAt({ sampleRate }: StreamFrames, playout: HopFrames, tick: number): number | undefined {
  const { rows, atNs } = playout;
  const row = lastAtOrBelow(rows.startTick, rows.length, tick - 1);
  if (row < 0 || rows.endTick[row]! < tick) return undefined;
  return atNs[row]! + ((tick - rows.startTick[row]!) / sampleRate) * NS_PER_S;
}

/** Age of the oldest sample where frames are longer than they were taken. */
function oldestOf({ hops, sampleRate }: StreamFrames): Flow[] {
  const taken = longestOf(hops[0]);
  return hops
    .filter(hop => longestOf(hop) > taken)
    .map(hop => {
      const oldest = new Values();
      const { startTick, endTick } = hop.rows;
      for (let row = 0; row < hop.rows.length; row++) {
        const lengthNs = ((endTick[row]! - startTick[row]!) / sampleRate) * NS_PER_S;
        oldest.add(hop, row, hop.latencyNs[row]! + lengthNs);
      }
      return { measure: `oldest.${hop.bareKey}`, ...oldest };
    });
}

function longestOf(hop: HopFrames | undefined): number {
  if (hop === undefined) return 0;
  const { startTick, endTick } = hop.rows;
  let longest = 0;
  for (let row = 0; row < Math.min(hop.rows.length, 64); row++)
    longest = Math.max(longest, endTick[row]! - startTick[row]!);
  return longest;
}
