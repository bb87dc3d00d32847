// Record codec: where the frames of a column begin and end on the media axis,
// read from what the column before says of them.
// Layout: docs/wire.md, "Record", items 2, 6 and 7.

import { unpack } from './bit-packing.ts';
import type { ByteReader } from './bytes.ts';
import {
  COLUMN_ROWS_MAX,
  COMPACT_CUT,
  NEAR_BIAS,
  ROWS_PER_BYTE_MAX,
  TICK_MAX,
  USUAL_MS,
} from './record-format.ts';
import type { QuantaColumn } from './record-prediction.ts';
import type { RowArena } from './row-arena.ts';

/** Ticks of each row, ascending. */
export type Cut = Pick<QuantaColumn, 'start' | 'end' | 'length'>;

/** Every method answers nothing when its input makes no sense, which is then told in `input.problem`. */
export class CutReader {
  /** The column before in this block, if there is one. */
  previous: QuantaColumn | undefined = undefined;
  readonly #input: ByteReader;
  readonly #rowsMax: number;
  #rowCount = 0;

  readonly #arena: RowArena | undefined;

  /** Rows come out of `arena`, if there is one. */
  constructor(input: ByteReader, arena?: RowArena) {
    this.#input = input;
    this.#arena = arena;
    this.#rowsMax = input.bytes.length * ROWS_PER_BYTE_MAX;
  }

  #rows(count: number): Float64Array {
    return this.#arena?.take(count) ?? new Float64Array(count);
  }

  /** Counts rows, before anything is allocated for them. */
  claimRows(count: number): boolean {
    this.#rowCount += count;
    if (this.#rowCount <= this.#rowsMax && count >= 1 && count <= COLUMN_ROWS_MAX)
      return this.#input.problem === undefined;
    this.#input.fail(`${count} rows in a column`);
    return false;
  }

  /** That of the column before. */
  same(): Cut | undefined {
    const previous = this.previous;
    if (previous === undefined) return void this.#input.fail('the cut of no column');
    return this.claimRows(previous.length) ? previous : undefined;
  }

  /** The frame size of the column before, its start and rows differing by some frames. */
  near(): Cut | undefined {
    const byte = this.#input.u8();
    const previous = this.previous;
    if (previous === undefined) return void this.#input.fail('near the cut of no column');
    const size = previous.end[0]! - previous.start[0]!;
    const count = previous.length + (byte & 15) - NEAR_BIAS;
    const first = previous.start[0]! + ((byte >> 4) - NEAR_BIAS) * size;
    if (!this.claimRows(count)) return undefined;
    const cut = { start: this.#rows(count), end: this.#rows(count).fill(1) };
    return this.#layOut(cut, first, size);
  }

  /** Frames of one size with no hole, counted in ms and in themselves, or in ticks. */
  even(sampleRate: number): Cut | undefined {
    const input = this.#input;
    const count = input.varint();
    const ms = input.u8();
    const told = input.svarint();
    const size = ms === 0 ? input.varint() : (ms * sampleRate) / 1_000;
    const first = (this.previous?.start[0] ?? 0) + (ms === 0 ? told : told * size);
    if (!Number.isInteger(size)) return void input.fail(`frames of ${ms} ms at ${sampleRate} Hz`);
    if (!this.claimRows(count)) return undefined;
    const cut = { start: this.#rows(count), end: this.#rows(count).fill(1) };
    return this.#layOut(cut, first, size);
  }

  /** The cut of a short column. */
  short(sampleRate: number, kind: number): Cut | undefined {
    if (kind === COMPACT_CUT.same) return this.same();
    if (kind === COMPACT_CUT.near) return this.near();
    const input = this.#input;
    const told = input.varint();
    const count = Math.floor(told / 2);
    const ms = told % 2 === 0 ? USUAL_MS : input.u8();
    const isEven = kind === COMPACT_CUT.even;
    const from = this.previous?.start[0] ?? 0;
    const first = input.svarint();
    if (ms === 0) return this.#told(count, { first: from + first, unit: input.varint(), isEven });
    const size = (ms * sampleRate) / 1_000;
    if (!Number.isInteger(size)) return void input.fail(`frames of ${ms} ms at ${sampleRate} Hz`);
    if (!this.claimRows(count)) return undefined;
    const cut = { start: this.#rows(count), end: this.#rows(count).fill(1) };
    if (!isEven) this.#readHoles(cut.start);
    return this.#layOut(cut, from + first * size, size);
  }

  /** The cut of a column of version 2. */
  compact(sampleRate: number, kind: number): Cut | undefined {
    if (kind === COMPACT_CUT.same) return this.same();
    if (kind === COMPACT_CUT.near) return this.near();
    return kind === COMPACT_CUT.even ? this.even(sampleRate) : this.any(false);
  }

  /** Frames missing before each row. */
  #readHoles(gaps: Float64Array): void {
    const input = this.#input;
    let row = 0;
    for (let holes = input.varint(); holes > 0 && input.problem === undefined; holes--) {
      const told = input.varint();
      row += Math.floor(told / 4);
      const missing = (told % 4) + 1;
      if (told < 4 || row >= gaps.length)
        return void input.fail(`a hole before row ${row} of ${gaps.length}`);
      gaps[row] = missing > 3 ? missing + input.varint() : missing;
    }
  }

  /** The cut of a column of item 2. */
  any(isEven: boolean): Cut | undefined {
    const input = this.#input;
    const count = input.varint();
    const first = input.svarint() + (this.previous?.start[0] ?? 0);
    return this.#told(count, { first, unit: input.varint(), isEven });
  }

  #told(
    count: number,
    { first, unit, isEven }: { first: number; unit: number; isEven: boolean },
  ): Cut | undefined {
    const input = this.#input;
    if (!this.claimRows(count)) return undefined;
    const [start, end] = [this.#rows(count), this.#rows(count)];
    if (isEven) end.fill(1);
    else if (!unpack(input, end, 0, count) || !unpack(input, start, 1, count - 1)) return undefined;
    return this.#layOut({ start, end }, first, unit);
  }

  /** Gaps (in `start`) and lengths (in `end`), in units, become ticks in place. */
  #layOut(
    { start, end }: Pick<Cut, 'start' | 'end'>,
    first: number,
    unit: number,
  ): Cut | undefined {
    const input = this.#input;
    const count = start.length;
    let passed = first;
    for (let i = 0; i < count; i++) {
      const gap = i === 0 ? 0 : start[i]! * unit;
      const size = end[i]! * unit;
      start[i] = passed + gap;
      end[i] = passed + gap + size;
      if (!(gap >= 0 && size > 0 && start[i]! >= 0 && end[i]! <= TICK_MAX))
        return void input.fail('tick out of range');
      passed = end[i]!;
    }
    return { start, end, length: count };
  }
}
