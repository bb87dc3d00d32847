// One batch of spans on its way into a volume: which of them are new, and which
// session each belongs to.
//
// A trace that was not seen lately is asked for in the volumes of the last day: its
// spans there count as seen, and its session is theirs. What a commit that failed
// has changed here is forgotten with it.

import { scopeOf } from '../../decode/scope.ts';
import {
  isCallRoot,
  isCallRootName,
  isLastRoot,
  RANK_CERTAIN,
  RANK_NONE,
  RANK_OF_TRACE,
} from '../../decode/session-keys.ts';
import type { SpanColumns } from '../../decode/span-columns.ts';
import { traceHash, TraceGroups, type CommitRows } from './commit-rows.ts';
import { SeenSpans } from './seen-spans.ts';
import type { SessionName, VolumeWriter } from './volume-writer.ts';

export interface IntakePorts {
  /** Volumes in which a repetition is looked for. */
  readonly volumes: () => readonly VolumeWriter[];
  /** The session that a `session.id` names now; it counts as touched by this commit. */
  readonly touch: (sessionId: string) => SessionName;
  /** The session that a stored trace belongs to. */
  readonly nameOf: (sessionKey: string) => SessionName | undefined;
}

/** What is known of a trace: its session, once a span named one. */
interface KnownTrace {
  session: SessionName | undefined;
  /** By which key it was named, and what stood there; of a trace read from a volume nobody knows. */
  rank: number;
  named: string;
  /** Spans of it are stored: before this batch, that is. */
  isStored: boolean;
}

/** A trace with stored spans whose session this batch made known. */
export interface Adoption {
  readonly session: SessionName;
  /** A row of the trace. */
  readonly row: number;
}

/** New rows with the session of each. */
export interface IntakeResult {
  readonly repeatedCount: number;
  /** Sessions of new rows; a row's number in `sessionOf` is its place here plus 1. */
  readonly sessions: readonly SessionName[];
  readonly adoptions: readonly Adoption[];
  /** Fills in row IDs of the volume and groups the rows. */
  finish(rowIdOf: (session: SessionName) => number): CommitRows;
  /** By row: 0 without a session. */
  readonly sessionOf: Uint32Array;
  /** By row: a number of its trace in this batch. */
  traceOf(row: number): number;
  isNew(row: number): boolean;
}

export class SpanIntake {
  readonly #seen = new SeenSpans();
  readonly #groups = new TraceGroups();
  #young = new Map<string, KnownTrace>();
  #old = new Map<string, KnownTrace>();
  #sessionOf = new Uint32Array(4_096);

