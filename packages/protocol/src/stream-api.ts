// What is answered of a stream beside its hops: what media stacks measured, where
// its axis bends, what came of it.

import type { MediaFigures } from './state.ts';

/** Figures of one stream in the processes of one role. */
export interface MediaDetail {
  readonly role: string;
  /** Intervals that were told, a second each. */
  readonly count: number;
  /** Counts added up, means over the intervals that knew them, the least of what is a least. */
  readonly total: MediaFigures;
  /** The last 120, oldest first, in session time. */
  readonly intervals: readonly {
    readonly startNs: number;
    readonly endNs: number;
    readonly figures: MediaFigures;
  }[];
}

/** Of each kind the last 500, and how many there are. */
export interface LineageDetail {
  readonly segmentCount: number;
  /** Sample n of the hop, counted by itself, lies at `tick` + ⌊(n − `sample`) × `ticks` / `samples`⌋. */
  readonly segments: readonly {
    readonly role: string;
    readonly hop: string;
    readonly nth: number;
    readonly sample: number;
    readonly tick: number;
    readonly samples: number;
    readonly ticks: number;
    readonly atNs: number;
  }[];
  readonly gapCount: number;
  /** Media that was made up, thrown away, or never sent; `hop` is `role/name`. */
  readonly gaps: readonly {
    readonly kind: 'conceal' | 'drop' | 'silence';
    readonly hop: string;
    readonly startTick: number;
    readonly endTick: number;
    readonly atNs: number;
  }[];
  readonly derivationCount: number;
  /** User: this text came from these ticks. Agent: these ticks came from this text. In order of ticks. */
  readonly derivations: readonly {
    readonly who: 'user' | 'agent';
    readonly fromTick: number;
    readonly toTick: number;
    readonly text: string;
    /** Where `text` begins in all that was said there, in characters. */
    readonly fromChar: number;
    readonly quality: 'exact' | 'reported' | 'inferred';
    readonly atNs: number;
  }[];
}
