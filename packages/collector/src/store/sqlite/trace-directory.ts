// What a commit's block holds, trace by trace: enough to list and to find traces
// without opening the block.
//
//   version u8 = 1 │ traces u32 │ trace IDs 16 each │ deflateRaw of:
//   bases of time │ for each trace: rows, start, length, errors, name, service,
//   flags, session │ texts
//
// Rows of a trace stand together in the block, in the order of this list.

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { SpanColumns } from '../../decode/span-columns.ts';
import { ByteSink, ByteSource } from './byte-sink.ts';
import type { CommitRows } from './commit-rows.ts';

const VERSION = 1;
const DEFLATE = { level: 1, chunkSize: 1 << 16 } as const;
const ERROR_STATUS = 2;
const TWO_32 = 2n ** 32n;
const IS_ROOT = 1;

/** Texts of names are cut: a list shows no more. */
const TEXT_BYTES_MAX = 512;

/** One trace's rows in one commit. */
export interface TraceEntry {
  readonly traceId: string;
  /** Rows `[from, from + count)` of the block. */
  readonly from: number;
  readonly count: number;
  readonly startUnixNs: bigint;
  readonly endUnixNs: bigint;
  readonly errorCount: number;
  /** The root's, else (isRoot false) the earliest span's. */
  readonly name: string;
  readonly service: string;
  readonly isRoot: boolean;
  /** Row ID of its session in the volume; 0: none. */
  readonly session: number;
}

export class DirectoryWriter {
  readonly #rest = new ByteSink(1 << 14);
  readonly #texts = new Map<string, number>();
  /** Names by text of the columns: a string is made once a commit. */
  readonly #names = new Map<number, number>();
  readonly #services = new Map<number, number>();

  pack(columns: SpanColumns, rows: CommitRows): Buffer {
    const { traceCount, traceFrom, order } = rows;
    const head = Buffer.alloc(5 + 16 * traceCount);
    head[0] = VERSION;
    head.writeUInt32LE(traceCount, 1);
    this.#rest.clear();
    this.#texts.clear();
    this.#names.clear();
    this.#services.clear();
    const words = columns.idWords();
    for (let trace = 0; trace < traceCount; trace++) {
      const from = traceFrom[trace]!;
      const at = order[from]! * 32;
      columns.ids.copy(head, 5 + 16 * trace, at, at + 16);
      this.#trace(columns, words, rows, trace);
    }
    this.#rest.varint(this.#texts.size);
    for (const text of this.#texts.keys()) {
      const bytes = Buffer.from(text).subarray(0, TEXT_BYTES_MAX);
      this.#rest.varint(bytes.length);
      this.#rest.raw(bytes);
    }
    return Buffer.concat([head, deflateRawSync(this.#rest.view(), DEFLATE)]);
  }

  #trace(columns: SpanColumns, words: Uint32Array, rows: CommitRows, trace: number): void {
    const { order, traceFrom, sessionRow } = rows;
    const to = traceFrom[trace + 1]!;
    let first = order[traceFrom[trace]!]!;
    let last = first;
    let root = -1;
    let errors = 0;
    let session = 0;
    for (let i = traceFrom[trace]!; i < to; i++) {
      const row = order[i]!;
      if (isBefore(columns.startHi, columns.startLo, row, first)) first = row;
      if (isBefore(columns.endHi, columns.endLo, last, row)) last = row;
      if (root < 0 && words[row * 8 + 6] === 0 && words[row * 8 + 7] === 0) root = row;
      if (columns.status[row] === ERROR_STATUS) errors++;
      session ||= sessionRow[row]!;
    }
    const shown = root >= 0 ? root : first;
    const rest = this.#rest;
    rest.varint(to - traceFrom[trace]!);
    rest.word(columns.startLo[first]!);
    rest.word(columns.startHi[first]!);
    rest.word(columns.endLo[last]!);
    rest.word(columns.endHi[last]!);
    rest.varint(errors);
    rest.varint(this.#name(columns, columns.name[shown]!));
    rest.varint(this.#service(columns, columns.resource[shown]!));
    rest.byte(root >= 0 ? IS_ROOT : 0);
    rest.varint(session);
  }

  #name(columns: SpanColumns, text: number): number {
    let number = this.#names.get(text);
    if (number === undefined)
      this.#names.set(text, (number = this.#text(columns.texts.text(text))));
    return number;
  }

  #service(columns: SpanColumns, resource: number): number {
    let number = this.#services.get(resource);
    if (number !== undefined) return number;
    const service = columns.resources[resource]!.of.attributes['service.name'];
    number = this.#text(typeof service === 'string' ? service : '');
    this.#services.set(resource, number);
    return number;
  }

  #text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, this.#texts.size);
    return this.#texts.size - 1;
  }
}

/** Reads a directory; throws on a damaged one. */
export function readDirectory(bytes: Buffer): TraceEntry[] {
  if (bytes[0] !== VERSION) throw new Error(`trace directory of version ${bytes[0]}`);
  const count = bytes.readUInt32LE(1);
  const rest = new ByteSource(inflateRawSync(bytes.subarray(5 + 16 * count)));
  let from = 0;
  const drafts = Array.from({ length: count }, (_, i) => {
    const rows = rest.varint();
    const draft = {
      traceId: bytes.toString('hex', 5 + 16 * i, 21 + 16 * i),
      from,
      count: rows,
      startUnixNs: readTime(rest),
      endUnixNs: readTime(rest),
      errorCount: rest.varint(),
      name: rest.varint(),
      service: rest.varint(),
      isRoot: rest.byte() === IS_ROOT,
      session: rest.varint(),
    };
    from += rows;
    return draft;
  });
  const texts = Array.from({ length: rest.varint() }, () =>
    rest.raw(rest.varint()).toString('utf8'),
  );
  return drafts.map(draft => ({
    ...draft,
    name: texts[draft.name] ?? '',
    service: texts[draft.service] ?? '',
  }));
}

function readTime(source: ByteSource): bigint {
  const low = source.word();
  return BigInt(source.word()) * TWO_32 + BigInt(low);
}

function isBefore(hi: Uint32Array, lo: Uint32Array, row: number, other: number): boolean {
  return hi[row]! < hi[other]! || (hi[row] === hi[other] && lo[row]! < lo[other]!);
}
