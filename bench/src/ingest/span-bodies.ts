// OTLP bodies for the load: built once, then given new IDs and times in place,
// so that the generator takes little of the two cores it shares.
//
// A body is 64 traces of 8 spans of one service, five attributes each (two of few
// values, a status, a size that is different nearly every time, and the session).

export const SPANS_A_TRACE = 8;
const TRACES_A_BODY = 64;
export const SPANS_A_BODY: number = SPANS_A_TRACE * TRACES_A_BODY;

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];
const NAMES = [
  'GET /calls/{id}',
  'authorize',
  'load profile',
  'SELECT profile',
  'render prompt',
  'POST /v1/completions',
  'write audit',
  'publish event',
];
const STATUSES = [200, 200, 200, 200, 201, 204, 404, 500];
const SESSIONS = 200;

export type BodyEncoding = 'json' | 'protobuf';

/** What one span says, apart from its IDs and times. */
export interface SpanFacts {
  readonly name: string;
  readonly kind: number;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly size: number;
  readonly session: string;
}

/** One body, and where its IDs and times stand in it. */
interface Template {
  readonly bytes: Buffer;
  readonly traceIds: number[];
  readonly spanIds: number[];
  /** 0 at a root. */
  readonly parentIds: number[];
  readonly starts: number[];
  readonly ends: number[];
}

