// Spans as columns: what decoding writes and the store packs, with no object a span.
//
// Texts are numbers of a TextTable. A span with events, links or what else few have keeps
// it as one JSON text (`extra`): that is rare and read together. Attribute values are a type
// and a number: the number itself, or that of a text.
//
//   row        0        1        2
//   ids        trace 16 · span 8 · parent 8 (zero: a root)      32 bytes each
//   startLo/Hi, endLo/Hi          Unix ns, two halves of 64 bits
//   attrEnd    5        10       13
//   attrKey    k k k k k k k …    attrType  attrValue
//
// The same columns are filled again and again: `clear` keeps their memory.

import type { Attributes, AttributeValue, SpanId, TraceId } from '@framescope/protocol';
import { setAttribute } from './check-span.ts';
import { RANK_NONE, sessionOf, sessionOfResource } from './session-keys.ts';
import { scopeOf, scopeText } from './scope.ts';
import { TextTable } from './text-table.ts';
import type {
  DecodedEvent,
  DecodedLink,
  DecodedResource,
  DecodedSpan,
  SpanExtras,
} from './types.ts';

/** What `attrValue` holds. `json`: the text of an array, an object or null. */
export const VALUE = { text: 0, integer: 1, double: 2, false: 3, true: 4, json: 5 } as const;

/** Bytes of the three IDs of a row. */
export const ID_BYTES = 32;
export const SPAN_ID_AT = 16;
export const PARENT_ID_AT = 24;

const ROWS_AT_START = 4_096;
const ATTRIBUTES_AT_START = 8 * ROWS_AT_START;

/** Texts are forgotten between commits beyond these: unique texts would else stay for ever. */
const TEXTS_MAX: number = 1 << 17;
const TEXT_BYTES_MAX: number = 8 << 20;

/** A resource of the columns, each content once. */
interface ColumnResource {
  readonly of: DecodedResource;
  /** Texts: its attributes as JSON; the session that it names, 0 for none, and by which key. */
  readonly json: number;
  readonly session: number;
  readonly sessionRank: number;
}

/** Parts that a span does not have are absent; those of older blocks have both lists. */
interface Extra extends SpanExtras {
  readonly events?: readonly StoredEvent[];
  readonly links?: readonly StoredLink[];
}

type StoredEvent = readonly [
  name: string,
  atUnixNs: string,
  attributes: Attributes,
  more?: Pick<DecodedEvent, 'dropped'>,
];

type StoredLink = readonly [
  traceId: string,
  spanId: string,
  attributes: Attributes,
  more?: Pick<DecodedLink, 'traceState' | 'flags' | 'dropped'>,
];

export class SpanColumns {
  readonly texts: TextTable = new TextTable();
  readonly resources: ColumnResource[] = [];
  length = 0;
  attributeCount = 0;
  /** Not in Node's shared pool: it is read in words too. */
  ids: Buffer;
  startLo: Uint32Array;
  startHi: Uint32Array;
  endLo: Uint32Array;
  endHi: Uint32Array;
  name: Uint32Array;
  scope: Uint32Array;
  /** The status message. */
  message: Uint32Array;
  /** JSON of events and links; 0 without any. */
  extra: Uint32Array;
  /** The text of the session that the span names, or its resource; 0: none said. */
  session: Uint32Array;
  /** By which key (session-keys.ts). */
  sessionRank: Uint8Array;
  resource: Uint32Array;
  kind: Uint8Array;
  status: Uint8Array;
  /** Where the attributes of a row end; they begin where those of the row before end. */
  attrEnd: Uint32Array;
  attrKey: Uint32Array;
  attrType: Uint8Array;
  attrValue: Float64Array;
  readonly #resourceNumbers = new Map<DecodedResource, number>();
  /** By the number of their JSON: each body has its own object of the same resource. */
  readonly #resourceTexts = new Map<number, number>();

