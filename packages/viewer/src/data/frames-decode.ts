// Frames as they cross the API in binary: a JSON head, then plain columns.
//
//   u32 LE   length of the head in bytes
//   head     UTF-8 JSON {fromNs,toNs,truncated,hops:[{key,errorNs,rawShiftNs,length}]}
//   padding  to a multiple of 8 bytes from the start
//   per hop  f64 startTick[] · f64 endTick[] · f64 atNs[] · f64 latencyNs[] · u8 flags[], padded to 8
//
// Columns are views into the answer: nothing is copied.

import type { FramesHop, FramesWindow } from '@framescope/protocol';

export const FRAMES_TYPE = 'application/vnd.framescope.frames';

interface Head {
  readonly fromNs: number;
  readonly toNs: number;
  readonly truncated: boolean;
  readonly hops: readonly Pick<FramesHop, 'key' | 'errorNs' | 'rawShiftNs' | 'length'>[];
}

const aligned = (offset: number): number => (offset + 7) & ~7;

/** Throws a RangeError when the bytes end early: a cut answer must not look like a quiet call. */
export function decodeFrames(bytes: ArrayBuffer): FramesWindow {
  const headLength = new DataView(bytes).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(bytes, 4, headLength));
  const head = JSON.parse(text) as Head;
  let offset = aligned(4 + headLength);
  const f64 = (length: number): Float64Array => {
    const column = new Float64Array(bytes, offset, length);
    offset += length * 8;
    return column;
  };
  const hops = head.hops.map((hop): FramesHop => {
    const startTick = f64(hop.length);
    const endTick = f64(hop.length);
    const atNs = f64(hop.length);
    const latencyNs = f64(hop.length);
    const flags = new Uint8Array(bytes, offset, hop.length);
    offset = aligned(offset + hop.length);
    return { ...hop, startTick, endTick, atNs, latencyNs, flags };
  });
  return { fromNs: head.fromNs, toNs: head.toNs, truncated: head.truncated, hops };
}
