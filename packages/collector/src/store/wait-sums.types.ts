// Waits as the engine adds them up, where it does: what is asked and what comes back.

import type { UnixRange } from './store.ts';

export interface WaitSumsAsked {
  readonly measure: string;
  readonly range: UnixRange;
  /** About how many calls there are. */
  readonly sessionCount: number;
  /** What is inside: values above `minNs` up to `maxNs`, waits that start in the range. */
  readonly box?: {
    readonly minNs?: number;
    readonly maxNs?: number;
    readonly fromUnixNs?: bigint;
    readonly toUnixNs?: bigint;
  };
  /** Without a box: how many of the slowest are inside, by how many there are (1-based rank of the first). */
  readonly rankOfFirst: (count: number) => number;
}

/** Waits of one measure added up over groups of whole calls. */
export interface WaitSums {
  /** The box that was used. */
  readonly minNs: number;
  readonly maxNs: number;
  /** Least value inside; Infinity: nothing is. */
  readonly fromValueNs: number;
  readonly inside: { readonly turns: number; readonly sessions: number };
  /** Of many calls `sessions` is how many there are at all. */
  readonly outside: { readonly turns: number; readonly sessions: number };
  readonly parts: readonly string[];
  readonly groups: number;
  /** `known`: waits that have parts; `sumNs`: of each part, by its place in `parts`. */
  readonly rows: readonly {
    readonly group: number;
    readonly isInside: boolean;
    readonly known: number;
    readonly sumNs: readonly number[];
  }[];
}
