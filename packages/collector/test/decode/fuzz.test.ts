// Mutated real bodies through two decoders that share no reading code: the general
// one, which makes objects, and the quick one, which fills columns. What both take
// is the same, span by span, also after it was packed into a block and read back.
//
// 1,500 bodies of each encoding here; FRAMESCOPE_LONG=1 makes it a million in all.

import { expect, test } from 'vitest';
import { bytesText } from '../../src/decode/bytes-value.ts';
import { ColumnSink } from '../../src/decode/column-sink.ts';
import { decodeTraces, type Encoding } from '../../src/decode/decode.ts';
import { SpanColumns } from '../../src/decode/span-columns.ts';
import { TraceGroups } from '../../src/store/sqlite/commit-rows.ts';
import { readBlock } from '../../src/store/sqlite/span-block-read.ts';
import { SpanBlockWriter } from '../../src/store/sqlite/span-block.ts';
import { DirectoryWriter, readDirectory } from '../../src/store/sqlite/trace-directory.ts';
import { otlpRequest } from '../../src/files/otlp.ts';
import { encodeTraces } from '../../src/forward/encode.ts';
import { spanOf } from '../support/spans.ts';
import {
  attribute,
  bodyOf,
  jsonBody,
  protobufBody,
  sdkSpans,
  spanJson,
} from '../support/otlp-bodies.ts';

const IS_LONG = process.env['FRAMESCOPE_LONG'] === '1';
const BODIES = IS_LONG ? 500_000 : 1_500;
const TIMEOUT_MS = IS_LONG ? 3_600_000 : 60_000;

function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return below => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Bytes that mean something where they may land. */
const TELLING = [0, 1, 0x0a, 0x12, 0x22, 0x2c, 0x30, 0x39, 0x5b, 0x5c, 0x7b, 0x7d, 0x80, 0xff];

function mutate(body: Uint8Array, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(body);
  for (let left = random(3) + 1; left > 0 && bytes.length > 4; left--) {
    const at = random(bytes.length);
    const length = random(Math.min(12, bytes.length - at)) + 1;
    switch (random(6)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = TELLING[random(TELLING.length)]!;
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          bytes.subarray(at, at + length),
          bytes.subarray(at),
        ]);
        break;
      case 4:
        bytes = bytes.subarray(0, at + 1);
        break;
      default:
        bytes.copy(bytes, random(bytes.length - length + 1), at, at + length);
    }
  }
  return bytes;
}

/** Comparable: no bigint, no lone surrogates (columns are UTF-8), the resource by what it says. */
function plain(span: object): string {
  return JSON.stringify(span, (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'string') return Buffer.from(value).toString();
    if (Object.is(value, -0)) return 0;
    return value;
  }).replaceAll(/\\ud[89a-f][0-9a-f]{2}/gi, '\ufffd');
}

class Twins {
  readonly #columns = new SpanColumns();
  readonly #sink = new ColumnSink(this.#columns);
  readonly #groups = new TraceGroups();
  readonly #blocks = new SpanBlockWriter();
  readonly #directories = new DirectoryWriter();
  taken = 0;

  /** What the two decoders disagree in; empty when in nothing. */
  compare(bytes: Uint8Array, encoding: Encoding): string {
    const objects = decodeTraces(bytes, encoding);
    this.#columns.clear();
    const columns = decodeTraces(bytes, encoding, this.#sink);
    if (objects.ok !== columns.ok) return `taken: ${objects.ok} against ${columns.ok}`;
    if (!objects.ok || !columns.ok) return this.#columns.length > 0 ? 'rows of a refused body' : '';
    const rows = Array.from({ length: this.#columns.length }, (_, row) =>
      this.#columns.spanAt(row),
    );
    const wanted = objects.value.spans.map(plain);
    this.taken += wanted.length;
    if (rows.map(plain).join('\n') !== wanted.join('\n'))
      return `${wanted.join('\n')}\n--- in columns:\n${rows.map(plain).join('\n')}`;
    if (objects.value.refused.length !== columns.value.refused.length) return 'refused';
    return this.#columns.length > 0 ? this.#throughBlock(wanted) : '';
  }

  #throughBlock(wanted: readonly string[]): string {
    const columns = this.#columns;
    const words = columns.idWords();
    this.#groups.begin(columns.length);
    for (let row = 0; row < columns.length; row++)
      this.#groups.keep(this.#groups.traceOf(words, row));
    const rows = this.#groups.rows(columns.length);
    const large = new Map<string, Buffer>();
    const block = this.#blocks.pack(columns, rows, text => {
      const key = Buffer.alloc(16, large.size + 1);
      large.set(key.toString('hex'), Buffer.from(text));
      return key;
    });
    const directory = readDirectory(this.#directories.pack(columns, rows));
    const read = readBlock(block, directory, key => large.get(key.toString('hex'))!).columns;
    const found = Array.from({ length: read.length }, (_, row) => plain(read.spanAt(row)));
    const order = Array.from(rows.order.subarray(0, rows.count), row => wanted[row]!);
    return found.join('\n') === order.join('\n')
      ? ''
      : `${order.join('\n')}\n--- from the block:\n${found.join('\n')}`;
  }
}

