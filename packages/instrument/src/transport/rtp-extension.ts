// RTP header extensions as RFC 8285 packs them, and the lines of SDP that agree
// on their numbers. For people whose RTP stack hands over raw bytes; werift and
// the like do this part themselves.
//
//   one-byte form   0xBEDE   | id 4 | length − 1 4 | data 1–16 |
//   two-byte form   0x100x   | id 8 | length     8 | data 0–255 |
//   both            padded with zero bytes to whole words of 32 bits

import { decoded, rejected, type Decoded } from '@framescope/protocol';

/** What names our extension in `a=extmap`. */
export const RTP_EXTENSION_URI = 'urn:x-framescope:rtp-hdrext:context:1';

/** The `defined by profile` field that says which form follows. */
export const RTP_PROFILE = { oneByte: 0xbede, twoByte: 0x1000 } as const;

/** Local identifiers that either form can carry. */
const ID_MIN = 1;
const ID_MAX = 14;
const ONE_BYTE_ID_END = 15;
const ONE_BYTE_DATA_MAX = 16;
const TWO_BYTE_ID_MAX = 255;
const TWO_BYTE_DATA_MAX = 255;

/** One RTP header extension (RFC 8285): its local ID and its bytes. */
export interface HeaderExtension {
  readonly id: number;
  readonly payload: Uint8Array;
}

/** The header extensions of one RTP packet. */
export interface HeaderExtensionBlock {
  /** `RTP_PROFILE.oneByte` or `.twoByte`. */
  readonly profile: number;
  /** What follows profile and length; whole words of 32 bits. */
  readonly bytes: Uint8Array;
}

/** True for a number that `a=extmap` may give us in either form: 1 to 14. */
export const isExtensionId = (id: unknown): id is number =>
  typeof id === 'number' && Number.isInteger(id) && id >= ID_MIN && id <= ID_MAX;

/**
 * Packs extensions in the one-byte form if all fit it, else in the two-byte form. What fits neither
 * (an ID over 255, data over 255 bytes) is left out. A block with nothing in it has no bytes.
 */
export function encodeHeaderExtensions(
  extensions: readonly HeaderExtension[],
): HeaderExtensionBlock {
  const usable = extensions.filter(fitsTwoByte);
  const isOneByte = usable.every(fitsOneByte);
  const headerBytes = isOneByte ? 1 : 2;
  const length = usable.reduce((sum, one) => sum + headerBytes + one.payload.length, 0);
  const bytes = new Uint8Array(Math.ceil(length / 4) * 4);
  let at = 0;
  for (const { id, payload } of usable) {
    if (isOneByte) bytes[at++] = (id << 4) | (payload.length - 1);
    else {
      bytes[at++] = id;
      bytes[at++] = payload.length;
    }
    bytes.set(payload, at);
    at += payload.length;
  }
  return { profile: isOneByte ? RTP_PROFILE.oneByte : RTP_PROFILE.twoByte, bytes };
}

const fitsTwoByte = ({ id, payload }: HeaderExtension): boolean =>
  Number.isInteger(id) && id >= 1 && id <= TWO_BYTE_ID_MAX && payload.length <= TWO_BYTE_DATA_MAX;

const fitsOneByte = ({ id, payload }: HeaderExtension): boolean =>
  id <= ID_MAX && payload.length >= 1 && payload.length <= ONE_BYTE_DATA_MAX;

/** Reads a block in either form; data are views into `bytes`. Never throws. */
export function decodeHeaderExtensions(
  profile: number,
  bytes: Uint8Array,
): Decoded<readonly HeaderExtension[]> {
  if (profile === RTP_PROFILE.oneByte) return readElements(bytes, readOneByte);
  // The low four bits are the application's (RFC 8285, 4.3).
  if ((profile & 0xfff0) === RTP_PROFILE.twoByte) return readElements(bytes, readTwoByte);
  return rejected('rtp', `profile 0x${(profile >>> 0).toString(16)} is no form of RFC 8285`);
}

/** One element's header: where its data begins, and how long it is; `undefined` ends the block. */
interface ElementHead {
  readonly id: number;
  readonly dataAt: number;
  readonly length: number;
}

function readElements(
  bytes: Uint8Array,
  head: (bytes: Uint8Array, at: number) => ElementHead | undefined,
): Decoded<readonly HeaderExtension[]> {
  const found: HeaderExtension[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] === 0) {
      at++;
      continue;
    }
    const element = head(bytes, at);
    if (element === undefined) break;
    const { id, dataAt, length } = element;
    at = dataAt + length;
    if (at > bytes.length)
      return rejected('rtp', `extension ${id} says ${length} bytes, ${bytes.length - dataAt} left`);
    found.push({ id, payload: bytes.subarray(dataAt, at) });
  }
  return decoded(found);
}

function readOneByte(bytes: Uint8Array, at: number): ElementHead | undefined {
  const id = bytes[at]! >> 4;
  // 15 is reserved: what follows is to be ignored.
  if (id === ONE_BYTE_ID_END) return undefined;
  return { id, dataAt: at + 1, length: (bytes[at]! & 15) + 1 };
}

const readTwoByte = (bytes: Uint8Array, at: number): ElementHead => ({
  id: bytes[at]!,
  dataAt: at + 2,
  length: bytes[at + 1] ?? 0,
});

/**
 * The lines to put into an audio section of an offer or answer, without line ends. The first allows
 * both forms in one stream: tags fit the one-byte form, anchors need the two-byte form.
 */
export const extmapLines = (id: number): readonly string[] => [
  'a=extmap-allow-mixed',
  `a=extmap:${id} ${RTP_EXTENSION_URI}`,
];

const EXTMAP = /^a=extmap:(\d{1,5})(?:\/\w+)? (\S+)/gm;

/** The number agreed for our extension in an SDP; `undefined` when the other side does not know it. */
export function extensionIdIn(sdp: string): number | undefined {
  for (const [, id, uri] of String(sdp).matchAll(EXTMAP))
    if (uri === RTP_EXTENSION_URI) return Number(id);
  return undefined;
}
