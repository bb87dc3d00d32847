// What an Ogg Opus file says of itself (RFC 3533, RFC 7845): channels, the rate it was recorded
// at, and its length, read off the first and the last page. Nothing is decoded.

export interface OpusFacts {
  readonly channels: number;
  /** Of the sound before encoding; 0: not said. Positions are always of 48 kHz. */
  readonly inputSampleRate: number;
  readonly durationNs: number;
}

/** Bytes of the start and of the end that are enough: a page has at most 65,307. */
export const OGG_EDGE_BYTES: number = 66 * 1024;

const CAPTURE = Buffer.from('OggS');
const HEAD = Buffer.from('OpusHead');
const POSITIONS_A_SECOND = 48_000;

/** `start` and `end` of the file, `OGG_EDGE_BYTES` each or all there is; undefined: no Ogg Opus. */
export function opusFacts(start: Uint8Array, end: Uint8Array): OpusFacts | undefined {
  const first = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  if (!first.subarray(0, 4).equals(CAPTURE)) return undefined;
  const head = first.indexOf(HEAD);
  if (head < 0 || head > 282 || head + 19 > first.length) return undefined;
  const last = Buffer.from(end.buffer, end.byteOffset, end.byteLength);
  const position = lastPosition(last);
  if (position === undefined) return undefined;
  const skipped = first.readUInt16LE(head + 10);
  const samples = Math.max(0, position - skipped);
  return {
    channels: first[head + 9]!,
    inputSampleRate: first.readUInt32LE(head + 12),
    durationNs: Math.round((samples / POSITIONS_A_SECOND) * 1e9),
  };
}

/** Position at the end of the last page that ends a packet. */
function lastPosition(bytes: Buffer): number | undefined {
  for (let at = bytes.lastIndexOf(CAPTURE); at >= 0;) {
    const hasHeader = at + 14 <= bytes.length && bytes[at + 4] === 0;
    const position = hasHeader ? bytes.readBigInt64LE(at + 6) : -1n;
    // −1: no packet ends on this page.
    if (position >= 0n) return Number(position);
    if (at === 0) return undefined;
    at = bytes.lastIndexOf(CAPTURE, at - 1);
  }
  return undefined;
}
