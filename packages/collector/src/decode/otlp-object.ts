// OTLP logs and metrics in protobuf → the object that OTLP/JSON has, by a table
// of fields. Slower than the reader of traces, and much shorter: these signals
// come by the minute, spans by the hundred thousand.
//
// 64-bit integers become decimal strings and IDs hex, as in OTLP/JSON, so that
// one checker serves both encodings. Unknown fields are skipped.

import { NESTING_MAX } from './limits.ts';
import { BodyProblem } from './problem.ts';
import { ProtoReader, WIRE } from './proto-reader.ts';

export type Scalar =
  | 'text'
  | 'hex'
  | 'base64'
  | 'bool'
  | 'double'
  | 'fixed64'
  | 'int64'
  | 'sint32'
  | 'int';

export interface Field {
  readonly name: string;
  readonly of: Scalar | (() => Message);
  readonly isList: boolean;
}

/** Fields by number. */
export type Message = Readonly<Record<number, Field>>;

const one = (name: string, of: Field['of']): Field => ({ name, of, isList: false });
const many = (name: string, of: Field['of']): Field => ({ name, of, isList: true });

const ANY_VALUE: Message = {
  1: one('stringValue', 'text'),
  2: one('boolValue', 'bool'),
  3: one('intValue', 'int64'),
  4: one('doubleValue', 'double'),
  5: one('arrayValue', () => ARRAY),
  6: one('kvlistValue', () => KEY_VALUES),
  7: one('bytesValue', 'base64'),
};
const ARRAY: Message = { 1: many('values', () => ANY_VALUE) };
const KEY_VALUE: Message = { 1: one('key', 'text'), 2: one('value', () => ANY_VALUE) };
const KEY_VALUES: Message = { 1: many('values', () => KEY_VALUE) };
const RESOURCE: Message = { 1: many('attributes', () => KEY_VALUE) };
const SCOPE: Message = { 1: one('name', 'text') };

const LOG_RECORD: Message = {
  1: one('timeUnixNano', 'fixed64'),
  2: one('severityNumber', 'int'),
  3: one('severityText', 'text'),
  5: one('body', () => ANY_VALUE),
  6: many('attributes', () => KEY_VALUE),
  9: one('traceId', 'hex'),
  10: one('spanId', 'hex'),
  11: one('observedTimeUnixNano', 'fixed64'),
  12: one('eventName', 'text'),
};
const SCOPE_LOGS: Message = {
  1: one('scope', () => SCOPE),
  2: many('logRecords', () => LOG_RECORD),
};
const RESOURCE_LOGS: Message = {
  1: one('resource', () => RESOURCE),
  2: many('scopeLogs', () => SCOPE_LOGS),
};

/** `ExportLogsServiceRequest` */
export const LOGS_REQUEST: Message = { 1: many('resourceLogs', () => RESOURCE_LOGS) };

const BUCKETS: Message = { 1: one('offset', 'sint32'), 2: many('bucketCounts', 'int64') };

const HISTOGRAM_POINT: Message = {
  2: one('startTimeUnixNano', 'fixed64'),
  3: one('timeUnixNano', 'fixed64'),
  4: one('count', 'fixed64'),
  5: one('sum', 'double'),
  6: many('bucketCounts', 'fixed64'),
  7: many('explicitBounds', 'double'),
  9: many('attributes', () => KEY_VALUE),
  11: one('min', 'double'),
  12: one('max', 'double'),
};
const EXPONENTIAL_POINT: Message = {
  1: many('attributes', () => KEY_VALUE),
  2: one('startTimeUnixNano', 'fixed64'),
  3: one('timeUnixNano', 'fixed64'),
  4: one('count', 'fixed64'),
  5: one('sum', 'double'),
  6: one('scale', 'sint32'),
  7: one('zeroCount', 'fixed64'),
  8: one('positive', () => BUCKETS),
  9: one('negative', () => BUCKETS),
  12: one('min', 'double'),
  13: one('max', 'double'),
};
/** Only counted: what is in them is not read. */
const OTHER_POINT: Message = {};