/** Bodies to begin with: what SDKs write, and every kind of value by hand. */
const HAND_MADE = bodyOf(
  spanJson({
    attributes: [
      attribute('session.id', { stringValue: 'call 1' }),
      attribute('long', { stringValue: 'long text '.repeat(600) }),
      attribute('int', { intValue: '-123456789012345' }),
      attribute('double', { doubleValue: -0.000_123 }),
      attribute('bool', { boolValue: true }),
      attribute('escaped', { stringValue: 'a"\\\n\u20ac' }),
    ],
    status: { code: 2, message: 'late' },
    parentSpanId: 'fedcba9876543210',
  }),
  spanJson({ spanId: 'fedcba9876543210', startTimeUnixNano: '1', endTimeUnixNano: '2' }),
  spanJson({ traceId: 'f'.repeat(32), kind: 3 }),
  spanJson({ spanId: 'aaaaaaaaaaaaaaaa', flags: 257 }),
  spanJson({ spanId: 'bbbbbbbbbbbbbbbb', flags: 257, traceState: 'ot=th:c' }),
  spanJson({
    spanId: 'cccccccccccccccc',
    droppedAttributesCount: 2,
    attributes: [attribute('bytes', { bytesValue: 'AAEC/w==' })],
    links: [{ traceId: 'f'.repeat(32), spanId: 'f'.repeat(16), traceState: 'a=b', flags: 1 }],
  }),
);

/** Schema URLs before the spans that they are said of; behind them in what the SDK writes. */
const URLS_IN_FRONT = Buffer.from(
  JSON.stringify({
    resourceSpans: [
      {
        schemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
        resource: { attributes: [attribute('service.name', { stringValue: 'agent' })] },
        scopeSpans: [
          {
            schemaUrl: 'https://opentelemetry.io/schemas/1.38.0',
            scope: { name: 'voice' },
            spans: [spanJson({}), spanJson({ spanId: 'aaaaaaaaaaaaaaaa' })],
          },
        ],
      },
    ],
  }),
);
const URLS_BEHIND = Buffer.from(
  JSON.stringify(
    otlpRequest([
      spanOf('b3', {
        scopeSchemaUrl: 'https://opentelemetry.io/schemas/1.38.0',
        resourceSchemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
      }),
    ]),
  ),
);

/** The same and more in protobuf: what only some programs send. */
const ENCODED = encodeTraces([
  spanOf('a1', { flags: 0x301, scopeAttributes: { tier: 'edge', shard: 7 } }),
  spanOf('a2', {
    flags: 0x301,
    traceState: 'ot=th:c',
    scopeAttributes: { tier: 'edge', shard: 7 },
  }),
  spanOf('b1', { dropped: { events: 1 }, attributes: { bytes: bytesText('AAEC/w==') } }),
  spanOf('b2', {
    scopeSchemaUrl: 'https://opentelemetry.io/schemas/1.38.0',
    resourceSchemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
  }),
]);

test.each([
  ['JSON', 'json', [jsonBody(sdkSpans()), HAND_MADE, URLS_IN_FRONT, URLS_BEHIND]],
  [
    'protobuf',
    'protobuf',
    [protobufBody(sdkSpans()), protobufBody(sdkSpans('x'.repeat(200))), ENCODED],
  ],
] as const)(
  `${BODIES} mutated bodies in %s mean the same to two decoders, and after they were stored`,
  (_, encoding, bodies) => {
    const random = randomOf(encoding.length);
    const twins = new Twins();
    for (let i = 0; i < BODIES; i++) {
      const bytes = i < bodies.length ? bodies[i]! : mutate(bodies[i % bodies.length]!, random);
      const difference = twins.compare(bytes, encoding);
      if (difference !== '')
        expect.fail(`body ${i}: ${Buffer.from(bytes).toString('base64')}\n${difference}`);
    }
    // Mutations that nobody takes test nothing.
    expect(twins.taken).toBeGreaterThan(BODIES / 4);
  },
  TIMEOUT_MS,
);
