// Gathers the waits of a range from packs of finished sessions and rows of the others.

import type { ValueColumn, WaitPackReader, WaitRows } from '../../rollup/wait-codec.ts';
import type { FacetSession, SessionFacets, UnixRange, WaitTable } from '../store.ts';

const START_ROWS = 1024;

export interface LooseValue {
  readonly session: number;
  readonly tick: number;
  readonly waitIndex: number;
  readonly atNs: number;
  readonly valueNs: number;
  readonly flags: number;
  readonly outcome: number;
  readonly resolved: number;
  readonly worst: number;
  readonly savesNs: number;
}

export interface WaitNames {
  readonly wanted: ReadonlyMap<number, string>;
  readonly names: ReadonlyMap<number, string>;
}

/** How a session of the table is read when it is asked for: whole, or its facets alone. */
export interface ReadSession {
  readonly session: (row: number) => FacetSession;
  readonly facets: (row: number) => SessionFacets;
}

export class WaitTableBuilder {
  readonly #fromUnixNs: bigint;
  readonly #widthNs: number;
  /** Measures wanted, by ID. */
  readonly #wanted: ReadonlyMap<number, string>;
  readonly #names: ReadonlyMap<number, string>;
  readonly #read: ReadSession;
  readonly #sessions: LateSession[] = [];
  readonly #sessionIndex = new Map<number, number>();
  readonly #loose = new Map<string, number>();
  readonly #hasSaves: boolean;
  #length = 0;
  #capacity: number;
  #rows: WaitRows & { readonly session: Int32Array };
  /** Rows of packs; those of sessions that are not packed stand behind. */
  #packedLength = 0;
  readonly #columns = new Map<number, ValueColumn>();
  readonly #ids = new Map<string, number>();

  /** `wanted`: measures by ID; `names`: all measures by ID. */
  constructor(
    range: UnixRange,
    { wanted, names }: WaitNames,
    options: {
      readonly read: ReadSession;
      readonly hasSaves: boolean;
      /** About how many rows will come: growing copies. */
      readonly rows: number;
    },
  ) {
    this.#fromUnixNs = range.fromUnixNs;
    this.#widthNs = Number(range.toUnixNs - range.fromUnixNs);
    this.#wanted = wanted;
    this.#names = names;
    this.#read = options.read;
    this.#hasSaves = options.hasSaves;
    this.#capacity = Math.max(START_ROWS, options.rows);
    this.#rows = rowsOf(this.#capacity);
    for (const [id, name] of wanted) {
      this.#ids.set(name, id);
      this.#columns.set(id, this.#column(this.#capacity));
    }
  }

