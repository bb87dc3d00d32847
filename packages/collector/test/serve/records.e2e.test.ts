import { encodeRecord, toBase64, type FrameRecord } from '@framescope/protocol';
import { startCollector } from 'framescope';
import { expect, onTestFinished, test } from 'vitest';
import { attribute, bodyOf, spanJson } from '../support/otlp-bodies.ts';
import { temporaryFolder } from '../support/spans.ts';

const FRAME_TICKS = 320;

/** One second of 20 ms frames at one hop. */
const record = (seq: number): FrameRecord =>
  ({
    producer: 'ab'.repeat(8),
    seq,
    domain: 'cd'.repeat(8),
    epoch: 0,
    zeroUnixNs: 1_700_000_000_000_000_000n,
    quantumNs: 10_000,
    clockSamples: [],
    blocks: [
      {
        stream: 'mic',
        sampleRate: 16_000,
        direction: 'up',
        ranges: [],
        columns: [
          {
            hop: { role: 'agent', name: 'receive', nth: 0 },
            length: 50,
            startTick: Float64Array.from({ length: 50 }, (_, i) => (seq * 50 + i) * FRAME_TICKS),
            endTick: Float64Array.from({ length: 50 }, (_, i) => (seq * 50 + i + 1) * FRAME_TICKS),
            atNs: Float64Array.from({ length: 50 }, (_, i) => seq * 1e9 + (i + 1) * 2e7),
            late: [],
          },
        ],
      },
    ],
  }) as unknown as FrameRecord;

const text = (key: string, stringValue: string): object => attribute(key, { stringValue });

function flushSpan(seq: number, recordText: string): unknown {
  return spanJson({
    name: 'audio.frames',
    spanId: String(seq + 1).padStart(16, '0'),
    attributes: [
      text('session.id', 'call'),
      text('framescope.producer', 'ab'.repeat(8)),
      text('framescope.clock.domain', 'cd'.repeat(8)),
      text('framescope.clock.zero_unix_ns', '1700000000000000000'),
      attribute('framescope.seq', { intValue: seq }),
      attribute('framescope.frame.count', { intValue: 50 }),
      text('framescope.record', recordText),
    ],
  });
}

test('records are stored and counted; one with a flipped bit is refused with the reason', async () => {
  const collector = await startCollector({ data: temporaryFolder() });
  onTestFinished(() => collector.close());
  const good = encodeRecord(record(0))[0]!;
  const torn = encodeRecord(record(1))[0]!;
  torn[torn.length - 1]! ^= 1;
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(bodyOf(flushSpan(0, toBase64(good)), flushSpan(1, toBase64(torn)))),
  });
  expect(await response.json()).toMatchObject({
    partialSuccess: {
      rejectedSpans: '1',
      errorMessage: expect.stringMatching(/spans\[1\]\.attributes\["framescope\.record"\].*CRC/i),
    },
  });
  await expect
    .poll(async () => (await fetch(`${collector.url}/metrics`)).text())
    .toMatch(/flushes_total 1\n/);
  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  expect(metrics).toContain('refused_spans_total{reason="record_crc"} 1');
});
