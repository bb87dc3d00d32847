// GET /api/v1/traces/{traceId}/outline: a trace as columns, for its waterfall; and
// one span of it, whole. 100,000 spans are 32 MB with their attributes, 4 MB without.
//
// From the store's columns into the answer's, with no object a span but for those that
// have to be folded (fold.ts): a fifth of the time.

import type { Span, TraceOutline } from '@framescope/protocol';
import type { OddSpans, StoredSpan, StoreReader, TraceRows } from '../store/store.ts';
import { FOLD_KEYS, foldTrace, isWhole, type Folded } from './fold.ts';
import { IdTable, wordsOfId } from './id-table.ts';
import { shownSpan, TRACE_SPANS_MAX } from './trace.ts';

const ODD: OddSpans = { keys: FOLD_KEYS, test: span => !isWhole(span) };
const TWO_32 = 2 ** 32;

/** The columns of `TraceOutline`, typed; `ids` are 8 bytes a row. */
export interface OutlineColumns {
  readonly head: Omit<
    TraceOutline,
    'spanIds' | 'parent' | 'name' | 'service' | 'startNs' | 'lengthNs' | 'status'
  > & { readonly count: number };
  readonly ids: Uint8Array;
  readonly parent: Int32Array;
  readonly name: Uint32Array;
  readonly service: Uint32Array;
  readonly startNs: Float64Array;
  readonly lengthNs: Float64Array;
  readonly status: Uint8Array;
}

/** Times in ns are exact as doubles: a trace is shorter than 104 days. */
export async function outlineColumns(
  reader: StoreReader,
  traceId: string,
): Promise<OutlineColumns | undefined> {
  const rows = await reader.traceRows(traceId, TRACE_SPANS_MAX, ODD);
  if (!rows) return undefined;
  const owner = await reader.traceOwner(traceId);
  const all = new OutlineRows(rows);
  return all.inOrder({
    traceId,
    sessionKey: owner?.sessionKey ?? null,
    sessionId: owner?.sessionId ?? null,
    turnTick: owner?.turnTick ?? null,
    omittedCount: rows.omittedCount,
  });
}

/** The same for JSON. */
export async function traceOutline(
  reader: StoreReader,
  traceId: string,
): Promise<TraceOutline | undefined> {
  const found = await outlineColumns(reader, traceId);
  if (!found) return undefined;
  const { head, ids, parent, name, service, startNs, lengthNs, status } = found;
  const { count: _count, ...rest } = head;
  return {
    ...rest,
    spanIds: Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength).toString('hex'),
    parent: Array.from(parent),
    name: Array.from(name),
    service: Array.from(service),
    startNs: Array.from(startNs),
    lengthNs: Array.from(lengthNs),
    status: Array.from(status),
  };
}

type Owned = Pick<
  TraceOutline,
  'traceId' | 'sessionKey' | 'sessionId' | 'turnTick' | 'omittedCount'
>;

/** The rows that are shown: whole spans of `rows`, each ID once, and behind them what folding leaves of the odd ones. */
class OutlineRows {
  readonly #rows: TraceRows;
  readonly #table: IdTable;
  /** Entries of `rows`, by place. */
  readonly #kept: Uint32Array;
  readonly #more: readonly Folded<StoredSpan>[];
  readonly #zero: { readonly lo: number; readonly hi: number };

  constructor(rows: TraceRows) {
    this.#rows = rows;
    this.#table = new IdTable(rows.count + rows.odd.length);
    const kept: number[] = [];
    // Sent twice under one ID: the place of the first, what the last says.
    for (let at = 0; at < rows.count; at++) {
      const place = this.#table.add(rows.idLo[at]!, rows.idHi[at]!, kept.length);
      if (place === kept.length) kept.push(at);
      else kept[place] = at;
    }
    this.#kept = Uint32Array.from(kept);
    this.#more = this.#leftOfOdd();
    this.#zero = this.#firstStart();
  }

