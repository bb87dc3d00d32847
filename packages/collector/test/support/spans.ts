// Decoded spans and flushes for tests of what comes after decoding.

import type { SpanId, TraceId } from '@framescope/protocol';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { columnsOf } from '../../src/decode/span-columns.ts';
import type { DecodedFlush, DecodedSpan } from '../../src/decode/types.ts';
import type { IngestBatch } from '../../src/store/store.ts';

const SECOND_NS = 1_000_000_000n;

/** Noon UTC of some day. */
export const NOON_NS: bigint = 1_700_049_600n * SECOND_NS;

export const seconds = (count: number): bigint => BigInt(count) * SECOND_NS;

/** `spanOf('a1')`: span 1 of trace a. `change` replaces fields. */
export function spanOf(name: string, change: Partial<DecodedSpan> = {}): DecodedSpan {
  const [trace = '', span = ''] = [name.slice(0, 1), name.slice(1)];
  return {
    traceId: trace.repeat(32) as TraceId,
    spanId: span.padStart(16, '0') as SpanId,
    name,
    kind: 1,
    startUnixNs: NOON_NS,
    endUnixNs: NOON_NS + SECOND_NS,
    statusCode: 0,
    statusMessage: '',
    attributes: {},
    events: [],
    links: [],
    scope: 'test',
    resource: { attributes: { 'service.name': 'svc' } },
    ...change,
  };
}

export function flushOf(
  sessionId: string,
  seq: number,
  change: Partial<DecodedFlush> = {},
): DecodedFlush {
  return {
    sessionId,
    traceId: 'f'.repeat(32) as TraceId,
    spanId: String(seq).padStart(16, '0') as SpanId,
    producer: 'ab'.repeat(8),
    seq,
    part: 0,
    clock: { domain: 'cd'.repeat(8), epoch: 0, zeroUnixNs: NOON_NS },
    startUnixNs: NOON_NS + seconds(seq),
    endUnixNs: NOON_NS + seconds(seq + 1),
    record: Uint8Array.of(1, 2, 3, seq % 256),
    frameCount: 50,
    lostCount: 0,
    resource: { attributes: { 'service.name': 'agent' } },
    ...change,
  };
}

export const batchOf = (
  spans: readonly DecodedSpan[],
  flushes: readonly DecodedFlush[] = [],
  arrivalUnixNs: bigint = NOON_NS,
): IngestBatch => ({ arrivalUnixNs, spans: columnsOf(spans), flushes });

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'framescope-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