  /** `more`: the second blob, when savings are wanted. */
  addPack(session: number, shiftNs: number, pack: WaitPackReader, more?: Uint8Array): void {
    const at = this.#length;
    this.#room(pack.length);
    this.#rows.session.fill(this.#indexOf(session), at, at + pack.length);
    pack.readRows(this.#rows, at, shiftNs);
    pack.readMeasures(measure => this.#columns.get(measure), at);
    if (more !== undefined) pack.readSaves(more, measure => this.#columns.get(measure), at);
    this.#length += pack.length;
    const { atNs } = this.#rows;
    // In order of time: nearly always the whole pack lies inside.
    if (atNs[at]! >= 0 && atNs[this.#length - 1]! < this.#widthNs) return;
    this.#cut(at);
  }

  /** Takes rows outside the range out again, from `at` on. */
  #cut(at: number): void {
    let kept = at;
    for (let row = at; row < this.#length; row++) {
      const atNs = this.#rows.atNs[row]!;
      if (atNs < 0 || atNs >= this.#widthNs) continue;
      if (kept !== row) this.#move(row, kept);
      kept++;
    }
    for (const column of this.#columns.values()) {
      column.valueNs.fill(Number.NaN, kept, this.#length);
      if (this.#hasSaves) column.savesNs.fill(Number.NaN, kept, this.#length);
      column.flags.fill(0, kept, this.#length);
    }
    this.#length = kept;
  }

  #move(from: number, to: number): void {
    for (const column of Object.values(this.#rows) as Float64Array[]) column[to] = column[from]!;
    for (const column of this.#columns.values())
      for (const part of this.#hasSaves
        ? [column.valueNs, column.flags, column.savesNs]
        : [column.valueNs, column.flags])
        part[to] = part[from]!;
  }

  get packedLength(): number {
    return this.#packedLength;
  }

  /** All packs are in: what follows is taken out again by `keepPacked`. */
  endPacks(): void {
    this.#packedLength = this.#length;
  }

  /** Back to the packs alone. Tables made before see the rows that follow. */
  keepPacked(): void {
    for (const column of this.#columns.values()) {
      column.valueNs.fill(Number.NaN, this.#packedLength, this.#length);
      column.flags.fill(0, this.#packedLength, this.#length);
      if (this.#hasSaves) column.savesNs.fill(Number.NaN, this.#packedLength, this.#length);
    }
    this.#length = this.#packedLength;
    this.#loose.clear();
  }

  #column(capacity: number): ValueColumn {
    return {
      valueNs: new Float64Array(capacity).fill(Number.NaN),
      flags: new Uint8Array(capacity),
      savesNs: this.#hasSaves ? new Float64Array(capacity).fill(Number.NaN) : NO_SAVES,
    };
  }

  /** A value of a session that is not packed. */
  addValue(measure: string, value: LooseValue): void {
    const id = `${value.session} ${value.tick} ${value.waitIndex}`;
    let row = this.#loose.get(id);
    if (row === undefined) {
      this.#room(1);
      row = this.#length++;
      this.#loose.set(id, row);
      const rows = this.#rows;
      rows.session[row] = this.#indexOf(value.session);
      rows.tick[row] = value.tick;
      rows.waitIndex[row] = value.waitIndex;
      rows.atNs[row] = value.atNs;
      rows.outcome[row] = value.outcome;
      rows.resolved[row] = value.resolved;
      rows.worst[row] = value.worst;
    }
    const column = this.#columns.get(this.#ids.get(measure)!)!;
    column.valueNs[row] = value.valueNs;
    column.flags[row] = value.flags;
    if (this.#hasSaves) column.savesNs[row] = value.savesNs;
  }

  finish(): WaitTable {
    const length = this.#length;
    const cut = <T extends { subarray(from: number, to: number): T }>(column: T): T =>
      column.subarray(0, length);
    const rows = this.#rows;
    const columns = [...this.#columns].map(
      ([id, { valueNs, flags, savesNs }]) =>
        [
          this.#wanted.get(id)!,
          {
            valueNs: cut(valueNs),
            flags: cut(flags),
            savesNs: cut(savesNs),
          },
        ] as const,
    );
    return {
      length,
      fromUnixNs: this.#fromUnixNs,
      session: cut(rows.session),
      tick: cut(rows.tick),
      waitIndex: cut(rows.waitIndex),
      atNs: cut(rows.atNs),
      outcome: cut(rows.outcome),
      resolved: cut(rows.resolved),
      worst: cut(rows.worst),
      columns: new Map(columns),
      sessions: this.#sessions.slice(),
      partName: worst => this.#names.get(worst)?.slice('part.'.length) ?? null,
    };
  }

  #indexOf(session: number): number {
    let index = this.#sessionIndex.get(session);
    if (index === undefined) {
      index = this.#sessions.push(new LateSession(session, this.#read)) - 1;
      this.#sessionIndex.set(session, index);
    }
    return index;
  }

  #room(count: number): void {
    if (this.#length + count <= this.#capacity) return;
    this.#capacity = Math.max(2 * this.#capacity, this.#length + count);
    const rows = rowsOf(this.#capacity);
    for (const name of Object.keys(rows) as (keyof typeof rows)[])
      rows[name].set(this.#rows[name].subarray(0, this.#length));
    this.#rows = rows;
    for (const [id, before] of this.#columns) {
      const column = this.#column(this.#capacity);
      column.valueNs.set(before.valueNs.subarray(0, this.#length));
      column.flags.set(before.flags.subarray(0, this.#length));
      if (this.#hasSaves) column.savesNs.set(before.savesNs.subarray(0, this.#length));
      this.#columns.set(id, column);
    }
  }
}

/** A session that is read when something of it is asked: most charts never do. */
class LateSession implements FacetSession {
  readonly row: number;
  readonly #read: ReadSession;
  #session: FacetSession | undefined;
  #facets: SessionFacets | undefined;

  constructor(row: number, read: ReadSession) {
    this.row = row;
    this.#read = read;
  }

  #get(): FacetSession {
    return (this.#session ??= this.#read.session(this.row));
  }

  get key(): string {
    return this.#get().key;
  }

  get id(): string {
    return this.#get().id;
  }

  get status(): string {
    return this.#get().status;
  }

  get startUnixNs(): bigint {
    return this.#get().startUnixNs;
  }

  isPinned(): boolean {
    return this.#get().isPinned();
  }

  get facets(): SessionFacets {
    return (this.#facets ??= this.#read.facets(this.row));
  }
}

const rowsOf = (capacity: number): WaitRows & { readonly session: Int32Array } => ({
  session: new Int32Array(capacity),
  tick: new Float64Array(capacity),
  waitIndex: new Uint8Array(capacity),
  atNs: new Float64Array(capacity),
  outcome: new Uint8Array(capacity),
  resolved: new Float32Array(capacity),
  worst: new Int32Array(capacity),
});

const NO_SAVES = new Float64Array(0);