  /** When the first of them starts. */
  get zeroUnixNs(): bigint {
    return (BigInt(this.#zero.hi) << 32n) | BigInt(this.#zero.lo);
  }

  get #count(): number {
    return this.#kept.length + this.#more.length;
  }

  /** Open spans that are not here whole, and log records of spans that are not here. */
  #leftOfOdd(): Folded<StoredSpan>[] {
    const isHere = (id: string | undefined): boolean => {
      if (id === undefined) return false;
      const [lo, hi] = wordsOfId(id);
      return this.#table.find(lo, hi) >= 0;
    };
    return foldTrace(this.#rows.odd).filter(
      ({ span, isOpen }) => !isHere(isOpen ? span.spanId : span.parentSpanId),
    );
  }

  #firstStart(): { lo: number; hi: number } {
    const { startLo, startHi } = this.#rows;
    let [lo, hi] = [Infinity, Infinity];
    const take = (thisLo: number, thisHi: number): void => {
      if (thisHi < hi || (thisHi === hi && thisLo < lo)) [lo, hi] = [thisLo, thisHi];
    };
    for (const at of this.#kept) take(startLo[at]!, startHi[at]!);
    for (const { span } of this.#more) take(...halvesOf(span.startUnixNs));
    return { lo, hi };
  }

  inOrder(owned: Owned): OutlineColumns {
    const count = this.#count;
    const [startNs, lengthNs] = this.#times();
    // As in `trace`: by start, and of two that start together the longer first.
    const order = sortedUnlessSorted(
      Uint32Array.from({ length: count }, (_, i) => i),
      (a, b) => startNs[a]! - startNs[b]! || lengthNs[b]! - lengthNs[a]! || a - b,
    );
    const texts = this.#texts(order);
    return {
      head: {
        ...owned,
        startUnixNs: String(this.zeroUnixNs),
        durationNs: startNs.reduce((end, start, i) => Math.max(end, start + lengthNs[i]!), 0),
        names: texts.names,
        services: texts.services,
        openRows: this.#openRows(order),
        count,
      },
      ...this.#ids(order),
      name: texts.name,
      service: texts.service,
      startNs: Float64Array.from(order, i => startNs[i]!),
      lengthNs: Float64Array.from(order, i => lengthNs[i]!),
      status: Uint8Array.from(order, i => this.#statusAt(i)),
    };
  }

  /** By place. */
  #times(): [startNs: Float64Array, lengthNs: Float64Array] {
    const { startLo, startHi, endLo, endHi } = this.#rows;
    const startNs = new Float64Array(this.#count);
    const lengthNs = new Float64Array(this.#count);
    const { lo, hi } = this.#zero;
    this.#kept.forEach((at, place) => {
      startNs[place] = (startHi[at]! - hi) * TWO_32 + (startLo[at]! - lo);
      lengthNs[place] = (endHi[at]! - startHi[at]!) * TWO_32 + (endLo[at]! - startLo[at]!);
    });
    this.#more.forEach(({ span }, i) => {
      const [thisLo, thisHi] = halvesOf(span.startUnixNs);
      startNs[this.#kept.length + i] = (thisHi - hi) * TWO_32 + (thisLo - lo);
      lengthNs[this.#kept.length + i] = Number(span.endUnixNs - span.startUnixNs);
    });
    return [startNs, lengthNs];
  }

  #moreAt(place: number): Folded<StoredSpan> | undefined {
    // Asked a few times a row: outside of an array a look costs a hundred times as much as inside.
    return place < this.#kept.length ? undefined : this.#more[place - this.#kept.length];
  }

