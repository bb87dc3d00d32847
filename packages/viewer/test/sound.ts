// Recordings of a simulated call as files: two channels, a tone where somebody speaks; as WAV, and
// as the Ogg Opus that LiveKit uploads (RFC 3533, RFC 7845), encoded for real.

import { createEncoder } from 'libopus-wasm';
import type { Turn } from '@framescope/protocol';

const RATE = 48_000;
const PACKET_SAMPLES = 960;
const PACKETS_A_PAGE = 50;

/** Interleaved, left the user and right the agent; the call's zero is `leadS` into it. */
export function soundOf(turns: readonly Turn[], leadS: number): Int16Array<ArrayBuffer> {
  const endNs = Math.max(...turns.map(({ user, agent }) => (agent ?? user)?.endNs ?? 0));
  const samples = new Int16Array(2 * Math.ceil((endNs / 1e9 + leadS + 1) * RATE));
  const at = (ns: number): number => Math.round((ns / 1e9 + leadS) * RATE);
  for (const turn of turns)
    for (const [channel, speech] of [turn.user, turn.agent].entries())
      for (let i = at(speech?.startNs ?? 0); i < at(speech?.endNs ?? 0); i++)
        samples[2 * i + channel] = Math.round(9_000 * Math.sin((i * 2 * Math.PI * 440) / RATE));
  return samples;
}

export function wavOf(samples: Int16Array<ArrayBuffer>): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.byteLength, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(2, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(RATE * 4, 28);
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer)]);
}

export async function oggOf(samples: Int16Array<ArrayBuffer>): Promise<Buffer> {
  const encoder = await createEncoder({
    sampleRate: RATE,
    channels: 2,
    frameSize: PACKET_SAMPLES,
    bitrate: 48_000,
    complexity: 3,
  });
  const skipped = encoder.getLookahead();
  const pages = [pageOf([headOf(skipped)], 0n, 0, 2), pageOf([tagsOf()], 0n, 1, 0)];
  let packets: Uint8Array[] = [];
  const step = 2 * PACKET_SAMPLES;
  for (let from = 0, position = 0n; from < samples.length; from += step) {
    const frame = new Int16Array(step);
    frame.set(samples.subarray(from, from + step));
    packets.push(encoder.encode(frame));
    position += BigInt(PACKET_SAMPLES);
    const isLast = from + step >= samples.length;
    if (packets.length < PACKETS_A_PAGE && !isLast) continue;
    pages.push(pageOf(packets, position, pages.length, isLast ? 4 : 0));
    packets = [];
  }
  encoder.free();
  return Buffer.concat(pages);
}

function headOf(skipped: number): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead');
  head[8] = 1;
  head[9] = 2;
  head.writeUInt16LE(skipped, 10);
  head.writeUInt32LE(RATE, 12);
  return head;
}

function tagsOf(): Buffer {
  const vendor = Buffer.from('test');
  const tags = Buffer.alloc(8 + 4 + vendor.length + 4);
  tags.write('OpusTags');
  tags.writeUInt32LE(vendor.length, 8);
  vendor.copy(tags, 12);
  return tags;
}

/** `flags`: 2 for the first page, 4 for the last. */
function pageOf(
  packets: readonly Uint8Array[],
  position: bigint,
  sequence: number,
  flags: number,
): Buffer {
  const lacing = packets.flatMap(({ length }) => [
    ...Array.from({ length: Math.floor(length / 255) }, () => 255),
    length % 255,
  ]);
  const head = Buffer.alloc(27);
  head.write('OggS');
  head[5] = flags;
  head.writeBigInt64LE(position, 6);
  head.writeUInt32LE(7, 14);
  head.writeUInt32LE(sequence, 18);
  head[26] = lacing.length;
  const page = Buffer.concat([head, Buffer.from(lacing), ...packets]);
  page.writeUInt32LE(crcOf(page), 22);
  return page;
}

/** Ogg's own: polynomial 0x04c11db7, not reflected, start 0. */
function crcOf(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}
