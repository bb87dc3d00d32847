// What is answered about programs whose telemetry was recognised: the parts of
// `SessionDetail` and `Wait` that only they fill.

/** One program. */
export interface SourceDetail {
  readonly name: string;
  readonly turnCount: number;
  /** What was not understood or not plotted, and why; one sentence each. */
  readonly notes: readonly string[];
}

/** A framework's own figure, kept beside ours and explained. */
export interface ReportedWait {
  /** Who reports it, and the attribute it stood in. */
  readonly source: string;
  readonly name: string;
  readonly valueNs: number;
  /** Between which two moments the framework takes it. */
  readonly meaning: string;
  /** Ours minus theirs; null where ours is only "at least so long". */
  readonly differenceNs: number | null;
  /** How much of ours lies outside those two moments: the difference, explained. Null: not known. */
  readonly outsideNs: number | null;
}
