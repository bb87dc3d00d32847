// The vectors, the document and the code say the same.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as protocol from '../src/index.ts';
import { makeVectors, recordAsJson, withAttributeTable } from '../vectors/generate.mjs';
import { ITEM, PREDICTOR, RANGE_KINDS } from '../src/record-format.ts';

interface RecordVectors {
  readonly accepted: readonly { name: string; bytes: string; record: unknown }[];
  readonly refused: readonly { name: string; bytes: string; problem: string }[];
}

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
/** The document without what the formatter adds to tables. */
const bare = (text: string): string =>
  text
    .replaceAll(/ +/g, ' ')
    .replaceAll(/-{3,}/g, '---')
    .replaceAll(/\n{2,}/g, '\n');
const wire = bare(read('../../../docs/wire.md'));
const vectors = (file: string): unknown => JSON.parse(read(`../vectors/${file}`));

test('every vector file is what the code makes today', () => {
  const made = makeVectors(protocol);
  expect(Object.keys(made).toSorted()).toHaveLength(9);
  for (const [file, contents] of Object.entries(made))
    expect(JSON.parse(JSON.stringify(contents)), file).toEqual(vectors(file));
});

test('every accepted record is read to what its vector says', () => {
  const { accepted } = vectors('record.json') as RecordVectors;
  for (const { name, bytes, record } of accepted) {
    const raw = protocol.fromBase64(bytes);
    const part = raw.ok ? protocol.decodeRecord(raw.value) : raw;
    expect(part.ok && recordAsJson(part.value), name).toEqual(record);
  }
});

test.each([1, 2])('records of version %i are read as ever', version => {
  const { accepted } = vectors(`record-${version}.json`) as RecordVectors;
  for (const { name, bytes, record } of accepted) {
    const raw = protocol.fromBase64(bytes);
    const part = raw.ok ? protocol.decodeRecord(raw.value) : raw;
    expect(raw.ok && raw.value[2]).toBe(version);
    expect(part.ok && recordAsJson(part.value), name).toEqual(record);
  }
});

test('every refused record is refused for its own reason', () => {
  const { refused } = vectors('record.json') as RecordVectors;
  for (const { name, bytes, problem } of refused) {
    const raw = protocol.fromBase64(bytes);
    expect(raw.ok && protocol.decodeRecord(raw.value), name).toMatchObject({ ok: false, problem });
  }
  const problems = refused.map(({ problem }) => problem.replaceAll(/\d+|CRC is \w+/g, ''));
  expect(new Set(problems).size).toBeGreaterThanOrEqual(refused.length - 1); // "FR" twice
});

test('the attribute table of the document is the one of the code', () => {
  expect(bare(withAttributeTable(protocol, wire))).toBe(wire);
  for (const { name } of protocol.ATTRIBUTE_TABLE) expect(wire).toContain(`\`${name}\``);
});

test('every attribute name stands in the table exactly once, with a meaning', () => {
  const named = protocol.ATTRIBUTE_TABLE.map(({ name }) => name);
  expect(named.toSorted()).toEqual(Object.values(protocol.ATTR).toSorted());
  for (const { meaning, type } of protocol.ATTRIBUTE_TABLE) {
    expect(meaning).toMatch(/^[A-Z].*\.$/);
    expect(['string', 'int', 'bool', 'double']).toContain(type);
  }
});

test('the document names the code of every role and hop', () => {
  const hops = wire.split('## 4.')[0]!;
  for (const [name, code] of Object.entries({ ...protocol.ROLE, ...protocol.HOP }))
    expect(hops).toContain(`\`${name}\` | ${code} |`);
});

test('what is sent and stored has not changed since version 9', () => {
  const shapes = {
    attributes: protocol.ATTRIBUTE_TABLE.map(({ name, on, type, unit }) => [name, on, type, unit]),
    spans: protocol.SPAN,
    codes: [protocol.ROLE, protocol.HOP, protocol.ID_KIND, ITEM, PREDICTOR, RANGE_KINDS],
    versions: [
      protocol.RECORD_VERSION,
      protocol.ANCHOR_VERSION,
      protocol.TAG_VERSION,
      protocol.SKETCH_VERSION,
      protocol.STATE_VERSION,
    ],
    moments: [protocol.RECORDED_MOMENTS, protocol.MARKED_MOMENTS, protocol.SETUP_MOMENTS],
    // The bytes themselves: a layout cannot change without them.
    bytes: ['ids.json', 'record.json', 'anchor.json', 'sketch.json'].map(vectors),
  };
  const text = protocol.encodeUtf8(JSON.stringify(shapes));
  const shape = protocol.toHex(protocol.murmur3x128(text));
  expect({ version: protocol.PROTOCOL_VERSION, shape }).toEqual({
    version: 9,
    shape: '879854cedf0a097107dcc1f69ebc8254',
  });
});
