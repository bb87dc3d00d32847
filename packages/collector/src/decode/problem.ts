// How decoders say what is wrong: thrown inside this folder, never out of it.
//
// A body has problems of two sizes. A body that cannot be read is refused
// whole (400); one bad span in a readable body is refused alone (partial
// success). Both carry the path of the problem.

/** The whole body cannot be read. */
export class BodyProblem extends Error {
  override readonly name = 'BodyProblem';
  readonly path: string;

  constructor(path: string, problem: string) {
    super(problem);
    this.path = path;
  }
}

/** One span is bad; the body around it was readable. */
export class SpanProblem extends Error {
  override readonly name = 'SpanProblem';
  /** Within the span, e.g. `attributes[2].value`. */
  readonly path: string;
  /** A stable word for counting. */
  readonly reason: string;

  constructor(path: string, reason: string, problem: string) {
    super(problem);
    this.path = path;
    this.reason = reason;
  }
}
