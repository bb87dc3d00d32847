// GET /api/v1/traces/{traceId} as text, straight from the store's columns: of 10,000 spans
// the objects in between, and turning them into text, took five times as long.
//
// A text of the columns becomes JSON once a block and not once a span; attributes and
// resources are such texts too. Traces with spans that have to be folded (fold.ts: log
// records, pending spans) are few, and are told as objects.

import type { AttributeValue } from '@framescope/protocol';
import { shownAttributes, shownValue } from '../decode/bytes-value.ts';
import {
  ID_BYTES,
  PARENT_ID_AT,
  SPAN_ID_AT,
  VALUE,
  type SpanColumns,
} from '../decode/span-columns.ts';
import type { OddSpans, StoreReader, TraceRows } from '../store/store.ts';
import { FOLD_KEYS, isWhole } from './fold.ts';
import { IdTable } from './id-table.ts';
import { shownEvents, shownLinks, trace, TRACE_SPANS_MAX } from './trace.ts';

const ODD: OddSpans = { keys: FOLD_KEYS, test: span => !isWhole(span) };
const TWO_32 = 2 ** 32;

/** What `JSON.stringify` of `trace` says, in UTF-8; undefined when there is no such trace. */
export async function traceJson(
  reader: StoreReader,
  traceId: string,
): Promise<Uint8Array | undefined> {
  const rows = await reader.traceRows(traceId, TRACE_SPANS_MAX, ODD);
  if (!rows) return undefined;
  if (rows.odd.length > 0) return Buffer.from(JSON.stringify(await trace(reader, traceId)));
  const owner = await reader.traceOwner(traceId);
  const times = new Times(rows);
  const head = {
    traceId,
    startUnixNs: String(times.zeroUnixNs),
    durationNs: times.durationNs,
    sessionKey: owner?.sessionKey ?? null,
    sessionId: owner?.sessionId ?? null,
    turnTick: owner?.turnTick ?? null,
  };
  const spans = spansOf(rows, times);
  const text = `${JSON.stringify(head).slice(0, -1)},"spans":[${spans}],"omittedCount":${rows.omittedCount}}`;
  return Buffer.from(text);
}

/** Entries in the order in which they are told, and their times from the first start on. */
class Times {
  readonly order: Uint32Array;
  readonly startNs: Float64Array;
  readonly lengthNs: Float64Array;
  readonly zeroUnixNs: bigint;
  readonly durationNs: number;

  constructor(rows: TraceRows) {
    const { startLo, startHi, endLo, endHi } = rows;
    const kept = keptOf(rows);
    let [lo, hi] = [0xffffffff, 0xffffffff];
    for (const at of kept)
      if (startHi[at]! < hi || (startHi[at] === hi && startLo[at]! < lo))
        [lo, hi] = [startLo[at]!, startHi[at]!];
    this.zeroUnixNs = (BigInt(hi) << 32n) | BigInt(lo);
    this.startNs = new Float64Array(rows.count);
    this.lengthNs = new Float64Array(rows.count);
    let durationNs = 0;
    for (const at of kept) {
      const startNs = (startHi[at]! - hi) * TWO_32 + (startLo[at]! - lo);
      const lengthNs = (endHi[at]! - startHi[at]!) * TWO_32 + (endLo[at]! - startLo[at]!);
      this.startNs[at] = startNs;
      this.lengthNs[at] = lengthNs;
      if (startNs + lengthNs > durationNs) durationNs = startNs + lengthNs;
    }
    this.durationNs = durationNs;
    const { startNs, lengthNs } = this;
    this.order = kept.sort((a, b) => startNs[a]! - startNs[b]! || lengthNs[b]! - lengthNs[a]!);
  }
}

/** Each ID once: the place of the first that was sent, what the last says. */
function keptOf({ count, idLo, idHi }: TraceRows): Uint32Array {
  const table = new IdTable(count);
  const kept = new Uint32Array(count);
  let length = 0;
  for (let at = 0; at < count; at++) {
    const place = table.add(idLo[at]!, idHi[at]!, length);
    kept[place] = at;
    if (place === length) length++;
  }
  return kept.subarray(0, length);
}

