// Which rows assembly wants to see, from the texts they have; and all of them counted.

import type { Attributes } from '@framescope/protocol';
import type { SpanColumns } from '../decode/span-columns.ts';
import { wantsKey, wantsName, wantsScope } from '../recognise/interest.ts';
import { scopeOf } from '../decode/scope.ts';
import type { SpanTally } from './store.ts';

const wantsScopeText = (text: string): boolean => wantsScope(scopeOf(text).scope);

const UNKNOWN = 0;
const WANTED = 1;
const NOT_WANTED = 2;

/** Remembers what was said of each text, as long as the columns remember the text. */
export class WantedRows {
  #scopes = new Uint8Array(1_024);
  #names = new Uint8Array(1_024);
  #keys = new Uint8Array(1_024);
  #clearedCount = -1;
  #columns: SpanColumns | undefined;

  begin(columns: SpanColumns): void {
    const isSame = columns === this.#columns && columns.texts.clearedCount === this.#clearedCount;
    if (isSame && this.#keys.length >= columns.texts.count) return;
    this.#columns = columns;
    this.#clearedCount = columns.texts.clearedCount;
    const size = Math.max(1_024, columns.texts.count * 2);
    this.#scopes = new Uint8Array(size);
    this.#names = new Uint8Array(size);
    this.#keys = new Uint8Array(size);
  }

  has(row: number): boolean {
    const columns = this.#columns!;
    if (this.#ask(this.#scopes, columns.scope[row]!, wantsScopeText)) return true;
    if (this.#ask(this.#names, columns.name[row]!, wantsName)) return true;
    const to = columns.attrEnd[row]!;
    for (let i = row === 0 ? 0 : columns.attrEnd[row - 1]!; i < to; i++)
      if (this.#ask(this.#keys, columns.attrKey[i]!, wantsKey)) return true;
    return false;
  }

  #ask(known: Uint8Array, text: number, wants: (text: string) => boolean): boolean {
    if (known[text] === UNKNOWN)
      known[text] = wants(this.#columns!.texts.text(text)) ? WANTED : NOT_WANTED;
    return known[text] === WANTED;
  }
}

/** As many as a session's page lists, and some more. */
const TRACES_MAX = 256;

class Draft {
  count = 0;
  errorCount = 0;
  first = 0;
  last = 0;
  /** Of the row before. */
  trace = -1;
  /** A row of each trace. */
  readonly traceRows: number[] = [];
}

/** Counts spans by session and resource. */
export class SpanTallies {
  readonly #drafts = new Map<number, Draft>();
  readonly #columns: SpanColumns;
  readonly #sessionCount: number;
  /** The draft of the row before: the next one mostly goes there too. */
  #key = -1;
  #draft = new Draft();

  /** `sessionCount`: one more than the highest number of a session. */
  constructor(columns: SpanColumns, sessionCount: number) {
    this.#columns = columns;
    this.#sessionCount = sessionCount;
  }

  /** `session` and `trace`: small numbers of the caller's. */
  add(row: number, session: number, trace: number): void {
    const columns = this.#columns;
    const key = columns.resource[row]! * this.#sessionCount + session;
    if (key !== this.#key) this.#turnTo(key, row);
    const draft = this.#draft;
    draft.count++;
    if (columns.status[row] === 2) draft.errorCount++;
    if (isBefore(columns.startHi, columns.startLo, row, draft.first)) draft.first = row;
    if (isBefore(columns.endHi, columns.endLo, draft.last, row)) draft.last = row;
    if (trace === draft.trace) return;
    draft.trace = trace;
    draft.traceRows.push(row);
  }

  #turnTo(key: number, row: number): void {
    let draft = this.#drafts.get(key);
    if (!draft) {
      draft = new Draft();
      draft.first = draft.last = row;
      this.#drafts.set(key, draft);
    }
    this.#key = key;
    this.#draft = draft;
  }

  /** `keyOf` answers the session key of a session's number. */
  finish(
    commit: Pick<SpanTally, 'arrivalUnixNs' | 'commit'>,
    keyOf: (session: number) => string | undefined,
  ): SpanTally[] {
    const columns = this.#columns;
    return [...this.#drafts].flatMap(([key, draft]) => {
      const sessionKey = keyOf(key % this.#sessionCount);
      if (sessionKey === undefined) return [];
      const resource: Attributes = columns.resources[columns.resource[draft.first]!]!.of.attributes;
      const traceIds = draft.traceRows.slice(-TRACES_MAX).map(row => columns.traceId(row));
      return {
        sessionKey,
        traceIds: [...new Set(traceIds)],
        resource,
        count: draft.count,
        errorCount: draft.errorCount,
        startUnixNs: columns.startUnixNs(draft.first),
        endUnixNs: columns.endUnixNs(draft.last),
        ...commit,
      };
    });
  }
}

function isBefore(hi: Uint32Array, lo: Uint32Array, row: number, other: number): boolean {
  return hi[row]! < hi[other]! || (hi[row] === hi[other] && lo[row]! < lo[other]!);
}