  /** With room for so many rows; more grow by themselves. */
  constructor(rows: number = ROWS_AT_START, attributes: number = ATTRIBUTES_AT_START) {
    const column = (): Uint32Array => new Uint32Array(rows);
    this.ids = Buffer.from(new ArrayBuffer(rows * ID_BYTES));
    this.startLo = column();
    this.startHi = column();
    this.endLo = column();
    this.endHi = column();
    this.name = column();
    this.scope = column();
    this.message = column();
    this.extra = column();
    this.session = column();
    this.sessionRank = new Uint8Array(rows);
    this.resource = column();
    this.kind = new Uint8Array(rows);
    this.status = new Uint8Array(rows);
    this.attrEnd = column();
    this.attrKey = new Uint32Array(attributes);
    this.attrType = new Uint8Array(attributes);
    this.attrValue = new Float64Array(attributes);
  }

  /** No rows; texts and memory stay, unless there is too much of them. */
  clear(): void {
    this.length = 0;
    this.attributeCount = 0;
    this.resources.length = 0;
    this.#resourceNumbers.clear();
    this.#resourceTexts.clear();
    if (this.texts.count > TEXTS_MAX || this.texts.byteCount > TEXT_BYTES_MAX) this.texts.clear();
  }

  /** Takes back the rows from `length` on: a body that turned out unreadable. */
  truncate(length: number): void {
    this.length = length;
    this.attributeCount = length === 0 ? 0 : this.attrEnd[length - 1]!;
  }

  /** Makes room for one more row with `attributeCount` attributes in all. */
  reserve(attributeCount: number): void {
    if (this.length === this.kind.length) this.#growRows();
    this.reserveAttributes(attributeCount);
  }

  reserveAttributes(count: number): void {
    while (count > this.attrType.length) this.#growAttributes();
  }

  /** The same as `resourceNumber` for resources that are all different. */
  addResource(resource: DecodedResource): void {
    this.resources.push({ of: resource, json: 0, ...this.#sessionOf(resource) });
  }

  /** @throws {SpanProblem} when its `session.id` is too long. */
  resourceNumber(resource: DecodedResource): number {
    const known = this.#resourceNumbers.get(resource);
    if (known !== undefined) return known;
    const session = this.#sessionOf(resource);
    const json = this.texts.internText(JSON.stringify(resource.attributes));
    let number = this.#resourceTexts.get(json);
    if (number === undefined) {
      number =
        this.resources.push({ of: { attributes: resource.attributes }, json, ...session }) - 1;
      this.#resourceTexts.set(json, number);
    }
    this.#resourceNumbers.set(resource, number);
    return number;
  }

  #sessionOf({ attributes }: DecodedResource): Pick<ColumnResource, 'session' | 'sessionRank'> {
    const named = sessionOfResource(attributes);
    return {
      session: this.texts.internText(named?.id ?? ''),
      sessionRank: named?.rank ?? RANK_NONE,
    };
  }

  /** Adds one span that was decoded into an object. */
  add(span: DecodedSpan): void {
    const entries = Object.entries(span.attributes);
    this.reserve(this.attributeCount + entries.length);
    const row = this.length;
    const at = row * ID_BYTES;
    this.ids.fill(0, at, at + ID_BYTES);
    this.ids.write(span.traceId, at, 16, 'hex');
    this.ids.write(span.spanId, at + SPAN_ID_AT, 8, 'hex');
    if (span.parentSpanId !== undefined)
      this.ids.write(span.parentSpanId, at + PARENT_ID_AT, 8, 'hex');
    this.startLo[row] = Number(span.startUnixNs & 0xffffffffn);
    this.startHi[row] = Number(span.startUnixNs >> 32n);
    this.endLo[row] = Number(span.endUnixNs & 0xffffffffn);
    this.endHi[row] = Number(span.endUnixNs >> 32n);
    this.name[row] = this.texts.internText(span.name);
    this.scope[row] = this.texts.internText(scopeText(span));
    this.message[row] = this.texts.internText(span.statusMessage);
    this.extra[row] = this.texts.internText(extraText(span));
    this.resource[row] = this.resourceNumber(span.resource);
    this.session[row] = this.texts.internText(span.sessionId ?? '');
    this.sessionRank[row] = span.sessionId === undefined ? RANK_NONE : (span.sessionRank ?? 0);
    this.kind[row] = span.kind;
    this.status[row] = span.statusCode;
    for (const [key, value] of entries) this.#addAttribute(key, value);
    this.attrEnd[row] = this.attributeCount;
    this.length++;
  }

  #addAttribute(key: string, value: AttributeValue): void {
    const i = this.attributeCount++;
    this.attrKey[i] = this.texts.internText(key);
    if (typeof value === 'string') {
      this.attrType[i] = VALUE.text;
      this.attrValue[i] = this.texts.internText(value);
    } else if (typeof value === 'number') {
      this.attrType[i] = Number.isSafeInteger(value) ? VALUE.integer : VALUE.double;
      this.attrValue[i] = value;
    } else if (typeof value === 'boolean') {
      this.attrType[i] = value ? VALUE.true : VALUE.false;
      this.attrValue[i] = 0;
    } else {
      this.attrType[i] = VALUE.json;
      this.attrValue[i] = this.texts.internText(JSON.stringify(value));
    }
  }

