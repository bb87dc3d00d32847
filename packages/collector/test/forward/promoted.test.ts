import {
  ATTR,
  BASELINE_WEIGHT,
  frameSpanId,
  isBaselineTick,
  sessionTraceId,
  type SessionDetail,
  type Turn,
} from '@framescope/protocol';
import { expect, test } from 'vitest';
import { promotedOf, type TurnFrames } from '../../src/forward/promoted.ts';
import { NOON_NS, spanOf } from '../support/spans.ts';

const FRAME_SAMPLES = 320;
const FRAME_NS = 20_000_000;

/** `count` frames of 20 ms that pass one hop on time, as told by one instance of it. */
function hopOf(
  count: number,
  key: string,
): TurnFrames['frames']['streams'][number]['hops'][number] {
  const rows = Array.from({ length: count }, (_, row) => row);
  return {
    key,
    bareKey: 'caller.agent/decode',
    rows: { length: count, startTick: rows.map(row => row * FRAME_SAMPLES) },
    atNs: rows.map(row => row * FRAME_NS),
    latencyNs: new Float64Array(count),
    latencyErrorNs: 0,
    flags: new Uint8Array(count),
  } as unknown as ReturnType<typeof hopOf>;
}

function promoted(hops: readonly ReturnType<typeof hopOf>[]): ReturnType<typeof promotedOf> {
  const turn = { startNs: 0, endNs: null } as unknown as Turn;
  return promotedOf(turn, {
    session: { id: 'call' } as SessionDetail,
    frames: {
      zeroUnixNs: NOON_NS,
      durationNs: 0,
      streams: [{ name: 'caller', hops }],
    } as unknown as TurnFrames['frames'],
    root: spanOf('a1'),
  });
}

test('one frame in a thousand stands for the others: those that its own process would promote', () => {
  const count = 50_000;
  const spans = promoted([hopOf(count, 'caller.agent/decode')]);
  const ticks = spans.map(span => span.attributes[ATTR.frameTick]);
  const expected = Array.from({ length: count }, (_, row) => row * FRAME_SAMPLES);
  expect(ticks).toEqual(expected.filter(isBaselineTick));
  expect(spans.length).toBeGreaterThan(30);
  expect(spans.length).toBeLessThan(70);
  expect(spans[0]!.attributes[ATTR.sampleWeight]).toBe(BASELINE_WEIGHT);
});

test('a frame has one span with the ID that its process gives it, whichever instances told of it', () => {
  const spans = promoted([hopOf(10, 'caller.agent/decode@a'), hopOf(10, 'caller.agent/decode@b')]);
  const traceId = sessionTraceId('call');
  expect(spans.map(span => span.spanId)).toEqual([
    frameSpanId(traceId, 'caller', 'caller.agent/decode', 0),
  ]);
});
