// OTLP bodies of frame records: one a second of each of many calls, six hops of
// 50 frames, as a process with forty calls sends them.
//
// The marks of a second are encoded a few times with different jitter and shared
// by the calls: encoding is measured elsewhere (suite wire), and the generator has
// one of two cores.

import {
  domainNs,
  encodeRecord,
  recordSpanId,
  sessionTraceId,
  toBase64,
  unixNs,
  type FrameRecord,
} from '@framescope/protocol';
import { randomWords } from './span-bodies.ts';

const HOPS = ['capture', 'encode', 'send', 'receive', 'jitter_buffer', 'decode'];
const FRAMES = 50;
const FRAME_TICKS = 320;
const FRAME_NS = 20_000_000;
export const MARKS_A_RECORD: number = HOPS.length * FRAMES;

/** Few enough that each comes to minutes: what a call costs once is not what a mark costs. */
const CALLS = 200;
const CALLS_A_BODY = 40;
const VARIANTS = 4;
const PRODUCER = '00f1e2d3c4b5a697';
const DOMAIN = 'fedcba9876543210';

export function recordBodies(seed: number): {
  contentType: string;
  next(): { bytes: Uint8Array; items: number };
} {
  const random = randomWords(seed);
  const zeroUnixNs = BigInt(Date.now()) * 1_000_000n;
  const run = String(Date.now());
  let second = 0;
  let group = 0;
  let records = recordsOf(second, zeroUnixNs, random);
  return {
    contentType: 'application/x-protobuf',
    next: () => {
      if (group === CALLS / CALLS_A_BODY) {
        group = 0;
        second++;
        records = recordsOf(second, zeroUnixNs, random);
      }
      const first = group++ * CALLS_A_BODY;
      const spans = Array.from({ length: CALLS_A_BODY }, (_, i) =>
        flushSpan({
          session: `load-${run}-${first + i}`,
          record: records[(first + i) % VARIANTS]!,
          second,
          zeroUnixNs,
        }),
      );
      const scopeSpans = Buffer.concat([
        bytesField(1, textField(1, '@framescope/instrument')),
        ...spans.map(span => bytesField(2, span)),
      ]);
      const resource = bytesField(1, attribute('service.name', 'voice-agent'));
      return {
        bytes: bytesField(1, Buffer.concat([bytesField(1, resource), bytesField(2, scopeSpans)])),
        items: CALLS_A_BODY * MARKS_A_RECORD,
      };
    },
  };
}

/** The same second of a call with a few kinds of jitter, in base64. */
function recordsOf(second: number, zeroUnixNs: bigint, random: () => number): string[] {
  return Array.from({ length: VARIANTS }, () => {
    const parts = encodeRecord(recordOf(second, zeroUnixNs, random));
    if (parts.length !== 1) throw new Error(`a record of ${parts.length} parts`);
    return toBase64(parts[0]!);
  });
}

function recordOf(second: number, zeroUnixNs: bigint, random: () => number): FrameRecord {
  const columns = HOPS.map(name => ({
    hop: { role: 'agent', name, nth: 0 },
    length: FRAMES,
    startTick: new Float64Array(FRAMES),
    endTick: new Float64Array(FRAMES),
    atNs: new Float64Array(FRAMES),
    late: [],
  }));
  const uniform = (): number => (random() + 0.5) / 2 ** 32;
  for (let i = 0; i < FRAMES; i++) {
    const frame = second * FRAMES + i;
    let atNs = (frame + 1) * FRAME_NS;
    for (const column of columns) {
      atNs += Math.round(200_000 - Math.log(uniform()) * 400_000);
      column.startTick[i] = frame * FRAME_TICKS;
      column.endTick[i] = (frame + 1) * FRAME_TICKS;
      column.atNs[i] = atNs;
    }
  }
  return {
    producer: PRODUCER,
    seq: second,
    domain: DOMAIN,
    epoch: 0,
    zeroUnixNs: unixNs(zeroUnixNs),
    quantumNs: 10_000,
    blocks: [{ stream: 'mic', sampleRate: 16_000, direction: 'up', columns, ranges: [] }],
    clockSamples: second % 10 === 0 ? [sampleAt(second)] : [],
  };
}

const sampleAt = (second: number): FrameRecord['clockSamples'][number] => ({
  peer: '0123456789abcdef',
  peerEpoch: 0,
  t1: domainNs(second * 1e9),
  t2: domainNs(second * 1e9 + 1e6),
  t3: domainNs(second * 1e9 + 1.1e6),
  t4: domainNs(second * 1e9 + 2.1e6),
});

function flushSpan(one: {
  session: string;
  record: string;
  second: number;
  zeroUnixNs: bigint;
}): Buffer {
  const trace = sessionTraceId(one.session);
  const times = Buffer.alloc(18);
  times[0] = 7 * 8 + 1;
  times.writeBigUInt64LE(one.zeroUnixNs + BigInt(one.second) * 1_000_000_000n, 1);
  times[9] = 8 * 8 + 1;
  times.writeBigUInt64LE(one.zeroUnixNs + BigInt(one.second + 1) * 1_000_000_000n, 10);
  const attributes: readonly (readonly [string, string | number])[] = [
    ['session.id', one.session],
    ['framescope.producer', PRODUCER],
    ['framescope.seq', one.second],
    ['framescope.record.part', 0],
    ['framescope.clock.domain', DOMAIN],
    ['framescope.clock.epoch', 0],
    ['framescope.clock.zero_unix_ns', String(one.zeroUnixNs)],
    ['framescope.frame.count', FRAMES],
    ['framescope.frame.lost', 0],
    ['framescope.record', one.record],
  ];
  return Buffer.concat([
    bytesField(1, Buffer.from(trace, 'hex')),
    bytesField(2, Buffer.from(recordSpanId(PRODUCER, trace, one.second, 0), 'hex')),
    textField(5, 'audio.frames'),
    times,
    ...attributes.map(([key, value]) => bytesField(9, keyValue(key, value))),
  ]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

const bytesField = (field: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);

const textField = (field: number, text: string): Buffer => bytesField(field, Buffer.from(text));

const keyValue = (key: string, value: string | number): Buffer =>
  Buffer.concat([
    textField(1, key),
    bytesField(
      2,
      typeof value === 'string'
        ? textField(1, value)
        : Buffer.concat([varint(3 * 8), varint(value)]),
    ),
  ]);

const attribute = (key: string, value: string): Buffer => bytesField(1, keyValue(key, value));
