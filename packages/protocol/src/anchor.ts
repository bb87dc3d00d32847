// The anchor: "these are the session, stream and tick of what follows", sent
// in band at the start, about once a second, and after a discontinuity. It
// echoes when the peer's last anchor was sent and how long it was held: a
// four-stamp clock exchange on the media path itself. Layout: docs/wire.md.

import { fromBase64, toBase64 } from './base64.ts';
import { hexInto, toHex } from './hex.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { crc32 } from './crc32.ts';
import type { ClockDomainId } from './frame-block.types.ts';
import { decoded, rejected, type Decoded } from './result.ts';
import { domainNs, durationNs, tick, type DomainNs, type DurationNs, type Tick } from './units.ts';
import { ANCHOR_VERSION } from './version.ts';

/** What the sender heard last from the other side. */
export interface AnchorEcho {
  readonly domain: ClockDomainId;
  readonly epoch: number;
  /** `originNs` of the anchor received, on the peer's clock. */
  readonly originNs: DomainNs;
  /** From its arrival here until this anchor left. */
  readonly heldNs: DurationNs;
}

export interface Anchor {
  /** 32 hex digits: the session's trace. */
  readonly traceId: string;
  readonly stream: string;
  readonly direction: 'up' | 'down';
  readonly sampleRate: number;
  /** The tick of the first sample that follows. */
  readonly tick: Tick;
  /** The sender's clock, and when the anchor left by it. */
  readonly domain: ClockDomainId;
  readonly epoch: number;
  readonly originNs: DomainNs;
  readonly echo?: AnchorEcho;
}

/** `FA` */
const MAGIC = [0x46, 0x41] as const;
const FLAG = { down: 1, echo: 2 } as const;
const CRC_BYTES = 4;
const STREAM_BYTES_MAX = 255;
const ANCHOR_BYTES_MAX = 512;
const TEXT_START = '{"framescope":"';
const TEXT_END = '"}';

/** Whole and safe, or 0: an anchor with a wrong number in it is better than an exception. */
const safe = (value: number): number => {
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : 0;
};
const count = (value: number): number => Math.max(0, safe(value));

/** About 70 bytes, 100 with an echo. A stream name over 255 bytes is cut there. */
export function encodeAnchor(anchor: Anchor): Uint8Array {
  const out = new ByteWriter(192);
  for (const byte of MAGIC) out.u8(byte);
  out.u8(ANCHOR_VERSION);
  out.u8((anchor.direction === 'down' ? FLAG.down : 0) | (anchor.echo ? FLAG.echo : 0));
  out.u16(0); // length, known at the end
  out.raw(hexInto(new Uint8Array(16), anchor.traceId));
  out.raw(hexInto(new Uint8Array(8), anchor.domain));
  out.i64(safe(anchor.originNs));
  out.varint(count(anchor.epoch));
  out.varint(count(anchor.tick));
  out.varint(count(anchor.sampleRate));
  out.shortString(anchor.stream, STREAM_BYTES_MAX);
  if (anchor.echo) writeEcho(out, anchor.echo);
  out.setU16(4, out.length + CRC_BYTES);
  out.u32(crc32(out.bytes, 0, out.length));
  return out.toBytes();
}

function writeEcho(out: ByteWriter, echo: AnchorEcho): void {
  out.raw(hexInto(new Uint8Array(8), echo.domain));
  out.i64(safe(echo.originNs));
  out.varint(count(echo.epoch));
  out.varint(count(echo.heldNs));
}

/** Reads an anchor that fills `bytes`; never throws. */
export function decodeAnchor(bytes: Uint8Array): Decoded<Anchor> {
  const length = anchorLength(bytes);
  if (length === undefined) return rejected('anchor', 'does not begin with "FA"');
  if (bytes[2] !== ANCHOR_VERSION)
    return rejected(
      'anchor',
      `version ${bytes[2]}, known is ${ANCHOR_VERSION}: upgrade the reader`,
    );
  if (length !== bytes.length)
    return rejected('anchor', `${bytes.length} bytes, header says ${length}`);
  const end = length - CRC_BYTES;
  if (length > ANCHOR_BYTES_MAX || new ByteReader(bytes, end).u32() !== crc32(bytes, 0, end))
    return rejected('anchor', 'CRC does not match');
  return readAnchor(new ByteReader(bytes, 6, end), bytes[3]!);
}

/** How many bytes of a message are its anchor prefix; `undefined` when it has none. */
export function anchorLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < 6 || bytes[0] !== MAGIC[0] || bytes[1] !== MAGIC[1]) return undefined;
  const length = bytes[4]! | (bytes[5]! << 8);
  return length >= 6 + CRC_BYTES && length <= bytes.length ? length : undefined;
}

function readAnchor(input: ByteReader, flags: number): Decoded<Anchor> {
  if ((flags & ~(FLAG.down | FLAG.echo)) !== 0) input.fail(`flags ${flags}`);
  const traceId = toHex(input.raw(16));
  const domain = toHex(input.raw(8));
  const originNs = domainNs(input.i64());
  const epoch = input.varint();
  const at = tick(input.varint());
  const sampleRate = input.varint();
  const stream = input.string(STREAM_BYTES_MAX);
  const direction = flags & FLAG.down ? 'down' : 'up';
  const anchor = {
    traceId,
    stream,
    direction,
    sampleRate,
    tick: at,
    domain,
    epoch,
    originNs,
  } as const;
  const echo = flags & FLAG.echo ? readEcho(input) : undefined;
  if (input.remaining > 0) input.fail('more bytes than an anchor has');
  if (sampleRate < 1) input.fail('sample rate 0');
  if (input.problem !== undefined) return rejected('anchor', input.problem);
  return decoded(echo === undefined ? anchor : { ...anchor, echo });
}

function readEcho(input: ByteReader): AnchorEcho {
  const domain = toHex(input.raw(8));
  const originNs = domainNs(input.i64());
  const epoch = input.varint();
  return { domain, epoch, originNs, heldNs: durationNs(input.varint()) };
}

/** The text message that travels between binary audio on a WebSocket. */
export const anchorToText = (anchor: Anchor): string =>
  TEXT_START + toBase64(encodeAnchor(anchor)) + TEXT_END;

/** `undefined` for any text that is no anchor: it belongs to the application. Costs a prefix test. */
export function anchorFromText(text: string): Anchor | undefined {
  if (!text.startsWith(TEXT_START) || !text.endsWith(TEXT_END)) return undefined;
  if (text.length > 2 * ANCHOR_BYTES_MAX) return undefined;
  const bytes = fromBase64(text.slice(TEXT_START.length, -TEXT_END.length));
  const anchor = bytes.ok ? decodeAnchor(bytes.value) : bytes;
  return anchor.ok ? anchor.value : undefined;
}
