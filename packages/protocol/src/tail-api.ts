// What the collector answers about a tail: what is different inside it, what would
// change it, and two ranges beside each other. Continues query-api.ts.

import type { MeasureInfo, QuantileIntervals, Quantiles } from './query-api.ts';

// GET /api/v1/tail/why?measure&from&to&minNs&maxNs&insideFrom&insideTo&filter -> TailWhy  (what is different about these)
//
// Inside: the values of the box (`minNs` to `maxNs`, `insideFrom` to `insideTo`); outside: all others
// of `from` to `to` that pass `filter`. Without a box: the slowest twentieth (p95 and above), of fewer than
// 600 turns the slowest 30 and no more than a quarter.

export interface TailWhy {
  readonly measure: MeasureInfo;
  readonly fromUnixNs: string;
  readonly toUnixNs: string;
  readonly inside: TurnsInCalls;
  readonly outside: TurnsInCalls;
  /** Least value inside, ns. */
  readonly fromValueNs: number;
  /** Set when nothing may be concluded (below 30 values or 5 calls inside): the reason in words. */
  readonly tooFew: string | null;
  /** Of the wait itself, among turns with parts; its `deltaNs` is the sum of the parts'. */
  readonly total: TailDifference;
  /** Largest difference first. Empty for measures of frames. */
  readonly parts: readonly TailPart[];
  /** Most telling first. */
  readonly attributes: readonly TailAttribute[];
  /** The first cause, or why there is none. */
  readonly verdict: {
    /** `session`: most of the slow turns are of one call. */
    readonly kind: 'part' | 'attribute' | 'session' | 'none';
    /** Of the part, the attribute or the session; empty for none. `network`: uplink, downlink and jitter buffer together. */
    readonly name: string;
    /** Of the attribute; the key of the session; else null. */
    readonly value: string | null;
    /** Other parts that left their usual range in the slow ones. */
    readonly with: readonly string[];
    readonly text: string;
  };
  /**
   * Present where there were too many turns to read each: `total`, `parts` and counts are of all; attributes,
   * verdict and `unusual` are told from so many whole calls of those there are, all of which `outside` counts.
   */
  readonly sample?: { readonly sessions: number; readonly of: number };
}

/** "41 turns in 9 calls". */
export interface TurnsInCalls {
  readonly turns: number;
  readonly sessions: number;
}

/** `deltaNs` = `meanInNs` − `meanAllNs`; the interval (95 of 100) resamples sessions, not turns. */
export interface TailDifference {
  readonly meanInNs: number;
  readonly meanAllNs: number;
  readonly meanOutNs: number;
  readonly deltaNs: number;
  readonly lowNs: number | null;
  readonly highNs: number | null;
}

export interface TailPart extends TailDifference {
  readonly name: string;
  /** `network` for uplink, downlink and jitter_buffer, which absorb each other: shares may be negative. */
  readonly group: string | null;
  /** Of the total's difference; not clamped. */
  readonly share: number;
  /** Turns inside in which it was longer than it usually is at most (the valley between two heaps of values that stand apart, else median + 2.7 σ of the lower half, on a log scale). */
  readonly unusual: number;
}

export interface TailAttribute {
  readonly name: string;
  readonly value: string;
  readonly inside: number;
  readonly insideOf: number;
  readonly outside: number;
  readonly outsideOf: number;
  /** Natural logarithm of the odds ratio with its 95 % bounds, in calls of mean length, half a call added to each cell. */
  readonly logOdds: number;
  readonly low: number;
  readonly high: number;
  readonly insideSessions: number;
  /** No more than one in a hundred deals of the values to other calls would show any as telling as this. */
  readonly isSure: boolean;
}

// GET /api/v1/tail/whatif?measure&from&to&filter&part&byNs -> WhatIf

export interface WhatIf {
  readonly measure: MeasureInfo;
  readonly part: string;
  readonly byNs: number;
  /** Why the question cannot be answered; then `after` repeats `before`. */
  readonly refused: string | null;
  readonly before: Quantiles;
  readonly after: Quantiles;
  /** Waits whose graph could not say what the part saves: left as they are. */
  readonly unknownCount: number;
  readonly changedCount: number;
  /** For `endpointing`: pauses of the user that would have been taken for the end. null: none are recorded. */
  readonly cutOffs: { readonly turns: number; readonly of: number } | null;
}

// GET /api/v1/tail/cutoffs?from&to&filter -> CutOffs  (turns ended too early: the user went on within 1.5 s)

export interface CutOffs {
  readonly turns: number;
  readonly of: number;
  readonly sessions: number;
  readonly items: readonly {
    readonly sessionKey: string;
    readonly tick: number;
    readonly atUnixNs: string;
    readonly gapNs: number;
  }[];
}

// GET /api/v1/compare?measure&aFrom&aTo&aFilter&bFrom&bTo&bFilter -> Comparison

export interface Comparison {
  readonly measure: MeasureInfo;
  readonly a: ComparedRange;
  readonly b: ComparedRange;
  /** b − a; bounds (95 of 100) by resampling sessions, null where either may not be quoted. */
  readonly changes: readonly {
    readonly quantile: 'p50' | 'p95' | 'p99' | 'p999';
    readonly aNs: number | null;
    readonly bNs: number | null;
    readonly deltaNs: number | null;
    readonly lowNs: number | null;
    readonly highNs: number | null;
  }[];
  /** Largest gap between the two distribution functions (0–1), where it is, and its bounds by sessions. */
  readonly distance: {
    readonly gap: number;
    readonly atNs: number | null;
    /** The gap that two halves of the same calls show in 95 of 100 draws: below it nothing changed. */
    readonly noise: number | null;
  };
  /** Means of the parts; waits only. Largest move first. */
  readonly parts: readonly {
    readonly name: string;
    readonly aMeanNs: number;
    readonly bMeanNs: number;
    readonly deltaNs: number;
    readonly lowNs: number | null;
    readonly highNs: number | null;
  }[];
  /** Counts by the rows of a heatmap: row r is (2^((rowMin+r)/2^scale), 2^((rowMin+r+1)/2^scale)] seconds. */
  readonly distribution: {
    readonly scale: number;
    readonly rowMin: number;
    readonly a: readonly number[];
    readonly b: readonly number[];
  };
}

export interface ComparedRange {
  readonly fromUnixNs: string;
  readonly toUnixNs: string;
  readonly filter: string;
  readonly count: TurnsInCalls;
  readonly quantiles: Quantiles;
  readonly intervals: QuantileIntervals;
  readonly overBudget: number;
}

// GET /api/v1/filter/vocabulary?for=sessions|turns|traces&from&to -> FilterVocabulary

export interface FilterVocabulary {
  /** Most used first. */
  readonly keys: readonly FilterKey[];
}

export interface FilterKey {
  readonly name: string;
  readonly kind: 'text' | 'duration' | 'count' | 'flag';
  /** What it means, or `session attribute`. */
  readonly help: string;
  /** Most frequent first, at most 50; count in sessions. */
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

// GET /api/v1/annotations?from&to -> { items: Annotation[] };  POST /api/v1/annotations, body AnnotationInput -> Annotation

/** A deploy, an incident: a mark on the time axis. */
export interface Annotation extends AnnotationInput {
  readonly id: string;
}

export interface AnnotationInput {
  readonly atUnixNs: string;
  /** null: a point in time. */
  readonly endUnixNs: string | null;
  /** `deploy`, `incident`, `note`. */
  readonly kind: string;
  readonly text: string;
  readonly attributes: Readonly<Record<string, string>>;
}