function spansOf(rows: TraceRows, times: Times): string {
  const blocks = rows.blocks.map(({ columns }) => new BlockText(columns));
  const blockOf = new Uint16Array(rows.count);
  rows.blocks.forEach(({ at }, block) => blockOf.fill(block, at));
  let text = '';
  for (const at of times.order) {
    if (text !== '') text += ',';
    const block = blocks[blockOf[at]!]!;
    text += block.span(rows.rowInBlock[at]!, times.startNs[at]!, times.lengthNs[at]!, times);
  }
  return text;
}

/** Texts of one block's columns as JSON, each made when first asked for. */
class BlockText {
  readonly #columns: SpanColumns;
  readonly #texts: (string | undefined)[] = [];
  readonly #keys: (string | undefined)[] = [];
  /** Values in JSON already: lists, objects, null. */
  readonly #values: (string | undefined)[] = [];
  readonly #resources: (string | undefined)[] = [];
  readonly #scopes: (string | undefined)[] = [];
  /** Events and links of rows that have neither. */
  readonly #plain = new Set<number>([0]);

  constructor(columns: SpanColumns) {
    this.#columns = columns;
  }

  span(row: number, startNs: number, durationNs: number, { zeroUnixNs }: Times): string {
    const { ids, name, kind, status, message, resource } = this.#columns;
    const id = row * ID_BYTES;
    const parent = this.#columns.isRoot(row)
      ? 'null'
      : `"${ids.toString('hex', id + PARENT_ID_AT, id + PARENT_ID_AT + 8)}"`;
    return (
      `{"spanId":"${ids.toString('hex', id + SPAN_ID_AT, id + SPAN_ID_AT + 8)}","parentSpanId":${parent}` +
      `,"name":${this.#text(name[row]!)},${this.#scopeAndService(row)},"kind":${kind[row]}` +
      `,"startNs":${startNs},"durationNs":${durationNs}` +
      `,"status":{"code":${status[row]},"message":${this.#text(message[row]!)}}` +
      `,"attributes":{${this.#attributes(row)}},"resource":${this.#resource(resource[row]!)}` +
      `,${this.#children(row, zeroUnixNs)},"isOpen":false}`
    );
  }

  #text(number: number): string {
    return (this.#texts[number] ??= JSON.stringify(shownValue(this.#columns.texts.text(number))));
  }

  #value(number: number): string {
    return (this.#values[number] ??= JSON.stringify(
      shownValue(JSON.parse(this.#columns.texts.text(number)) as AttributeValue),
    ));
  }

  #attributes(row: number): string {
    const { attrEnd, attrKey, attrType, attrValue, texts } = this.#columns;
    let text = '';
    for (let i = row === 0 ? 0 : attrEnd[row - 1]!; i < attrEnd[row]!; i++) {
      if (text !== '') text += ',';
      // A key is shown as it is, whatever it begins with.
      text += `${(this.#keys[attrKey[i]!] ??= JSON.stringify(texts.text(attrKey[i]!)))}:`;
      const value = attrValue[i]!;
      if (attrType[i] === VALUE.text) text += this.#text(value);
      else if (attrType[i] === VALUE.json) text += this.#value(value);
      else if (attrType[i] === VALUE.false || attrType[i] === VALUE.true)
        text += attrType[i] === VALUE.true;
      else text += value;
    }
    return text;
  }

  #resource(number: number): string {
    return (this.#resources[number] ??= JSON.stringify(
      shownAttributes(this.#columns.resources[number]!.of.attributes),
    ));
  }

  #scopeAndService(row: number): string {
    const { scope, resource, texts, resources } = this.#columns;
    const known = this.#scopes[scope[row]!];
    const shown = known ?? JSON.stringify(texts.text(scope[row]!).split('\0', 1)[0]);
    this.#scopes[scope[row]!] = shown;
    const service = resources[resource[row]!]!.of.attributes['service.name'];
    return `"service":${JSON.stringify(typeof service === 'string' ? service : '')},"scope":${shown}`;
  }

  #children(row: number, zeroUnixNs: bigint): string {
    const extra = this.#columns.extra[row]!;
    if (this.#plain.has(extra)) return '"events":[],"links":[]';
    const { events, links } = this.#columns.childrenAt(row);
    if (events.length + links.length === 0) this.#plain.add(extra);
    return `"events":${JSON.stringify(shownEvents(events, zeroUnixNs))},"links":${JSON.stringify(shownLinks(links))}`;
  }
}
