// What a search through Jaeger's API looks through.

import { expect, onTestFinished, test } from 'vitest';
import { dependencies, searchTraces, type JaegerSearch } from '../../src/jaeger/search.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { batchOf, NOON_NS, seconds, spanOf, temporaryFolder } from '../support/spans.ts';

const resourceOf = (service: string) => ({ attributes: { 'service.name': service } });

/** `busy` says something each second of `count`, `rare` once, in the first; each trace has two spans. */
function filled(count: number): SqliteReader {
  const folder = temporaryFolder();
  const writer = new SqliteWriter({ folder, maxBytes: 1e9 });
  for (let s = 0; s < count; s++) {
    const at = { startUnixNs: NOON_NS + seconds(s), endUnixNs: NOON_NS + seconds(s + 1) };
    const trace = (s + 1).toString(16);
    const [parent, child] = [`${trace}1`, `${trace}2`];
    const spans = [
      spanOf(parent, { ...at, resource: resourceOf('busy') }),
      spanOf(child, {
        ...at,
        parentSpanId: spanOf(parent).spanId,
        resource: resourceOf(s === 0 ? 'rare' : 'busy'),
      }),
    ];
    writer.commit(batchOf(spans, [], NOON_NS + seconds(s)));
  }
  const reader = new SqliteReader(folder);
  onTestFinished(async () => {
    await reader.close();
    writer.close();
  });
  return reader;
}

const asked = (change: Partial<JaegerSearch>): JaegerSearch => ({
  service: 'busy',
  tags: {},
  fromUnixNs: NOON_NS,
  toUnixNs: NOON_NS + seconds(86_400),
  limit: 2,
  ...change,
});

test('the latest traces that fit are found, whole, and no more than asked for', async () => {
  const reader = filled(12);
  const found = await searchTraces(reader, asked({}));
  expect(found.map(spans => spans.map(span => span.name))).toEqual([
    ['c1', 'c2'],
    ['b1', 'b2'],
  ]);
});

test('a service that spoke once, before all others, is found by its one span', async () => {
  const reader = filled(12);
  const found = await searchTraces(reader, asked({ service: 'rare' }));
  expect(found.map(spans => spans.map(span => span.name))).toEqual([['11', '12']]);
  const none = asked({ service: 'rare', fromUnixNs: NOON_NS + seconds(5) });
  expect(await searchTraces(reader, none)).toEqual([]);
});

test('who calls whom is counted over the spans of a range', async () => {
  const range = { fromUnixNs: NOON_NS, toUnixNs: NOON_NS + seconds(9) };
  expect(await dependencies(filled(12), range)).toEqual(
    expect.arrayContaining([
      { parent: 'busy', child: 'busy', callCount: 9 },
      { parent: 'busy', child: 'rare', callCount: 1 },
    ]),
  );
});
