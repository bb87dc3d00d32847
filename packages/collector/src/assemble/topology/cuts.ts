// How audio is cut, and what that costs: pieces that leave together, buffers that
// hold, voices that run ahead or dry.
//
//   capture   ▏ ▏ ▏ ▏ ▏ ▏ ▏ ▏ ▏ ▏          a frame every 20 ms
//   send                ▏▏▏▏▏    ▏▏▏▏▏    pieces of 100 ms: the first of five waits 80 ms
//
// A frame's wait for its piece is what it took from the hop before, less what the
// one of its piece took that waited least: so the way itself is not counted.

import { Sketch, type BufferUse, type HopCut, type StageFlow } from '@framescope/protocol';
import { rowsOfLastTick } from '../frames/join.ts';
import type { HopFrames, StreamFrames } from '../frames/stream-frames.ts';
import { figuresOf, pathPlaces } from './legs.ts';

/** Marks this close were made in one go. */
const TOGETHER_NS = 2_000_000;
/** A hop whose pieces are so many times those of the hop before cuts anew. */
const COARSER = 1.5;
const PIECES_MIN = 5;
/** A pause this long ends an utterance. */
const PAUSE_NS = 1_000_000_000;
/** Send times vary with timers: less than this is no starvation. */
const LATE_NS = 20_000_000;

/** Rows that passed at once: for each row the number of its piece, and each piece's length in ticks. */
interface Pieces {
  readonly of: Int32Array;
  readonly ticks: number[];
}

function piecesOf({ rows, atNs }: HopFrames): Pieces {
  const of = new Int32Array(rows.length);
  const ticks: number[] = [];
  for (let row = 0; row < rows.length; row++) {
    const isSame =
      row > 0 &&
      Math.abs(atNs[row]! - atNs[row - 1]!) < TOGETHER_NS &&
      rows.startTick[row] === rows.endTick[row - 1];
    const length = rows.endTick[row]! - rows.startTick[row]!;
    if (isSame) ticks[ticks.length - 1]! += length;
    else ticks.push(length);
    of[row] = ticks.length - 1;
  }
  return { of, ticks };
}

const median = (values: readonly number[]): number =>
  Float64Array.from(values).sort()[values.length >> 1] ?? 0;

/** Hops of an up stream that cut it coarser than it came. */
export function cutsOf(stream: StreamFrames): HopCut[] {
  if (stream.direction === 'down') return [];
  const nsPerTick = 1e9 / stream.sampleRate;
  const cuts: HopCut[] = [];
  let beforePiece = 0;
  let before: HopFrames | undefined;
  for (const [hop] of pathPlaces(stream)) {
    const pieces = piecesOf(hop!);
    const piece = median(pieces.ticks);
    if (
      before !== undefined &&
      piece > beforePiece * COARSER &&
      pieces.ticks.length >= PIECES_MIN
    ) {
      const wait = waitOf(before, hop!, pieces);
      cuts.push({ hop: hop!.key, pieceNs: Math.round(piece * nsPerTick), ...wait });
    }
    beforePiece = piece;
    before = hop;
  }
  return cuts;
}

function waitOf(
  before: HopFrames,
  hop: HopFrames,
  { of, ticks }: Pieces,
): Pick<HopCut, 'waitMeanNs' | 'waitMaxNs'> {
  const rowOf = rowsOfLastTick(before.rows, hop.rows);
  const least = new Float64Array(ticks.length).fill(Infinity);
  const tookNs = new Float64Array(before.rows.length);
  for (let row = 0; row < before.rows.length; row++) {
    if (rowOf[row]! < 0) continue;
    tookNs[row] = hop.atNs[rowOf[row]!]! - before.atNs[row]!;
    const piece = of[rowOf[row]!]!;
    least[piece] = Math.min(least[piece]!, tookNs[row]!);
  }
  let n = 0;
  let sumNs = 0;
  let maxNs = 0;
  for (let row = 0; row < before.rows.length; row++) {
    if (rowOf[row]! < 0) continue;
    const waitNs = tookNs[row]! - least[of[rowOf[row]!]!]!;
    n++;
    sumNs += waitNs;
    maxNs = Math.max(maxNs, waitNs);
  }
  return { waitMeanNs: n === 0 ? 0 : Math.round(sumNs / n), waitMaxNs: Math.round(maxNs) };
}

/** Jitter buffers of a stream: what frames spent in them, and what the line asked for. */
export function buffersOf(stream: StreamFrames): BufferUse[] {
  const places = pathPlaces(stream);
  const sent = places.find(([hop]) => hop!.name === 'send')?.[0];
  return places.flatMap((place, at) =>
    place.flatMap((hop): BufferUse[] => {
      if (hop.name !== 'jitter_buffer') return [];
      const from = places[at - 1]?.find(one => one.producer === hop.producer);
      return from === undefined
        ? []
        : [bufferUse({ from, hop, sent, nsPerTick: 1e9 / stream.sampleRate })];
    }),
  );
}

interface Buffer {
  readonly from: HopFrames;
  readonly hop: HopFrames;
  /** Where the frames came from. */
  readonly sent: HopFrames | undefined;
  readonly nsPerTick: number;
}

const SPURTS_MIN = 3;

