// Where marks go that leave their ring: the same columns, read by the flush. A page
// loads it with what sends; the ring is there from the start.

/** Rows moved out of a ring, made once and used again; those past the count of `drain` are stale. */
export class MarkRows {
  readonly capacity: number;
  readonly atNs: Float64Array;
  readonly startTick: Float64Array;
  readonly samples: Int32Array;
  readonly hop: Uint16Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.atNs = new Float64Array(capacity);
    this.startTick = new Float64Array(capacity);
    this.samples = new Int32Array(capacity);
    this.hop = new Uint16Array(capacity);
  }
}
