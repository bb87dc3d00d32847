// Bits a mark takes in a block, and the order-0 entropy of the same data.
//
// The records are packed again as they were flushed, less their headers (base
// time and CRC included) and clock samples. The entropy is that of what is left of each time after the
// best of the same predictions (media clock, previous hop, previous row),
// hop by hop over the whole recording: a coder that knew each hop's
// distribution beforehand would need so much. Over few marks it comes out low.

import {
  encodeRecord,
  type FrameBlock,
  type FrameRecord,
  type HopColumn,
} from '@framescope/protocol';

export interface Bits {
  readonly marks: number;
  readonly bitsPerMark: number;
  readonly entropyBits: number;
}

export function bitsOf(records: readonly FrameRecord[]): Bits {
  let bits = 0;
  let marks = 0;
  for (const record of records) {
    const { blocks } = record;
    const rows = blocks.flatMap(block => block.columns.map(column => column.length));
    marks += rows.reduce((sum, count) => sum + count, 0);
    const parts = encodeRecord({ ...record, clockSamples: [] });
    for (const part of parts) bits += 8 * (part.length - headerLength(part));
  }
  return { marks, bitsPerMark: bits / marks, entropyBits: entropy(records) };
}

/** Bytes before the first item, and the CRC: docs/wire.md, section 4. */
function headerLength(part: Uint8Array): number {
  const afterVarints = (from: number, count: number): number => {
    let at = from;
    for (let left = count; left > 0; at++) if (part[at]! < 128) left--;
    return at;
  };
  const afterBase = afterVarints(32, 1) + 2;
  return afterVarints(afterBase, 4) + 4;
}

/** Residuals of one hop by each prediction, over all records. */
interface Residuals {
  readonly mediaClock: number[];
  readonly previousHop: number[];
  readonly previousRow: number[];
}

function entropy(records: readonly FrameRecord[]): number {
  const hops = new Map<string, Residuals>();
  for (const { producer, quantumNs, blocks } of records)
    for (const block of blocks)
      block.columns.forEach((column, at) => {
        const { role, name, nth } = column.hop;
        const key = `${producer} ${block.stream} ${role} ${name} ${nth}`;
        const into = hops.get(key) ?? { mediaClock: [], previousHop: [], previousRow: [] };
        hops.set(key, into);
        addResiduals(into, column, { block, previous: block.columns[at - 1], quantumNs });
      });
  let bits = 0;
  let count = 0;
  for (const { mediaClock, previousHop, previousRow } of hops.values()) {
    const whole = [mediaClock, previousRow, previousHop].filter(
      values => values.length >= mediaClock.length - 0.1 * mediaClock.length,
    );
    bits += Math.min(...whole.map(entropyOf)) * mediaClock.length;
    count += mediaClock.length;
  }
  return bits / count;
}

interface Around {
  readonly block: FrameBlock;
  readonly previous: HopColumn | undefined;
  readonly quantumNs: number;
}

function addResiduals(into: Residuals, column: HopColumn, around: Around): void {
  const { block, previous, quantumNs } = around;
  const quanta = (atNs: number): number => Math.round(atNs / quantumNs);
  const quantaPerTick = 1e9 / (block.sampleRate * quantumNs);
  for (let i = 0; i < column.length; i++) {
    const at = quanta(column.atNs[i]!);
    into.mediaClock.push(at - Math.floor(column.endTick[i]! * quantaPerTick));
    if (i > 0) into.previousRow.push(at - quanta(column.atNs[i - 1]!));
    const before = previous?.startTick.indexOf(column.startTick[i]!) ?? -1;
    if (previous !== undefined && before >= 0)
      into.previousHop.push(at - quanta(previous.atNs[before]!));
  }
}

/** Bits a value, order 0. */
function entropyOf(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values())
    bits -= (count / values.length) * Math.log2(count / values.length);
  return bits;
}
