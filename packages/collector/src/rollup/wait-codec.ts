// The waits of one finished session in columns: a chart over a million turns reads
// 50,000 of these, and of each only the measures it shows.
//
//   head      version · n waits · n measures · n worst names
//   columns   tick · wait index · start (from `fromUnixNs`) · outcome · resolved · worst · worst ns
//   measure   ID · bytes · values · flags
//
// In a second blob, which charts seldom read: of each measure ID · bytes · errors · saves.
//
// A column is one byte of form (0: u32, all ones absent; 1: f64, NaN absent) and its
// numbers: nearly all are whole nanoseconds below 4.29 s.

import type { WaitOutcome } from '@framescope/protocol';
import type { ValueRow } from '../store/store.ts';
import { Bytes } from './minute-codec.ts';

const VERSION = 1;
const ABSENT = 0xffffffff;

/** Codes are stored: append only. */
export const OUTCOMES: readonly WaitOutcome[] = [
  'answered',
  'filler_only',
  'interrupted_after',
  'interrupted_before',
  'abandoned',
  'failed',
  'none',
  'open',
];

/** Bits of a value's flags. */
export const VALUE_FLAG = { censored: 1, overBudget: 2 } as const;

/** A value with the IDs that its store gives to names. */
export interface PackedValue extends Omit<
  ValueRow,
  'measure' | 'sessionKey' | 'attributes' | 'worstPart'
> {
  readonly measure: number;
  /** ID of the measure `part.<name>`; 0: none. */
  readonly worst: number;
}

export interface EncodedWaits {
  readonly data: Uint8Array;
  readonly more: Uint8Array;
}

/** Values of one session; `fromUnixNs` is at or before the first. */
export function encodeWaits(values: readonly PackedValue[], fromUnixNs: bigint): EncodedWaits {
  const waits = waitsOf(values);
  const measures = [...new Set(values.map(one => one.measure))].toSorted((a, b) => a - b);
  const out = new Bytes();
  out.u8(VERSION);
  out.varint(waits.length);
  out.varint(measures.length);
  const first = waits.map(wait => wait[0]!);
  writeColumn(
    out,
    first.map(one => one.tick),
  );
  for (const { waitIndex } of first) out.u8(Math.min(waitIndex, 255));
  writeColumn(
    out,
    first.map(one => Number(one.atUnixNs - fromUnixNs)),
  );
  for (const { outcome } of first) out.u8(Math.max(0, OUTCOMES.indexOf(outcome as WaitOutcome)));
  writeColumn(
    out,
    first.map(one => one.resolved),
  );
  writeColumn(
    out,
    first.map(one => one.worst),
  );
  writeColumn(
    out,
    first.map(one => one.worstPartNs ?? undefined),
  );
  const more = new Bytes();
  for (const measure of measures) writeMeasure({ out, more }, measure, waits);
  return { data: out.toBytes(), more: more.toBytes() };
}

/** In order of time; those of one wait together. */
function waitsOf(values: readonly PackedValue[]): PackedValue[][] {
  const waits = new Map<string, PackedValue[]>();
  for (const value of values) {
    const id = `${value.tick} ${value.waitIndex}`;
    const wait = waits.get(id);
    if (wait === undefined) waits.set(id, [value]);
    else wait.push(value);
  }
  return [...waits.values()].toSorted(([a], [b]) => Number(a!.atUnixNs - b!.atUnixNs));
}

function writeMeasure(
  { out, more }: { readonly out: Bytes; readonly more: Bytes },
  measure: number,
  waits: readonly PackedValue[][],
): void {
  const rows = waits.map(wait => wait.find(one => one.measure === measure));
  const values = new Bytes();
  writeColumn(
    values,
    rows.map(row => row?.valueNs),
  );
  for (const row of rows)
    values.u8(
      (row?.isCensored ? VALUE_FLAG.censored : 0) | (row?.isOverBudget ? VALUE_FLAG.overBudget : 0),
    );
  writeSized(out, measure, values);
  const rest = new Bytes();
  writeColumn(
    rest,
    rows.map(row => row?.errorNs),
  );
  writeColumn(
    rest,
    rows.map(row => row?.savesNs ?? undefined),
  );
  writeSized(more, measure, rest);
}

function writeSized(out: Bytes, measure: number, body: Bytes): void {
  out.varint(measure);
  out.varint(body.length);
  out.raw(body.toBytes());
}

function writeColumn(out: Bytes, values: readonly (number | undefined)[]): void {
  const fits = values.every(
    value => value === undefined || (Number.isInteger(value) && value >= 0 && value < ABSENT),
  );
  out.u8(fits ? 0 : 1);
  for (const value of values)
    if (fits) out.u32(value ?? ABSENT);
    else out.f64(value ?? Number.NaN);
}

/** Where columns of waits are gathered from many packs; `at` is the first row to fill. */
export interface WaitRows {
  readonly tick: Float64Array;
  readonly waitIndex: Uint8Array;
  readonly atNs: Float64Array;
  readonly outcome: Uint8Array;
  readonly resolved: Float32Array;
  /** ID of the measure of the largest part; 0: none. */
  readonly worst: Int32Array;
}