  /** The IDs in words of 32 bits, eight a row, little-endian. Good until rows are added. */
  idWords(): Uint32Array {
    const { buffer, byteOffset, byteLength } = this.ids;
    return new Uint32Array(buffer, byteOffset, byteLength / 4);
  }

  // ---- reading ----------------------------------------------------------------------------

  traceId(row: number): TraceId {
    return this.ids.toString('hex', row * ID_BYTES, row * ID_BYTES + 16) as TraceId;
  }

  spanId(row: number): SpanId {
    const at = row * ID_BYTES + SPAN_ID_AT;
    return this.ids.toString('hex', at, at + 8) as SpanId;
  }

  isRoot(row: number): boolean {
    const at = row * ID_BYTES + PARENT_ID_AT;
    for (let i = at; i < at + 8; i++) if (this.ids[i] !== 0) return false;
    return true;
  }

  startUnixNs(row: number): bigint {
    return (BigInt(this.startHi[row]!) << 32n) | BigInt(this.startLo[row]!);
  }

  endUnixNs(row: number): bigint {
    return (BigInt(this.endHi[row]!) << 32n) | BigInt(this.endLo[row]!);
  }

  attributes(row: number): Attributes {
    const attributes: Record<string, AttributeValue> = {};
    const to = this.attrEnd[row]!;
    for (let i = row === 0 ? 0 : this.attrEnd[row - 1]!; i < to; i++)
      setAttribute(attributes, this.texts.text(this.attrKey[i]!), this.#value(i));
    return attributes;
  }

  #value(i: number): AttributeValue {
    const value = this.attrValue[i]!;
    switch (this.attrType[i]) {
      case VALUE.text:
        return this.texts.text(value);
      case VALUE.false:
        return false;
      case VALUE.true:
        return true;
      case VALUE.json:
        return JSON.parse(this.texts.text(value)) as AttributeValue;
      default:
        return value;
    }
  }

  /** What few spans have. */
  childrenAt(row: number): ReturnType<typeof childrenOf> {
    return childrenOf(this.texts.text(this.extra[row]!));
  }

  /** The span as an object; costs some microseconds. */
  spanAt(row: number): DecodedSpan {
    const attributes = this.attributes(row);
    const resource = this.resources[this.resource[row]!]!.of;
    const parentAt = row * ID_BYTES + PARENT_ID_AT;
    const session = sessionOf(attributes, resource.attributes);
    return {
      traceId: this.traceId(row),
      spanId: this.spanId(row),
      ...(!this.isRoot(row) && {
        parentSpanId: this.ids.toString('hex', parentAt, parentAt + 8) as SpanId,
      }),
      name: this.texts.text(this.name[row]!),
      kind: this.kind[row]!,
      startUnixNs: this.startUnixNs(row),
      endUnixNs: this.endUnixNs(row),
      statusCode: this.status[row]!,
      statusMessage: this.texts.text(this.message[row]!),
      attributes,
      ...this.childrenAt(row),
      ...scopeOf(this.texts.text(this.scope[row]!)),
      resource,
      ...(session && { sessionId: session.id, sessionRank: session.rank }),
    };
  }