const points = (point: Message): Message => ({
  1: many('dataPoints', () => point),
  2: one('aggregationTemporality', 'int'),
});
const METRIC: Message = {
  1: one('name', 'text'),
  3: one('unit', 'text'),
  5: one('gauge', () => points(OTHER_POINT)),
  7: one('sum', () => points(OTHER_POINT)),
  9: one('histogram', () => points(HISTOGRAM_POINT)),
  10: one('exponentialHistogram', () => points(EXPONENTIAL_POINT)),
  11: one('summary', () => points(OTHER_POINT)),
};
const SCOPE_METRICS: Message = { 1: one('scope', () => SCOPE), 2: many('metrics', () => METRIC) };
const RESOURCE_METRICS: Message = {
  1: one('resource', () => RESOURCE),
  2: many('scopeMetrics', () => SCOPE_METRICS),
};

/** `ExportMetricsServiceRequest` */
export const METRICS_REQUEST: Message = { 1: many('resourceMetrics', () => RESOURCE_METRICS) };

/** Messages in messages: what a request holds around a value, and the value's own. */
const DEPTH_MAX: number = 8 + 3 * NESTING_MAX;

/** Values and messages of one body: two bytes on the wire may become a hundred in memory. */
const VALUES_MAX: number = 1 << 21;

type Json = Record<string, unknown>;

/** @throws {WireProblem | BodyProblem} */
export const readObject = (bytes: Uint8Array, request: Message): Json =>
  new ObjectReader(bytes).message(request, 0);

class ObjectReader {
  readonly #reader: ProtoReader;
  #valueCount = 0;

  constructor(bytes: Uint8Array) {
    this.#reader = new ProtoReader(bytes);
  }

  message(message: Message, depth: number): Json {
    if (depth > DEPTH_MAX) throw new BodyProblem('', `messages nested deeper than ${DEPTH_MAX}`);
    const json: Json = {};
    while (this.#reader.next()) {
      const field = message[this.#reader.field];
      if (field) this.#field(field, json, depth);
      else this.#reader.skip();
    }
    return json;
  }

  #field(field: Field, json: Json, depth: number): void {
    if (!field.isList) {
      json[field.name] = this.#value(field.of, depth);
      return;
    }
    const list = (json[field.name] ??= []) as unknown[];
    // Numbers in a row under one tag: proto3's default. No text is repeated in these messages.
    const isPacked = typeof field.of === 'string' && this.#reader.wire === WIRE.bytes;
    if (!isPacked) list.push(this.#value(field.of, depth));
    else
      this.#reader.message(() => {
        while (this.#reader.hasMore()) list.push(this.#scalar(field.of as Scalar));
      });
  }

  #value(of: Field['of'], depth: number): unknown {
    if (typeof of === 'string') {
      this.#reader.expect(WIRE_OF[of]);
      return this.#scalar(of);
    }
    this.#reader.expect(WIRE.bytes);
    this.#count();
    let value: Json = {};
    this.#reader.message(() => (value = this.message(of(), depth + 1)));
    return value;
  }

  #scalar(of: Scalar): unknown {
    this.#count();
    return READ[of](this.#reader);
  }

  #count(): void {
    if (++this.#valueCount > VALUES_MAX)
      throw new BodyProblem('', `more than ${VALUES_MAX} values in one body; send smaller batches`);
  }
}

const WIRE_OF: Readonly<Record<Scalar, number>> = {
  text: WIRE.bytes,
  hex: WIRE.bytes,
  base64: WIRE.bytes,
  bool: WIRE.varint,
  int: WIRE.varint,
  int64: WIRE.varint,
  sint32: WIRE.varint,
  double: WIRE.fixed64,
  fixed64: WIRE.fixed64,
};

const READ: Readonly<Record<Scalar, (reader: ProtoReader) => unknown>> = {
  text: reader => reader.text(),
  hex: reader => reader.hex(),
  base64: reader => reader.base64(),
  bool: reader => reader.varint() !== 0,
  int: reader => reader.varint(),
  int64: reader => String(reader.varint64()),
  fixed64: reader => String(reader.fixed64()),
  double: reader => jsonNumber(reader.double()),
  sint32: reader => unzigzag(reader.varint()),
};

const unzigzag = (raw: number): number => (raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2);

/** OTLP/JSON writes what JSON has no number for as text. */
const jsonNumber = (value: number): number | string =>
  Number.isFinite(value) ? value : String(value);
