// The outline of a trace comes out of the store's columns, the whole trace out of objects: they
// must be the same, whatever has to be folded, in however many commits it came.

import { ATTR } from '@framescope/protocol';
import { expect, onTestFinished, test } from 'vitest';
import type { DecodedSpan } from '../../src/decode/types.ts';
import { outlineColumns, traceOutline, traceSpan } from '../../src/query/trace-outline.ts';
import { trace } from '../../src/query/trace.ts';
import { encodeOutline } from '../../src/serve/outline-binary.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { batchOf, NOON_NS, seconds, spanOf, temporaryFolder } from '../support/spans.ts';

const TRACE = 'a'.repeat(32);
const id = (digits: string): DecodedSpan['spanId'] => digits.padStart(16, '0') as never;

function storeOf(commits: readonly (readonly DecodedSpan[])[]): SqliteReader {
  const folder = temporaryFolder();
  const writer = new SqliteWriter({ folder, maxBytes: 1e9 });
  for (const spans of commits) writer.commit(batchOf(spans));
  const reader = new SqliteReader(folder);
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  return reader;
}

const span = (name: string, parent: string, atS: number, lengthS = 1): DecodedSpan =>
  spanOf(name, {
    ...(parent !== '' && { parentSpanId: id(parent) }),
    startUnixNs: NOON_NS + seconds(atS) + 7n,
    endUnixNs: NOON_NS + seconds(atS + lengthS),
    statusCode: atS % 3,
  });

const logOf = (name: string, under: string, atS: number): DecodedSpan => ({
  ...span(name, under, atS, 0),
  attributes: { [ATTR.log]: 'info' },
});

const pendingOf = (name: string, of: string, parent: string, atS: number): DecodedSpan => ({
  ...span(name, of, atS),
  attributes: { [ATTR.pending]: id(parent) },
});

const logfire = (one: DecodedSpan, type: string): DecodedSpan => ({
  ...one,
  attributes: { 'logfire.span_type': type, 'logfire.pending_parent_id': id('1') },
});

const STRANGE: readonly (readonly DecodedSpan[])[] = [
  [span('a2', '1', 2), logOf('ae1', '2', 3), pendingOf('ae2', '3', '1', 4), span('a9', '77', 1)],
  [span('a1', '', 0, 9), logOf('ae3', '3', 5), logOf('ae4', '66', 6), span('a5', '2', 2, 2)],
  [span('a3', '1', 4), pendingOf('ae5', '4', '1', 5), logfire(span('a6', '1', 7), 'span')],
  [logfire(span('ae6', '7', 8), 'pending_span'), span('b1', '', 0), span('a8', '8', 3)],
];

/** What both tell of each span, by row. */
async function bothOf(reader: SqliteReader): Promise<[unknown, unknown]> {
  const whole = (await trace(reader, TRACE))!;
  const outline = (await traceOutline(reader, TRACE))!;
  const rowOf = new Map(whole.spans.map((one, row) => [one.spanId, row]));
  const { spans, ...head } = whole;
  const { names, services, spanIds, parent, name, service, startNs, lengthNs, status, ...rest } =
    outline;
  const { openRows, ...outlineHead } = rest;
  return [
    {
      ...head,
      rows: spans.map((one, row) => [
        one.spanId,
        // A span that is its own parent has one, as far as a trace knows.
        rowOf.get(one.parentSpanId ?? '') ?? -1,
        one.name,
        one.service,
        one.startNs,
        one.durationNs,
        one.status.code,
        one.isOpen && row >= 0,
      ]),
    },
    {
      ...outlineHead,
      rows: parent.map((above, row) => [
        spanIds.slice(row * 16, row * 16 + 16),
        above,
        names[name[row]!],
        services[service[row]!],
        startNs[row],
        lengthNs[row],
        status[row],
        openRows.includes(row),
      ]),
    },
  ];
}

test('an outline tells the same of each span as the whole trace, in one commit or in four', async () => {
  for (const commits of [STRANGE, [STRANGE.flat()], [STRANGE.flat().toReversed()]]) {
    const [whole, outline] = await bothOf(storeOf(commits));
    expect(outline).toEqual(whole);
  }
});

test('open spans, strays and lost parents are among what was compared', async () => {
  const outline = (await traceOutline(storeOf(STRANGE), TRACE))!;
  expect([outline.parent.length, outline.openRows.length]).toEqual([10, 2]);
  expect(outline.spanIds).toContain(id('e4'));
  expect(outline.spanIds).not.toContain(id('e1'));
});

test('one span of a trace comes whole, with the log records beneath it as events', async () => {
  const reader = storeOf(STRANGE);
  const whole = (await trace(reader, TRACE))!;
  for (const one of whole.spans) expect(await traceSpan(reader, TRACE, one.spanId)).toEqual(one);
  expect((await traceSpan(reader, TRACE, id('2')))!.events.map(event => event.name)).toEqual([
    'ae1',
  ]);
  expect(await traceSpan(reader, TRACE, id('ffff'))).toBe(undefined);
});

test('in binary the columns follow a head, each at its natural boundary', async () => {
  const outline = (await outlineColumns(storeOf(STRANGE), TRACE))!;
  const bytes = encodeOutline(outline);
  const headLength = new DataView(bytes.buffer).getUint32(0, true);
  const head = JSON.parse(Buffer.from(bytes.subarray(4, 4 + headLength)).toString()) as {
    count: number;
  };
  const at = Math.ceil((4 + headLength) / 8) * 8;
  expect(head).toEqual(outline.head);
  expect(new Float64Array(bytes.buffer, at, head.count)).toEqual(outline.startNs);
  expect(new Int32Array(bytes.buffer, at + 24 * head.count, head.count)).toEqual(outline.parent);
  expect(bytes.length).toBe(at + 37 * head.count);
});
