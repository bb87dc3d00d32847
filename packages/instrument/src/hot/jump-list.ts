// Where a stream's media clock jumped, as anchors of the peer told: whoever has
// passed tick `at` goes on with tick `to`. Read by every hop of the stream, each
// in its own time, because a frame reaches the later hops after the anchor did.

/** A stream that jumps more often than this in a session is counted, not followed. */
export const JUMPS_MAX = 512;

export class JumpList {
  /** Jumps so far; rises only. */
  count = 0;

  readonly #at: Float64Array = new Float64Array(JUMPS_MAX);
  readonly #to: Float64Array = new Float64Array(JUMPS_MAX);

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
