// Frames in binary: a JSON head, then plain columns that a reader can use in place.
//
//   u32 LE   length of the head in bytes
//   head     UTF-8 JSON {fromNs,toNs,truncated,hops:[{key,errorNs,rawShiftNs,length}]}
//   padding  to a multiple of 8 bytes from the start
//   per hop  f64 startTick[] · f64 endTick[] · f64 atNs[] · f64 latencyNs[] · u8 flags[], padded to 8

import type { FramesHop, FramesWindow } from '@framescope/protocol';

export const FRAMES_TYPE = 'application/vnd.framescope.frames';

const aligned = (offset: number): number => Math.ceil(offset / 8) * 8;

export function encodeFrames(window: FramesWindow): Uint8Array {
  const { fromNs, toNs, truncated } = window;
  const hops = window.hops.map(({ key, errorNs, rawShiftNs, length }) => ({
    key,
    errorNs,
    rawShiftNs,
    length,
  }));
  const head = Buffer.from(JSON.stringify({ fromNs, toNs, truncated, hops }));
  const columnsAt = aligned(4 + head.length);
  const size = window.hops.reduce((sum, hop) => aligned(sum + hop.length * 33), columnsAt);
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  let at = columnsAt;
  for (const hop of window.hops) at = writeHop(bytes, at, hop);
  return bytes;
}

function writeHop(bytes: Uint8Array, start: number, hop: FramesHop): number {
  let at = start;
  for (const column of [hop.startTick, hop.endTick, hop.atNs, hop.latencyNs]) {
    // Little-endian by nature: every machine that Node runs on is.
    const target = new Float64Array(bytes.buffer, at, hop.length);
    for (let i = 0; i < hop.length; i++) target[i] = column[i]!;
    at += hop.length * 8;
  }
  for (let i = 0; i < hop.length; i++) bytes[at + i] = hop.flags[i]!;
  return aligned(at + hop.length);
}

/** The same window for people and small scripts. */
export const framesAsJson = (window: FramesWindow): unknown => ({
  ...window,
  hops: window.hops.map(hop => ({
    ...hop,
    startTick: listOf(hop.startTick, hop.length),
    endTick: listOf(hop.endTick, hop.length),
    atNs: listOf(hop.atNs, hop.length),
    latencyNs: listOf(hop.latencyNs, hop.length),
    flags: listOf(hop.flags, hop.length),
  })),
});

const listOf = (column: ArrayLike<number>, length: number): number[] =>
  Array.from({ length }, (_, i) => column[i]!);
