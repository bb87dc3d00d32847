// A clock for cost figures: a mark stamps with the platform's own read, as in
// production; what the flush reads afterwards are the times of a real-time load.
//
// A bench that marks a second of load in some milliseconds would otherwise pack
// times that lie closer than any call's, and be flattered by it.

import type { Clock, TimeColumn } from '@framescope/instrument';

/** Answers when the n-th mark of a session was made, in ns since the clock's zero. */
export type Schedule = (mark: number) => number;

export function recordedClock(base: Clock, schedule: Schedule): Clock {
  return {
    domain: base.domain,
    epoch: 0,
    zeroUnixNs: base.zeroUnixNs,
    now: () => base.now(),
    makeColumn: capacity => new RecordedColumn(capacity, schedule),
  };
}

class RecordedColumn implements TimeColumn {
  readonly #ticks: BigUint64Array;
  readonly #halves: Uint32Array;
  readonly #schedule: Schedule;
  #readCount = 0;

  constructor(capacity: number, schedule: Schedule) {
    this.#ticks = new BigUint64Array(capacity);
    this.#halves = new Uint32Array(this.#ticks.buffer);
    this.#schedule = schedule;
  }

  stamp(slot: number): void {
    this.#ticks[slot] = process.hrtime.bigint();
  }

  read(slot: number): ReturnType<TimeColumn['read']> {
    // The stamp is read as in production (platform/node/time-column.ts); only what it says is replaced.
    const stamped = this.#halves[slot * 2 + 1]! * 0x100000000 + this.#halves[slot * 2]!;
    const mark = this.#readCount;
    this.#readCount += 1;
    return (stamped > 0 ? this.#schedule(mark) : 0) as ReturnType<TimeColumn['read']>;
  }
}
