// From which commit on a session was heard of, in flushes and in spans: what is read of it
// again is whole only if it begins no later. Retention may have taken its first volume since.

import type { RawSession } from '../store/store.ts';

type Commits = readonly { readonly commit: number }[];

const first = (all: Commits): number =>
  all.reduce((least, one) => Math.min(least, one.commit), Infinity);

export class FirstCommits {
  #flush = Infinity;
  #tally = Infinity;

  note({ flushes, tallies }: { readonly flushes: Commits; readonly tallies: Commits }): void {
    this.#flush = Math.min(this.#flush, first(flushes));
    this.#tally = Math.min(this.#tally, first(tallies));
  }

  /** Everything from the first that was heard of it on. */
  areIn({ flushes, tallies }: RawSession): boolean {
    return first(flushes) <= this.#flush && first(tallies) <= this.#tally;
  }
}