/** Uniform whole numbers below 2^32, the same on every machine. */
export function randomWords(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

export function spanFacts(trace: number, index: number, random: () => number): SpanFacts {
  return {
    name: NAMES[index]!,
    kind: index === 0 ? 2 : 1,
    method: METHODS[random() % METHODS.length]!,
    route: `/calls/{id}/${NAMES[(trace + index) % NAMES.length]!.replaceAll(' ', '-')}`,
    status: STATUSES[random() % STATUSES.length]!,
    size: random() % 100_000,
    session: `call-${String(trace % SESSIONS).padStart(4, '0')}`,
  };
}

/** Bodies that are all different in their IDs. Reuses one buffer a template: send it before the next. */
export class SpanBodies {
  readonly #templates: Template[] = [];
  readonly #random: () => number;
  readonly #encoding: BodyEncoding;
  #next = 0;
  /** Of the last trace of the body made last, 32 hex digits. */
  lastTraceId = '';

  constructor(encoding: BodyEncoding, seed: number, templates = 24) {
    this.#encoding = encoding;
    this.#random = randomWords(seed);
    for (let i = 0; i < templates; i++) this.#templates.push(this.#template(i));
  }

  next(nowUnixNs: bigint): Buffer {
    const template = this.#templates[this.#next++ % this.#templates.length]!;
    const writer = this.#encoding === 'json' ? writeHex : writeRaw;
    const { bytes } = template;
    const ids = Buffer.alloc(16 + 8 * SPANS_A_TRACE);
    for (let span = 0; span < SPANS_A_BODY; span++) {
      const index = span % SPANS_A_TRACE;
      if (index === 0)
        for (let at = 0; at < ids.length; at += 4) ids.writeUInt32LE(this.#random(), at);
      writer(bytes, template.traceIds[span]!, ids.subarray(0, 16));
      writer(bytes, template.spanIds[span]!, idAt(ids, index));
      const parent = template.parentIds[span]!;
      if (parent > 0) writer(bytes, parent, idAt(ids, (index - 1) >> 1));
      const start = nowUnixNs - 50_000_000n + BigInt((span << 10) + (this.#random() & 0xfffff));
      const end = start + BigInt(100_000 + (this.#random() % 20_000_000));
      this.#writeTime(bytes, template.starts[span]!, start);
      this.#writeTime(bytes, template.ends[span]!, end);
    }
    this.lastTraceId = ids.toString('hex', 0, 16);
    return bytes;
  }

  #writeTime(bytes: Buffer, at: number, unixNs: bigint): void {
    if (this.#encoding === 'json') bytes.write(String(unixNs), at, 19, 'latin1');
    else bytes.writeBigUInt64LE(unixNs, at);
  }

  #template(number: number): Template {
    const facts = Array.from({ length: SPANS_A_BODY }, (_, i) =>
      spanFacts(
        number * TRACES_A_BODY + Math.floor(i / SPANS_A_TRACE),
        i % SPANS_A_TRACE,
        this.#random,
      ),
    );
    return this.#encoding === 'json' ? jsonTemplate(facts) : protobufTemplate(facts);
  }
}

/** The span ID of one of a trace's spans, behind the trace ID. */
const idAt = (ids: Buffer, index: number): Buffer => ids.subarray(16 + 8 * index, 24 + 8 * index);

function writeRaw(bytes: Buffer, at: number, id: Buffer): void {
  for (let i = 0; i < id.length; i++) bytes[at + i] = id[i]!;
}

const HEX = Buffer.from('0123456789abcdef');

function writeHex(bytes: Buffer, at: number, id: Buffer): void {
  for (let i = 0; i < id.length; i++) {
    bytes[at + 2 * i] = HEX[id[i]! >> 4]!;
    bytes[at + 2 * i + 1] = HEX[id[i]! & 15]!;
  }
}

// ---- protobuf -----------------------------------------------------------------------------

/** Bytes with places in them that will be overwritten. */
class Message {
  readonly parts: Buffer[] = [];
  readonly places: { readonly name: string; readonly at: number }[] = [];
  length = 0;

  raw(bytes: Buffer): this {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this;
  }

  bytes(field: number, bytes: Buffer, place?: string): this {
    this.raw(Buffer.from([...varint(field * 8 + 2), ...varint(bytes.length)]));
    if (place !== undefined) this.places.push({ name: place, at: this.length });
    return this.raw(bytes);
  }

  text(field: number, text: string): this {
    return this.bytes(field, Buffer.from(text));
  }

  number(field: number, value: number): this {
    return this.raw(Buffer.from([...varint(field * 8), ...varint(value)]));
  }

  fixed64(field: number, place: string): this {
    this.raw(Buffer.from(varint(field * 8 + 1)));
    this.places.push({ name: place, at: this.length });
    return this.raw(Buffer.alloc(8));
  }

  message(field: number, inner: Message): this {
    this.raw(Buffer.from([...varint(field * 8 + 2), ...varint(inner.length)]));
    for (const { name, at } of inner.places) this.places.push({ name, at: this.length + at });
    for (const part of inner.parts) this.raw(part);
    return this;
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

const keyValue = (key: string, value: string | number): Message =>
  new Message()
    .text(1, key)
    .message(
      2,
      typeof value === 'string' ? new Message().text(1, value) : new Message().number(3, value),
    );

function protobufTemplate(facts: readonly SpanFacts[]): Template {
  const resource = new Message();
  for (const [key, value] of Object.entries(RESOURCE)) resource.message(1, keyValue(key, value));
  const scopeSpans = new Message().message(1, new Message().text(1, SCOPE));
  for (const [i, one] of facts.entries()) {
    const span = new Message()
      .bytes(1, Buffer.alloc(16), 'trace')
      .bytes(2, Buffer.alloc(8), 'span');
    if (i % SPANS_A_TRACE > 0) span.bytes(4, Buffer.alloc(8), 'parent');
    else span.places.push({ name: 'root', at: 0 });
    span.text(5, one.name).number(6, one.kind).fixed64(7, 'start').fixed64(8, 'end');
    for (const [key, value] of attributesOf(one)) span.message(9, keyValue(key, value));
    span.message(15, new Message());
    scopeSpans.message(2, span);
  }
  const body = new Message().message(1, new Message().message(1, resource).message(2, scopeSpans));
  const placesOf = (...names: string[]): number[] =>
    body.places
      .filter(({ name }) => names.includes(name))
      .map(({ name, at }) => (name === 'root' ? 0 : at));
  return {
    bytes: Buffer.concat(body.parts),
    traceIds: placesOf('trace'),
    spanIds: placesOf('span'),
    parentIds: placesOf('parent', 'root'),
    starts: placesOf('start'),
    ends: placesOf('end'),
  };
}

export const RESOURCE: Readonly<Record<string, string>> = {
  'service.name': 'calls-api',
  'service.instance.id': 'calls-api-7f9c5d',
  'host.name': 'node-12',
  'cloud.region': 'eu-west-1',
};

export const SCOPE = '@opentelemetry/instrumentation-http';

export const attributesOf = (one: SpanFacts): (readonly [string, string | number])[] => [
  ['http.request.method', one.method],
  ['http.route', one.route],
  ['http.response.status_code', one.status],
  ['http.response.body.size', one.size],
  ['session.id', one.session],
];

// ---- JSON ---------------------------------------------------------------------------------

const jsonValue = (value: string | number): object =>
  typeof value === 'string' ? { stringValue: value } : { intValue: String(value) };

const jsonAttributes = (all: readonly (readonly [string, string | number])[]): object[] =>
  all.map(([key, value]) => ({ key, value: jsonValue(value) }));

function jsonTemplate(facts: readonly SpanFacts[]): Template {
  const spans = facts.map((one, i) => ({
    traceId: `T${'-'.repeat(31)}`,
    spanId: `S${'-'.repeat(15)}`,
    ...(i % SPANS_A_TRACE > 0 ? { parentSpanId: `P${'-'.repeat(15)}` } : {}),
    name: one.name,
    kind: one.kind,
    startTimeUnixNano: `B${'-'.repeat(18)}`,
    endTimeUnixNano: `E${'-'.repeat(18)}`,
    attributes: jsonAttributes(attributesOf(one)),
    status: {},
  }));
  const resource = { attributes: jsonAttributes(Object.entries(RESOURCE)) };
  const json = JSON.stringify({
    resourceSpans: [{ resource, scopeSpans: [{ scope: { name: SCOPE }, spans }] }],
  });
  const placesOf = (mark: string, length: number): number[] =>
    [...json.matchAll(new RegExp(`${mark}-{${length}}`, 'g'))].map(match => match.index);
  const parents = placesOf('P', 15);
  return {
    bytes: Buffer.from(json, 'latin1'),
    traceIds: placesOf('T', 31),
    spanIds: placesOf('S', 15),
    parentIds: facts.map((_, i) => (i % SPANS_A_TRACE > 0 ? parents.shift()! : 0)),
    starts: placesOf('B', 18),
    ends: placesOf('E', 18),
  };
}
