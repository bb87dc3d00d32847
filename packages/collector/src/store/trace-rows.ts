// The rows of one trace out of the blocks that hold them, as columns: 100,000 spans as
// objects take half a second and as much to collect again, as columns a tenth.
//
// Rows that are not what they seem (log records, pending spans: query/fold.ts) are few, and
// are handed out as objects beside the columns.

import {
  columnsOf,
  ID_BYTES,
  PARENT_ID_AT,
  SPAN_ID_AT,
  type SpanColumns,
} from '../decode/span-columns.ts';
import type { OddSpans, StoredSpan, TraceRows, TraceSpans } from './store.ts';

const WORDS_A_ROW = ID_BYTES / 4;
const SPAN_ID_WORD = SPAN_ID_AT / 4;
const PARENT_ID_WORD = PARENT_ID_AT / 4;

/** Texts by number, in order of their first use. */
export class Texts {
  readonly all: string[] = [];
  readonly #known = new Map<string, number>();

  numberOf(text: string): number {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    this.#known.set(text, this.all.length);
    this.all.push(text);
    return this.all.length - 1;
  }
}

export class TraceRowsBuilder {
  readonly #names = new Texts();
  readonly #services = new Texts();
  readonly #rows: Omit<TraceRows, 'spanAt'>;
  /** Where the rows of each block begin here, and what makes one of them an object. */
  readonly #parts: {
    readonly at: number;
    readonly columns: SpanColumns;
    spanAt(row: number): StoredSpan;
  }[] = [];
  readonly #rowInBlock: Uint32Array;
  readonly #odd: StoredSpan[] = [];
  readonly #isOdd: OddSpans;
  #count = 0;

  constructor(capacity: number, isOdd: OddSpans) {
    this.#isOdd = isOdd;
    this.#rowInBlock = new Uint32Array(capacity);
    const words = (): Uint32Array => new Uint32Array(capacity);
    this.#rows = {
      count: 0,
      idLo: words(),
      idHi: words(),
      parentLo: words(),
      parentHi: words(),
      startLo: words(),
      startHi: words(),
      endLo: words(),
      endHi: words(),
      name: words(),
      names: this.#names.all,
      service: words(),
      services: this.#services.all,
      status: new Uint8Array(capacity),
      odd: this.#odd,
      blocks: this.#parts,
      rowInBlock: this.#rowInBlock,
      omittedCount: 0,
    };
  }

  /** Rows `[from, from + count)` of a block; `spanAt` makes one an object. */
  add(
    { columns }: { readonly columns: SpanColumns },
    { from, count }: { readonly from: number; readonly count: number },
    spanAt: (row: number) => StoredSpan,
  ): void {
    const to = this.#rows;
    const ids = columns.idWords();
    const oddKeys = new Set(this.#isOdd.keys.map(key => columns.texts.internText(key)));
    const nameOf = cached(text => this.#names.numberOf(columns.texts.text(text)));
    const serviceOf = cached(resource => {
      const service = columns.resources[resource]!.of.attributes['service.name'];
      return this.#services.numberOf(typeof service === 'string' ? service : '');
    });
    this.#parts.push({ at: this.#count, columns, spanAt });
    for (let row = from; row < from + count; row++) {
      if (hasKey(columns, row, oddKeys)) {
        const span = spanAt(row);
        if (this.#isOdd.test(span)) {
          this.#odd.push(span);
          continue;
        }
      }
      const at = this.#count++;
      const id = row * WORDS_A_ROW;
      this.#rowInBlock[at] = row;
      to.idLo[at] = ids[id + SPAN_ID_WORD]!;
      to.idHi[at] = ids[id + SPAN_ID_WORD + 1]!;
      to.parentLo[at] = ids[id + PARENT_ID_WORD]!;
      to.parentHi[at] = ids[id + PARENT_ID_WORD + 1]!;
      to.startLo[at] = columns.startLo[row]!;
      to.startHi[at] = columns.startHi[row]!;
      to.endLo[at] = columns.endLo[row]!;
      to.endHi[at] = columns.endHi[row]!;
      to.name[at] = nameOf(columns.name[row]!);
      to.service[at] = serviceOf(columns.resource[row]!);
      to.status[at] = columns.status[row]!;
    }
  }

  done(omittedCount: number): TraceRows {
    return {
      ...this.#rows,
      count: this.#count,
      omittedCount,
      spanAt: at => this.#parts.findLast(part => part.at <= at)!.spanAt(this.#rowInBlock[at]!),
    };
  }
}

function hasKey(columns: SpanColumns, row: number, keys: ReadonlySet<number>): boolean {
  const to = columns.attrEnd[row]!;
  for (let i = row === 0 ? 0 : columns.attrEnd[row - 1]!; i < to; i++)
    if (keys.has(columns.attrKey[i]!)) return true;
  return false;
}

/** A number's number, asked for once. */
function cached(of: (number: number) => number): (number: number) => number {
  const known = new Map<number, number>();
  return number => {
    let found = known.get(number);
    if (found === undefined) known.set(number, (found = of(number)));
    return found;
  };
}

/** Out of objects, for a store that reads spans one by one. */
export function rowsOfSpans({ spans, omittedCount }: TraceSpans, odd: OddSpans): TraceRows {
  const rows = new TraceRowsBuilder(spans.length, odd);
  rows.add({ columns: columnsOf(spans) }, { from: 0, count: spans.length }, row => spans[row]!);
  return rows.done(omittedCount);
}
