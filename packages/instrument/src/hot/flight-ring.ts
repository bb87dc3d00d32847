// What a process remembers of the last minute of a session, sample by sample:
// arrivals, queue depths, jitter-buffer targets. Never sent, unless something
// goes wrong. Full, it forgets the oldest: that is what it is for.
//
//   slot      0       1       2
//   atNs      120…    140…    141…    Float64Array
//   series    0       0       3       Uint16Array: which quantity this is
//   value     320     640     2       Float64Array

/** 2^13 samples: 136 a second for 60 s; 147 kB a session. */
export const FLIGHT_CAPACITY: number = 1 << 13;

export class FlightRing {
  readonly #mask: number;
  readonly #atNs: Float64Array;
  readonly #series: Uint16Array;
  readonly #value: Float64Array;
  /** Samples ever written; the ring holds the last of them. */
  #count = 0;

  /** @param capacity Samples held; a power of two. */
  constructor(capacity: number) {
    this.#mask = capacity - 1;
    this.#atNs = new Float64Array(capacity);
    this.#series = new Uint16Array(capacity);
    this.#value = new Float64Array(capacity);
  }

  /** Samples held. */
  get length(): number {
    return this.#count <= this.#mask ? this.#count : this.#mask + 1;
  }

  /** Remembers one sample; forgets the oldest when full. */
  push(atNs: number, series: number, value: number): void {
    const slot = this.#count & this.#mask;
    this.#atNs[slot] = atNs;
    this.#series[slot] = series;
    this.#value[slot] = value;
    // Stays below 2^31: what counts is the slot, and that the ring is full.
    this.#count = this.#count === 0x7fffffff ? this.#mask + 1 : (this.#count + 1) | 0;
  }

  /** Slot of the `index`-th oldest sample, from 0 to `length`. */
  slotOf(index: number): number {
    return this.#count <= this.#mask ? index : (this.#count + index) & this.#mask;
  }

  atNs(slot: number): number {
    return this.#atNs[slot]!;
  }

  series(slot: number): number {
    return this.#series[slot]!;
  }

  value(slot: number): number {
    return this.#value[slot]!;
  }
}