  // ---- room -------------------------------------------------------------------------------

  #growRows(): void {
    const size = this.kind.length * 2;
    const ids = Buffer.from(new ArrayBuffer(size * ID_BYTES));
    ids.set(this.ids);
    this.ids = ids;
    this.startLo = words(this.startLo, size);
    this.startHi = words(this.startHi, size);
    this.endLo = words(this.endLo, size);
    this.endHi = words(this.endHi, size);
    this.name = words(this.name, size);
    this.scope = words(this.scope, size);
    this.message = words(this.message, size);
    this.extra = words(this.extra, size);
    this.session = words(this.session, size);
    this.sessionRank = bytes(this.sessionRank, size);
    this.resource = words(this.resource, size);
    this.kind = bytes(this.kind, size);
    this.status = bytes(this.status, size);
    this.attrEnd = words(this.attrEnd, size);
  }

  #growAttributes(): void {
    const size = this.attrType.length * 2;
    this.attrKey = words(this.attrKey, size);
    this.attrType = bytes(this.attrType, size);
    const values = new Float64Array(size);
    values.set(this.attrValue);
    this.attrValue = values;
  }
}

export const columnsOf = (spans: readonly DecodedSpan[]): SpanColumns => {
  const columns = new SpanColumns();
  for (const span of spans) columns.add(span);
  return columns;
};

function words(old: Uint32Array, size: number): Uint32Array {
  const next = new Uint32Array(size);
  next.set(old);
  return next;
}

function bytes(old: Uint8Array, size: number): Uint8Array {
  const next = new Uint8Array(size);
  next.set(old);
  return next;
}

/** What few spans have, as one text; empty without any of it. */
function extraText({ events, links, traceState, flags, dropped }: DecodedSpan): string {
  const extra: Extra = {
    ...(events.length > 0 && {
      events: events.map(storedEvent),
    }),
    ...(links.length > 0 && { links: links.map(storedLink) }),
    ...(traceState !== undefined && { traceState }),
    ...(flags !== undefined && { flags }),
    ...(dropped !== undefined && { dropped }),
  };
  return Object.keys(extra).length === 0 ? '' : JSON.stringify(extra);
}

/** The text of a span that has flags and nothing else of it. */
export const flagsText = (flags: number): string =>
  flags === 0 ? '' : JSON.stringify({ flags } satisfies Extra);

function storedEvent({ name, atUnixNs, attributes, ...more }: DecodedEvent): StoredEvent {
  return Object.keys(more).length === 0
    ? [name, String(atUnixNs), attributes]
    : [name, String(atUnixNs), attributes, more];
}

function storedLink({ traceId, spanId, attributes, ...more }: DecodedLink): StoredLink {
  return Object.keys(more).length === 0
    ? [traceId, spanId, attributes]
    : [traceId, spanId, attributes, more];
}

function childrenOf(text: string): Pick<DecodedSpan, 'events' | 'links' | keyof SpanExtras> {
  if (text === '') return { events: [], links: [] };
  const { events = [], links = [], ...more } = JSON.parse(text) as Extra;
  return {
    events: events.map(([name, atUnixNs, attributes, its]): DecodedEvent => ({
      name,
      atUnixNs: BigInt(atUnixNs),
      attributes,
      ...its,
    })),
    links: links.map(([traceId, spanId, attributes, its]) => ({
      traceId,
      spanId,
      attributes,
      ...its,
    })),
    ...more,
  };
}
