// Rows that are written in fewer bytes say what they said.

import { recordSpanId, sessionTraceId, type SpanId, type TraceId } from '@framescope/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { idsOf, storedIds } from '../../src/store/sqlite/flush-ids.ts';
import { worstOf, worstText } from '../../src/store/sqlite/worst-text.ts';
import { FolderSource } from '../../src/store/sqlite/folder-source.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { batchOf, flushOf, temporaryFolder } from '../support/spans.ts';

test('the worst of a minute come back, also as earlier versions wrote them', () => {
  const worst = [
    { valueNs: 41_200_000, ref: 319_680 },
    { valueNs: 41_080_000, ref: 0 },
    { valueNs: 41_080_000, ref: 320 },
  ];
  expect(worstText(worst)).toBe('[41200000,319680,120000,0,0,320]');
  expect(worstOf(worstText(worst))).toEqual(worst);
  expect(worstOf('[[41200000,319680],[41080000,0]]')).toEqual(worst.slice(0, 2));
  expect([worstText([]), worstOf('[]')]).toEqual(['[]', []]);
});

test('IDs that follow from what a flush is are not stored; all others are', () => {
  const { producer } = flushOf('s', 7);
  const traceId = sessionTraceId('s');
  const usual = flushOf('s', 7, { traceId, spanId: recordSpanId(producer, traceId, 7, 0) });
  const bytes = (flush: typeof usual): number[] => storedIds(flush).map(one => one.length);
  expect(bytes(usual)).toEqual([0, 0]);
  const others = [
    { traceId: 'a'.repeat(32) as TraceId },
    { spanId: 'b'.repeat(16) as SpanId },
    { traceId: 'a'.repeat(32) as TraceId, spanId: recordSpanId(producer, 'a'.repeat(32), 7, 0) },
    { producer: 'no hex' },
  ].map(change => ({ ...usual, ...change }));
  expect(others.map(bytes)).toEqual([
    [16, 8],
    [0, 8],
    [16, 0],
    [0, 8],
  ]);
  for (const flush of [usual, ...others]) {
    const [trace, span] = storedIds(flush);
    const { traceId: its, spanId } = flush;
    expect(idsOf(flush, { traceId: trace, spanId: span })).toEqual({ traceId: its, spanId });
  }
});

test('a folder that is moved gives flushes with the IDs that they had, stored or not', () => {
  const folder = temporaryFolder();
  const writer = new SqliteWriter({ folder, maxBytes: 1e9 });
  const traceId = sessionTraceId('s');
  const { producer } = flushOf('s', 1);
  const usual = flushOf('s', 1, { traceId, spanId: recordSpanId(producer, traceId, 1, 0) });
  const { committed } = writer.commit(batchOf([], [usual, flushOf('s', 2), flushOf('t', 1)]));
  writer.close();
  const source = new FolderSource(folder);
  onTestFinished(() => source.close());
  expect(source.flushesAfter(source.files[0]!, 0, 9)).toEqual({
    last: 3,
    flushes: committed.flushes,
  });
});
