// One commit in the making: what is new in a batch, and whose it is.

import type { SpanColumns } from '../../decode/span-columns.ts';
import type { DecodedFlush, DecodedLoad, MetricPoint } from '../../decode/types.ts';
import type { StoredSpan, TouchedSession } from '../store.ts';

export interface SessionName {
  readonly key: string;
  readonly id: string;
  readonly incarnation: number;
}

export interface TraceState {
  session: SessionName | undefined;
  /** By which key it was named in this batch, and what stood there. */
  rank: number;
  named: string;
  /** Spans of it were stored before this batch. */
  isStored: boolean;
  /** It is known whose it is: nothing has to be written. */
  isNamed: boolean;
}

export interface NewSpans {
  /** Rows that are new. */
  readonly rows: readonly number[];
  /** By row. */
  readonly traceIds: readonly string[];
  readonly traces: ReadonlyMap<string, TraceState>;
}

export interface Writing {
  readonly columns: SpanColumns;
  readonly spans: NewSpans;
  readonly draft: Draft;
  readonly points: readonly MetricPoint[];
  readonly loads: readonly DecodedLoad[];
}

/** A span stored before, that this commit gave to a session. */
export interface Adopted {
  readonly span: StoredSpan;
  readonly cameWith: number;
  readonly isWanted: boolean;
}

/** One commit in the making. */
export class Draft {
  readonly commit: number;
  readonly arrivalUnixNs: bigint;
  readonly touched: Map<string, TouchedSession> = new Map();
  readonly flushes: { readonly flush: DecodedFlush; readonly key: string }[] = [];
  readonly sessionOf: Map<number, SessionName> = new Map();
  readonly wanted: Set<number> = new Set();

  constructor(commit: number, arrivalUnixNs: bigint) {
    this.commit = commit;
    this.arrivalUnixNs = arrivalUnixNs;
  }

  get place(): { readonly commit: number; readonly arrivalUnixNs: bigint } {
    return { commit: this.commit, arrivalUnixNs: this.arrivalUnixNs };
  }
}