export interface ValueColumn {
  /** NaN where a wait has none. */
  readonly valueNs: Float64Array;
  /** VALUE_FLAG bits. */
  readonly flags: Uint8Array;
  /** NaN where the graph cannot say. */
  readonly savesNs: Float64Array;
}

/** Reads packs one after the other. */
export class WaitPackReader {
  length = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #measures = 0;

  /** False when it is of another version. */
  open(bytes: Uint8Array): boolean {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 1;
    this.length = this.#varint();
    this.#measures = this.#varint();
    return bytes[0] === VERSION;
  }

  /** Fills rows from `at` on; times get `shiftNs` added. Call first, then `readMeasures`. */
  readRows(rows: WaitRows, at: number, shiftNs: number): void {
    const { length } = this;
    this.#column(rows.tick, at);
    for (let i = 0; i < length; i++) rows.waitIndex[at + i] = this.#bytes[this.#at++]!;
    this.#column(rows.atNs, at);
    for (let i = 0; i < length; i++) {
      rows.atNs[at + i]! += shiftNs;
      rows.outcome[at + i] = this.#bytes[this.#at++]!;
    }
    this.#column(rows.resolved, at);
    this.#column(rows.worst, at);
    this.#skip();
  }

  /** Fills the columns that `columnOf` gives for a measure's ID; others are stepped over. */
  readMeasures(columnOf: (measure: number) => ValueColumn | undefined, at: number): void {
    for (let left = this.#measures; left > 0; left--) {
      const measure = this.#varint();
      const size = this.#varint();
      const next = this.#at + size;
      const column = columnOf(measure);
      if (column !== undefined) {
        this.#column(column.valueNs, at);
        for (let i = 0; i < this.length; i++) column.flags[at + i] = this.#bytes[this.#at++]!;
      }
      this.#at = next;
    }
  }

  /** Fills `savesNs` from the second blob; ends this pack. */
  readSaves(
    more: Uint8Array,
    columnOf: (measure: number) => ValueColumn | undefined,
    at: number,
  ): void {
    this.#turnTo(more);
    while (this.#at < more.length) {
      const measure = this.#varint();
      const size = this.#varint();
      const next = this.#at + size;
      const column = columnOf(measure);
      if (column !== undefined) {
        this.#skip();
        this.#column(column.savesNs, at);
      }
      this.#at = next;
    }
  }

  #turnTo(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
  }

  /** Everything, as `encodeWaits` took it; ends this pack. */
  values(fromUnixNs: bigint, more: Uint8Array): PackedValue[] {
    const { length } = this;
    const tick = this.#numbers();
    const waitIndex = this.#raw();
    const atNs = this.#numbers();
    const outcome = this.#raw();
    const [resolved, worst, worstNs] = [this.#numbers(), this.#numbers(), this.#numbers()];
    const columns = Array.from({ length: this.#measures }, () => {
      const measure = this.#varint();
      this.#varint();
      return { measure, valueNs: this.#numbers(), flags: this.#raw() };
    });
    this.#turnTo(more);
    const values: PackedValue[] = [];
    for (const { measure, valueNs, flags } of columns) {
      this.#varint();
      this.#varint();
      const [errorNs, savesNs] = [this.#numbers(), this.#numbers()];
      for (let i = 0; i < length; i++) {
        if (Number.isNaN(valueNs[i]!)) continue;
        values.push({
          measure,
          tick: tick[i]!,
          waitIndex: waitIndex[i]!,
          atUnixNs: fromUnixNs + BigInt(atNs[i]!),
          valueNs: valueNs[i]!,
          isCensored: (flags[i]! & VALUE_FLAG.censored) !== 0,
          outcome: OUTCOMES[outcome[i]!] ?? 'none',
          errorNs: errorNs[i]!,
          resolved: resolved[i]!,
          worst: worst[i]!,
          worstPartNs: Number.isNaN(worstNs[i]!) ? null : worstNs[i]!,
          isOverBudget: (flags[i]! & VALUE_FLAG.overBudget) !== 0,
          savesNs: Number.isNaN(savesNs[i]!) ? null : savesNs[i]!,
        });
      }
    }
    return values;
  }

  #numbers(): Float64Array {
    const numbers = new Float64Array(this.length);
    this.#column(numbers, 0);
    return numbers;
  }

  #raw(): Uint8Array {
    const bytes = this.#bytes.subarray(this.#at, this.#at + this.length);
    this.#at += this.length;
    return bytes;
  }

  #column(into: Float64Array | Float32Array | Int32Array, at: number): void {
    const view = this.#view;
    const { length } = this;
    let from = this.#at + 1;
    if (this.#bytes[this.#at] === 0) {
      for (let i = 0; i < length; i++, from += 4) {
        const value = view.getUint32(from, true);
        into[at + i] = value === ABSENT ? Number.NaN : value;
      }
    } else for (let i = 0; i < length; i++, from += 8) into[at + i] = view.getFloat64(from, true);
    this.#at = from;
  }

  #skip(): void {
    this.#at += 1 + this.length * (this.#bytes[this.#at] === 0 ? 4 : 8);
  }

  #varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++]!;
      if (byte < 128) return value + byte * factor;
      value += (byte & 127) * factor;
      factor *= 128;
    }
  }
}
