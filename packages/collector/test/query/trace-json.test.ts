// The text that is made from columns says what the objects say.

import { expect, onTestFinished, test } from 'vitest';
import { bytesText } from '../../src/decode/bytes-value.ts';
import type { DecodedSpan } from '../../src/decode/types.ts';
import { traceJson } from '../../src/query/trace-json.ts';
import { trace } from '../../src/query/trace.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { batchOf, NOON_NS, seconds, spanOf, temporaryFolder } from '../support/spans.ts';

async function both(...commits: (readonly DecodedSpan[])[]): Promise<[unknown, unknown]> {
  const folder = temporaryFolder();
  const writer = new SqliteWriter({ folder, maxBytes: 1e9 });
  for (const spans of commits) writer.commit(batchOf(spans));
  const reader = new SqliteReader(folder);
  onTestFinished(async () => {
    await reader.close();
    writer.close();
  });
  const bytes = await traceJson(reader, 'a'.repeat(32));
  const objects = await trace(reader, 'a'.repeat(32));
  return [bytes && JSON.parse(Buffer.from(bytes).toString()), objects];
}

test('spans of every kind, over several commits, in order of time', async () => {
  const link = { traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), attributes: { why: 'x' } };
  const [text, objects] = await both(
    [
      spanOf('a3', { startUnixNs: NOON_NS + seconds(2), attributes: { n: -1.5, big: 2 ** 60 } }),
      spanOf('b1'),
      spanOf('a1', {
        name: 'höre "🎙" \\ \n\0',
        parentSpanId: spanOf('a3').spanId,
        attributes: {
          text: 'a"b',
          yes: true,
          no: false,
          none: null,
          list: [1, 'x', [bytesText('AA==')]],
          map: { a: { b: 1 } },
          bytes: bytesText('AAEC/w=='),
          'key "quoted"': '',
        },
        resource: { attributes: { 'service.name': 'voice', raw: bytesText('AA==') } },
        statusCode: 2,
        statusMessage: 'no "voice"',
        flags: 0x101,
        scope: 'lib',
        scopeVersion: '1.2',
        scopeAttributes: { a: 1 },
      }),
    ],
    [
      spanOf('a2', {
        endUnixNs: NOON_NS - 5n,
        resource: { attributes: { port: 1 } },
        events: [{ name: 'e', atUnixNs: NOON_NS + 7n, attributes: { i: 1 } }],
        links: [link],
        traceState: 'x=y',
      }),
      spanOf('a4', { endUnixNs: NOON_NS + seconds(9), flags: 0x101 }),
    ],
  );
  expect(text).toEqual(objects);
});

test('a trace with log records and running spans is folded as before', async () => {
  const [text, objects] = await both([
    spanOf('a1'),
    spanOf('a2', { parentSpanId: spanOf('a1').spanId, attributes: { 'framescope.log': true } }),
  ]);
  expect(text).toEqual(objects);
  expect((text as { spans: unknown[] }).spans).toHaveLength(1);
});

test('no trace is no text', async () => {
  expect(await both([spanOf('b1')])).toEqual([undefined, undefined]);
});
