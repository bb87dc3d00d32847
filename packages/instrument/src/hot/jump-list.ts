// Where the hops of a stream stand, and where its media clock jumped, as anchors
// of the peer told: whoever has passed tick `at` goes on with tick `to`. Read by
// every hop of the stream, each in its own time, because a frame reaches the
// later hops after the anchor did.

/** A stream that jumps more often than this in a session is counted, not followed. */
export const JUMPS_MAX = 512;

/** Hops of a stream at most: as many as a session has. */
const STREAM_HOPS_MAX = 512;

export class JumpList {
  /**
   * The tick that each hop's next frame starts with. Side by side, and not in each hop: a hundred
   * calls mark more hops than a cache holds, and what a mark touches is what it costs.
   */
  readonly positions: Float64Array = new Float64Array(STREAM_HOPS_MAX + 1);
  #hopCount = 0;
  /** Jumps so far; rises only. */
  count = 0;

  readonly #at: Float64Array = new Float64Array(JUMPS_MAX);
  readonly #to: Float64Array = new Float64Array(JUMPS_MAX);

  /** A place in `positions` for one more hop; hops beyond the last one, whose marks are refused, share one. */
  claim(): number {
    if (this.#hopCount === STREAM_HOPS_MAX) return STREAM_HOPS_MAX;
    this.#hopCount = (this.#hopCount + 1) | 0;
    return this.#hopCount - 1;
  }

  /** Appends a jump; false if the list is full. */
  add(at: number, to: number): boolean {
    if (this.count === JUMPS_MAX) return false;
    this.#at[this.count] = at;
    this.#to[this.count] = to;
    this.count = (this.count + 1) | 0;
    return true;
  }

  at(index: number): number {
    return this.#at[index]!;
  }

  to(index: number): number {
    return this.#to[index]!;
  }
}