  #statusAt(place: number): number {
    const more = this.#moreAt(place);
    return more ? more.span.statusCode : this.#rows.status[this.#kept[place]!]!;
  }

  #openRows(order: Uint32Array): number[] {
    if (this.#more.length === 0) return [];
    const open: number[] = [];
    order.forEach((place, row) => {
      if (this.#moreAt(place)?.isOpen === true) open.push(row);
    });
    return open;
  }

  /** Texts in order of their first use in the answer. */
  #texts(order: Uint32Array): {
    names: readonly string[];
    services: readonly string[];
    name: Uint32Array;
    service: Uint32Array;
  } {
    const { rows, kept } = { rows: this.#rows, kept: this.#kept };
    const columnOf = (
      texts: readonly string[],
      column: Uint32Array,
      odd: (one: StoredSpan) => string,
    ): { texts: string[]; numbers: Uint32Array } => {
      const used: string[] = [];
      const byText = new Map<string, number>();
      const byNumber = new Int32Array(texts.length).fill(-1);
      const numberOf = (text: string): number => {
        let number = byText.get(text);
        if (number === undefined) byText.set(text, (number = used.push(text) - 1));
        return number;
      };
      const numbers = Uint32Array.from(order, place => {
        const more = this.#moreAt(place);
        if (more) return numberOf(odd(more.span));
        const from = column[kept[place]!]!;
        if (byNumber[from]! < 0) byNumber[from] = numberOf(texts[from]!);
        return byNumber[from]!;
      });
      return { texts: used, numbers };
    };
    const name = columnOf(rows.names, rows.name, span => span.name);
    const service = columnOf(rows.services, rows.service, serviceOf);
    return {
      names: name.texts,
      services: service.texts,
      name: name.numbers,
      service: service.numbers,
    };
  }

  #ids(order: Uint32Array): { ids: Uint8Array; parent: Int32Array } {
    const { idLo, idHi, parentLo, parentHi } = this.#rows;
    const words = new Uint32Array(this.#count * 2);
    const parents = new Uint32Array(this.#count * 2);
    const rowOf = new IdTable(this.#count);
    order.forEach((place, row) => {
      const more = this.#moreAt(place)?.span;
      const at = this.#kept[place]!;
      if (more) {
        words.set(wordsOfId(more.spanId), row * 2);
        parents.set(wordsOfId(more.parentSpanId ?? NO_ID), row * 2);
      } else {
        words[row * 2] = idLo[at]!;
        words[row * 2 + 1] = idHi[at]!;
        parents[row * 2] = parentLo[at]!;
        parents[row * 2 + 1] = parentHi[at]!;
      }
      rowOf.add(words[row * 2]!, words[row * 2 + 1]!, row);
    });
    const parent = new Int32Array(this.#count);
    for (let row = 0; row < this.#count; row++)
      parent[row] = rowOf.find(parents[row * 2]!, parents[row * 2 + 1]!);
    return { ids: new Uint8Array(words.buffer), parent };
  }
}

/** What was sent in order stays so: sorting 100,000 rows takes 60 ms, looking one. */
function sortedUnlessSorted(
  order: Uint32Array,
  compare: (a: number, b: number) => number,
): Uint32Array {
  for (let i = 1; i < order.length; i++)
    if (compare(order[i - 1]!, order[i]!) > 0) return order.sort(compare);
  return order;
}

const NO_ID = '0'.repeat(16);

const halvesOf = (unixNs: bigint): [lo: number, hi: number] => [
  Number(unixNs & 0xffffffffn),
  Number(unixNs >> 32n),
];

function serviceOf({ resource }: StoredSpan): string {
  const text = resource.attributes['service.name'];
  return typeof text === 'string' ? text : '';
}

/** One span as `trace` tells it; undefined when the trace does not have it. */
export async function traceSpan(
  reader: StoreReader,
  traceId: string,
  spanId: string,
): Promise<Span | undefined> {
  const rows = await reader.traceRows(traceId, TRACE_SPANS_MAX, ODD);
  if (!rows) return undefined;
  const [lo, hi] = wordsOfId(spanId);
  const whole: StoredSpan[] = [];
  for (let at = 0; at < rows.count; at++)
    if (rows.idLo[at] === lo && rows.idHi[at] === hi) whole.push(rows.spanAt(at));
  const one = foldTrace([...whole, ...rows.odd]).find(({ span }) => span.spanId === spanId);
  return one && shownSpan(one, new OutlineRows(rows).zeroUnixNs);
}