  /** What it answers holds until the next call. */
  take(columns: SpanColumns, ports: IntakePorts): IntakeResult {
    const { length } = columns;
    const groups = this.#groups;
    groups.begin(length);
    const words = columns.idWords();
    const traces: KnownTrace[] = [];
    let repeatedCount = 0;
    for (let row = 0; row < length; row++) {
      const trace = groups.traceOf(words, row);
      if (trace === traces.length) traces.push(this.#trace(columns, row, ports));
      if (this.#seen.add(words, row)) groups.keep(trace);
      else {
        groups.leaveOut(row);
        repeatedCount++;
      }
    }
    const orphans = traces.map(trace => trace.isStored && trace.session === undefined);
    const sessions = this.#findSessions(columns, traces, ports);
    const adoptions = traces.flatMap(({ session }, trace) =>
      orphans[trace] && session ? { session, row: groups.firstRow(trace) } : [],
    );
    for (const trace of traces) trace.isStored = true;
    return {
      repeatedCount,
      sessions,
      adoptions,
      sessionOf: this.#sessionOf,
      traceOf: row => groups.tracePlace(row),
      isNew: row => !groups.isLeftOut(row),
      finish: rowIdOf => this.#finish(length, sessions.map(rowIdOf)),
    };
  }

  /** First who names a session, then who inherits it: children often stand before their root. */
  #findSessions(
    columns: SpanColumns,
    traces: readonly KnownTrace[],
    ports: IntakePorts,
  ): SessionName[] {
    const { length, session, sessionRank } = columns;
    if (this.#sessionOf.length < length) this.#sessionOf = new Uint32Array(length * 2);
    const sessions: SessionName[] = [];
    const places = new Map<string, number>();
    const placeOf = (name: SessionName): number => {
      let place = places.get(name.key);
      if (place === undefined) places.set(name.key, (place = sessions.push(name)));
      return place;
    };
    const byText = new Map<number, number>();
    const name = (row: number, text: number): void => {
      let place = byText.get(text);
      if (place === undefined) {
        place = placeOf(ports.touch(columns.texts.text(text)));
        byText.set(text, place);
      }
      this.#sessionOf[row] = place;
      const trace = traces[this.#groups.tracePlace(row)]!;
      if (trace.session !== undefined) return;
      trace.session = sessions[place - 1]!;
      trace.rank = sessionRank[row]!;
      trace.named = columns.texts.text(text);
    };
    // The root of a call that spans of it have named by another key: it inherits that name below.
    const isLate = (row: number): boolean => {
      const trace = traces[this.#groups.tracePlace(row)]!;
      if (trace.session === undefined || trace.rank === RANK_CERTAIN) return false;
      const { texts, scope, name: names } = columns;
      return isLastRoot(scopeOf(texts.text(scope[row]!)).scope, texts.text(names[row]!));
    };
    const hints: number[] = [];
    for (let row = 0; row < length; row++) {
      const text = session[row]!;
      this.#sessionOf[row] = 0;
      if (text === 0 || this.#groups.isLeftOut(row)) continue;
      if (sessionRank[row] !== RANK_CERTAIN) hints.push(row);
      else if (!isLate(row)) name(row, text);
    }
    // Best key first, so that what a batch holds in which order names nothing differently.
    hints.sort((a, b) => sessionRank[a]! - sessionRank[b]! || a - b);
    for (const row of hints) {
      const { session: known, rank, named } = traces[this.#groups.tracePlace(row)]!;
      const text = session[row]!;
      // Another value of the very key that named the trace: two calls are interleaved in it.
      const isOther = rank === sessionRank[row] && named !== columns.texts.text(text);
      if (known === undefined || isOther) name(row, text);
    }
    for (const row of this.#rootRows(columns)) {
      const trace = traces[this.#groups.tracePlace(row)]!;
      if (trace.session !== undefined) continue;
      trace.named = columns.traceId(row);
      trace.session = ports.touch(trace.named);
      trace.rank = RANK_OF_TRACE;
    }
    for (let row = 0; row < length; row++) {
      if (this.#sessionOf[row] !== 0 || this.#groups.isLeftOut(row)) continue;
      const inherited = traces[this.#groups.tracePlace(row)]!.session;
      if (inherited) this.#sessionOf[row] = placeOf(inherited);
    }
    return sessions;
  }

  /** Rows whose trace is a call by itself if nobody names it. */
  #rootRows({ length, name, scope, texts }: SpanColumns): number[] {
    const names = new Map<number, boolean>();
    const rows: number[] = [];
    for (let row = 0; row < length; row++) {
      if (this.#groups.isLeftOut(row)) continue;
      let mayBe = names.get(name[row]!);
      if (mayBe === undefined)
        names.set(name[row]!, (mayBe = isCallRootName(texts.text(name[row]!))));
      if (mayBe && isCallRoot(scopeOf(texts.text(scope[row]!)).scope, texts.text(name[row]!)))
        rows.push(row);
    }
    return rows;
  }

  #finish(rowCount: number, rowIds: readonly number[]): CommitRows {
    const { sessionRow } = this.#groups;
    for (let row = 0; row < rowCount; row++) {
      const place = this.#sessionOf[row]!;
      if (place > 0) sessionRow[row] = rowIds[place - 1]!;
    }
    return this.#groups.rows(rowCount);
  }

  #trace(columns: SpanColumns, row: number, ports: IntakePorts): KnownTrace {
    const at = row * 32;
    const key = columns.ids.toString('latin1', at, at + 16);
    const known = this.#young.get(key) ?? this.#old.get(key);
    if (known) return known;
    const loaded = this.#load(columns, row, ports);
    this.#young.set(key, loaded);
    return loaded;
  }

  #load(columns: SpanColumns, row: number, ports: IntakePorts): KnownTrace {
    const known: KnownTrace = {
      session: undefined,
      rank: RANK_NONE,
      named: '',
      isStored: false,
    };
    const hash = traceHash(columns.idWords(), row * 8);
    for (const volume of ports.volumes()) {
      for (const part of volume.partsOf(hash, () => columns.traceId(row))) {
        known.isStored = true;
        const block = volume.spans.blockIn(part.commit);
        if (!block) continue;
        const stored = block.columns.idWords();
        for (let i = part.from; i < part.from + part.count; i++) this.#seen.keep(stored, i);
        if (part.sessionKey !== null) known.session = ports.nameOf(part.sessionKey);
      }
    }
    return known;
  }

  /** Call between commits: keeps memory bounded. */
  turnOver(): void {
    if (!this.#seen.turnOver()) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** After a commit that failed. */
  clear(): void {
    this.#seen.clear();
    this.#young.clear();
    this.#old.clear();
  }
}