function bufferUse({ from, hop, sent, nsPerTick }: Buffer): BufferUse {
  const { rows, atNs } = hop;
  const rowOf = rowsOfLastTick(rows, from.rows);
  const sketch = new Sketch();
  const firsts: number[] = [];
  for (let row = 0; row < rows.length; row++) {
    if (rowOf[row]! < 0) continue;
    const holdNs = Math.max(0, atNs[row]! - from.atNs[rowOf[row]!]!);
    sketch.add(holdNs);
    const frameNs = (rows.endTick[row]! - rows.startTick[row]!) * nsPerTick;
    if (row === 0 || atNs[row]! - atNs[row - 1]! > SPURT_GAP * frameNs) firsts.push(holdNs);
  }
  const frameNs = rows.length === 0 ? 0 : (rows.endTick[0]! - rows.startTick[0]!) * nsPerTick;
  return {
    from: from.key,
    to: hop.key,
    hold: figuresOf(sketch),
    depthNs: firsts.length < SPURTS_MIN ? null : Math.round(median(firsts)),
    neededNs: sent === undefined ? null : neededNs(sent, from, frameNs),
    concealed: hop.concealed.length,
    late: hop.lateCount,
  };
}

/** A device that waits for longer than this between two frames has begun anew. */
const SPURT_GAP = 5;
/** Of the ways of frames: beyond the quickest, this share comes in time. */
const IN_TIME = 0.95;

function neededNs(sent: HopFrames, received: HopFrames, frameNs: number): number | null {
  const rowOf = rowsOfLastTick(received.rows, sent.rows);
  const all = new Float64Array(received.rows.length);
  let count = 0;
  for (let row = 0; row < received.rows.length; row++)
    if (rowOf[row]! >= 0) all[count++] = received.atNs[row]! - sent.atNs[rowOf[row]!]!;
  if (count < ENOUGH_FRAMES) return null;
  const ways = all.subarray(0, count).sort();
  return Math.round(ways[Math.floor(IN_TIME * ways.length)]! - ways[0]! + frameNs);
}

const ENOUGH_FRAMES = 100;

/** Stages that hand over sound before it is sent: how far ahead, and whether they ran dry. */
export function flowsOf(stream: StreamFrames): StageFlow[] {
  if (stream.direction !== 'down') return [];
  const places = pathPlaces(stream);
  const sendAt = places.findIndex(([hop]) => hop!.name === 'send');
  const send = places[sendAt]?.[0];
  if (send === undefined) return [];
  return places
    .slice(0, sendAt)
    .flatMap(place => place)
    .filter(hop => hop.name === 'tts')
    .map(hop => flowOf(hop, send, 1e9 / stream.sampleRate));
}

function flowOf(hop: HopFrames, send: HopFrames, nsPerTick: number): StageFlow {
  const { rows, atNs } = hop;
  let runs = rows.length > 0 ? 1 : 0;
  let mediaTicks = 0;
  let tookNs = 0;
  let gapMaxNs = 0;
  for (let row = 1; row < rows.length; row++) {
    const gapNs = atNs[row]! - atNs[row - 1]!;
    if (rows.startTick[row] !== rows.endTick[row - 1] || gapNs > PAUSE_NS) {
      runs++;
      continue;
    }
    mediaTicks += rows.endTick[row - 1]! - rows.startTick[row - 1]!;
    tookNs += gapNs;
    gapMaxNs = Math.max(gapMaxNs, gapNs);
  }
  return {
    hop: hop.key,
    runs,
    realTimeFactor:
      mediaTicks === 0 ? 0 : Math.round((tookNs / nsPerTick / mediaTicks) * 1e3) / 1e3,
    gapMaxNs: Math.round(gapMaxNs),
    ...starvationOf(hop, send, nsPerTick),
  };
}

/** A frame that left late, and only just after it came: speech had to wait for it. */
function starvationOf(
  hop: HopFrames,
  send: HopFrames,
  nsPerTick: number,
): Pick<StageFlow, 'leadMinNs' | 'starvedCount' | 'starvedNs'> {
  const rowOf = rowsOfLastTick(send.rows, hop.rows);
  let leadMinNs = Infinity;
  let starvedCount = 0;
  let starvedNs = 0;
  for (let row = 1; row < send.rows.length; row++) {
    if (send.rows.startTick[row] !== send.rows.endTick[row - 1] || rowOf[row]! < 0) continue;
    const frameNs = (send.rows.endTick[row]! - send.rows.startTick[row]!) * nsPerTick;
    const lateNs = send.atNs[row]! - send.atNs[row - 1]! - frameNs;
    const leadNs = send.atNs[row]! - hop.atNs[rowOf[row]!]!;
    if (lateNs > PAUSE_NS) continue;
    const isStarved = lateNs > LATE_NS && leadNs < LATE_NS;
    leadMinNs = Math.min(leadMinNs, isStarved ? -lateNs : leadNs);
    if (!isStarved) continue;
    starvedCount++;
    starvedNs += lateNs;
  }
  return {
    leadMinNs: Number.isFinite(leadMinNs) ? Math.round(leadMinNs) : 0,
    starvedCount,
    starvedNs: Math.round(starvedNs),
  };
}
