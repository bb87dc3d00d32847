// Nothing in this package throws into the user's audio code. What goes wrong is
// counted by its code, and told once a code through `onProblem`.

import type { Problem } from './ports.ts';

/** Codes are ours, so there are few; a bound all the same. */
const CODES_MAX = 64;

interface Within {
  readonly counts: Map<string, number>;
  readonly alsoTo: (code: string, count: number) => void;
}

export class Problems {
  readonly #counts: Map<string, number>;
  readonly #tell: ((problem: Problem) => void) | undefined;
  readonly #alsoTo: ((code: string, count: number) => void) | undefined;

  constructor(tell: ((problem: Problem) => void) | undefined, within?: Within) {
    this.#tell = typeof tell === 'function' ? tell : undefined;
    this.#counts = within?.counts ?? new Map<string, number>();
    this.#alsoTo = within?.alsoTo;
  }

  /** The same counts, and each report also to `alsoTo`: a session tells the collector of its own. */
  within(alsoTo: (code: string, count: number) => void): Problems {
    return new Problems(this.#tell, { counts: this.#counts, alsoTo });
  }

  /** Counts a problem, and tells it if it is the first of its code. */
  report(code: string, message: string, count = 1): void {
    this.#alsoTo?.(code, count);
    const before = this.#counts.get(code) ?? 0;
    if (before === 0 && this.#counts.size >= CODES_MAX) return;
    this.#counts.set(code, before + count);
    if (before > 0 || this.#tell === undefined) return;
    try {
      const answer: unknown = this.#tell({ code, message, count });
      // An async handler is not waited for; what it throws is not left unhandled either.
      if (answer instanceof Promise) answer.catch(() => this.#handlerThrew());
    } catch {
      this.#handlerThrew();
    }
  }

  /** The user's own handler: telling that through it would go on for ever. */
  #handlerThrew(): void {
    this.#counts.set('on_problem_threw', (this.#counts.get('on_problem_threw') ?? 0) + 1);
  }

  /** How often each problem happened since the start. */
  counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Runs `work`; what it throws becomes a problem, and `otherwise` the result: nothing, if absent. */
  guard<T>(where: string, work: () => T, otherwise: () => T): T;
  guard<T>(where: string, work: () => T): T | undefined;
  guard<T>(where: string, work: () => T, otherwise?: () => T): T | undefined {
    try {
      return work();
    } catch (cause) {
      this.report('internal', `${where}: ${textOf(cause)}; please report this`);
      return otherwise?.();
    }
  }
}

/** The text of anything thrown, without trusting it. */
export function textOf(cause: unknown): string {
  try {
    return cause instanceof Error ? cause.message : String(cause);
  } catch {
    return 'something that cannot be printed';
  }
}
