// A question that can be read but not be answered: 400, with what to ask instead.

export class QueryProblem extends Error {
  override readonly name = 'QueryProblem';
  /** Stable; crosses threads, where a class does not. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
