// Flushes as OTLP: protobuf and JSON say the same, and protobuf is what the
// SDK's own serializer would be understood by.

import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { expect, test } from 'vitest';
import { makePacker } from '../src/export/frames-packer.ts';
import type { FramesSpan } from '../src/export/frames-span.ts';

const RESOURCE = { 'service.name': 'agent', 'process.pid': 7, ok: true, half: 0.5 };

const span = (name: string, record: Uint8Array): FramesSpan => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: '00f067aa0ba902b7',
  startUnixNs: 1_700_000_000_123_456_789n,
  endUnixNs: 1_700_000_001_123_456_789n,
  attributes: { 'session.id': name, 'framescope.frame.count': 300, 'framescope.record': record },
});

interface Field {
  readonly field: number;
  readonly value: number | Uint8Array;
}

/** Fields of a protobuf message: numbers (varint), bytes (fixed64 and what has a length). */
function fields(bytes: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const wire = key & 7;
    if (wire === 0) found.push({ field: key >> 3, value: varint() });
    else {
      const length = wire === 1 ? 8 : varint();
      found.push({ field: key >> 3, value: bytes.slice(at, at + length) });
      at += length;
    }
  }
  expect(at).toBe(bytes.length);
  return found;
}

const inside = (bytes: Uint8Array, field: number): Uint8Array[] =>
  fields(bytes).flatMap(one =>
    one.field === field && one.value instanceof Uint8Array ? [one.value] : [],
  );
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

function spansOf(body: Uint8Array): { name: string; session: string; record: Uint8Array }[] {
  return inside(body, 1)
    .flatMap(resource => inside(resource, 2))
    .flatMap(scope => inside(scope, 2))
    .map(bytes => {
      const attributes = new Map(
        inside(bytes, 9).map(pair => [text(inside(pair, 1)[0]), inside(pair, 2)[0]!]),
      );
      return {
        name: text(inside(bytes, 5)[0]),
        session: text(inside(attributes.get('session.id')!, 1)[0]),
        record: inside(attributes.get('framescope.record')!, 7)[0]!,
      };
    });
}

test('flushes of several sessions become one request under one resource', () => {
  const packer = makePacker('protobuf', RESOURCE, '1.2.3');
  const items = ['one', 'zwei ☎'].map((name, i) =>
    packer.pack([
      span(
        name,
        Uint8Array.from({ length: 300 }, (_, at) => (at * 7 + i) & 255),
      ),
    ]),
  );
  const body = packer.join(items, true);
  expect(fields(body).map(({ field }) => field)).toEqual([1]);
  expect(spansOf(body).map(({ name, session, record }) => [name, session, record.length])).toEqual([
    ['audio.frames', 'one', 300],
    ['audio.frames', 'zwei ☎', 300],
  ]);
});

test('the JSON of a flush carries the same, with the record as base64 text', () => {
  const packer = makePacker('json', RESOURCE, '1.2.3');
  const body = packer.join([packer.pack([span('a "b"', Uint8Array.of(0, 255, 16))])], true);
  const { resourceSpans } = JSON.parse(Buffer.from(body).toString());
  expect(resourceSpans[0].resource.attributes).toEqual([
    { key: 'service.name', value: { stringValue: 'agent' } },
    { key: 'process.pid', value: { intValue: 7 } },
    { key: 'ok', value: { boolValue: true } },
    { key: 'half', value: { doubleValue: 0.5 } },
  ]);
  expect(resourceSpans[0].scopeSpans[0].spans[0]).toMatchObject({
    name: 'audio.frames',
    startTimeUnixNano: '1700000000123456789',
    attributes: [
      { key: 'session.id', value: { stringValue: 'a "b"' } },
      { key: 'framescope.frame.count', value: { intValue: 300 } },
      { key: 'framescope.record', value: { stringValue: 'AP8Q' } },
    ],
  });
});

test('attributes of the resource, scope and fields of a span are byte for byte what the SDK writes', () => {
  const packer = makePacker('protobuf', RESOURCE, '1.2.3');
  const ours = inside(packer.join([packer.pack([span('x', Uint8Array.of(1))])], true), 1)[0]!;
  const theirs = inside(sdkBody(), 1)[0]!;
  expect(inside(inside(ours, 1)[0]!, 1)).toEqual(inside(inside(theirs, 1)[0]!, 1));
  expect(inside(inside(ours, 2)[0]!, 1)).toEqual(inside(inside(theirs, 2)[0]!, 1));
  const [mine, sdk] = [ours, theirs].map(bytes => inside(inside(bytes, 2)[0]!, 2)[0]!);
  for (const field of [1, 2, 5, 7, 8])
    expect(fields(mine!).filter(one => one.field === field)).toEqual(
      fields(sdk!).filter(one => one.field === field),
    );
});

function sdkBody(): Uint8Array {
  const { traceId, spanId } = span('x', Uint8Array.of(1));
  type Request = NonNullable<Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0]>;
  const resource: Request[number]['resource'] = {
    attributes: RESOURCE,
    asyncAttributesPending: false,
    merge: () => resource,
    getRawAttributes: () => Object.entries(RESOURCE),
  };
  const readable: Request[number] = {
    resource,
    instrumentationScope: { name: '@framescope/instrument', version: '1.2.3' },
    name: 'audio.frames',
    kind: 0,
    spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
    startTime: [1_700_000_000, 123_456_789],
    endTime: [1_700_000_001, 123_456_789],
    duration: [1, 0],
    status: { code: 0 },
    attributes: {},
    links: [],
    events: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
  return ProtobufTraceSerializer.serializeRequest([readable])!;
}

test('a post that says nothing of a session names the service, and no more', () => {
  const resource = { 'host.name': 'vm', 'service.instance.id': 'one', 'service.name': 'agent' };
  for (const encoding of ['json', 'protobuf'] as const) {
    const packer = makePacker(encoding, resource, '1.2.3');
    const item = packer.pack([span('x', Uint8Array.of(1))]);
    const [whole, brief] = [true, false].map(is => Buffer.from(packer.join([item], is)).toString());
    for (const word of ['host.name', 'service.instance.id', '@framescope/instrument', '1.2.3'])
      expect([whole!.includes(word), brief!.includes(word)], word).toEqual([true, false]);
    for (const word of ['service.name', 'agent', 'audio.frames']) expect(brief).toContain(word);
    expect(Buffer.from(packer.join([item], false)).includes(Buffer.from(item))).toBe(true);
  }
});

test('spans refused are counted in either encoding; what is no answer refuses nothing', () => {
  const json = makePacker('json', RESOURCE, '1');
  const proto = makePacker('protobuf', RESOURCE, '1');
  const answer = Buffer.from('{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}');
  expect(json.rejectedCount(answer)).toBe(3);
  expect(json.rejectedCount(new Uint8Array())).toBe(0);
  // partial_success { rejected_spans = 300, error_message = 200 characters }
  const long = [
    0x0a,
    0xce,
    0x01,
    0x08,
    0xac,
    0x02,
    0x12,
    0xc8,
    0x01,
    ...Array.from({ length: 200 }, () => 97),
  ];
  expect(proto.rejectedCount(Uint8Array.from(long))).toBe(300);
  expect(proto.rejectedCount(Uint8Array.of(0x0a, 0x02, 0x08, 0x02))).toBe(2);
  expect(proto.rejectedCount(Uint8Array.of(0x0a, 0x03, 0x12, 0x01, 97))).toBe(0);
  expect(proto.rejectedCount(Uint8Array.of(7, 7, 7))).toBe(0);
  expect(proto.rejectedCount(new Uint8Array())).toBe(0);
});
