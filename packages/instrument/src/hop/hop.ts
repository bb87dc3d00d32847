// What users put in a pipeline: `mic.hop('receive').mark(samples)`.

import { tick, type HopName, type Tick } from '@framescope/protocol';
import { isFrameLength, isTick, type HopProbe } from '../hot/hop-probe.ts';

/** What tells a hop from others of its name. */
export interface HopOptions {
  /** Declared predecessor, `role/hop` as in `agent/receive`. Absent: ordered by least transit. */
  readonly after?: string;
  /** 0 (default) for the first hop of that name in this process, 1 for the second, … */
  readonly nth?: number;
  /** The place this process reports for, when that place cannot: a carrier, a vendor. Default its own. */
  readonly role?: string;
}

/** Puts a mark with its time beside the ring. */
export type TimedMark = (startTick: number, samples: number, atNs: number) => void;

/**
 * One point that a stream's media passes in this process. Got from `stream.hop(name)`; safe to keep and
 * to call at any time: after the session's end its marks are refused and counted.
 */
export class Hop {
  /** Role, name and number of this hop. */
  readonly name: HopName;
  readonly #probe: HopProbe;
  readonly #markTimed: TimedMark;

  /** Made by `Stream.hop`. */
  constructor(name: HopName, probe: HopProbe, markTimed: TimedMark) {
    this.name = name;
    this.#probe = probe;
    this.#markTimed = markTimed;
  }

  /**
   * The next `samples` samples (per channel) of the stream left this hop now.
   *
   * Hot path: about 60 ns and no garbage. A count that is no whole number above 0 is counted as a
   * problem; a full ring refuses and counts. Never throws.
   */
  mark(samples: number): void {
    try {
      this.#probe.mark(samples);
    } catch {
      // Only an injected clock that breaks its word gets here.
      this.#probe.refuse();
    }
  }

  /**
   * Samples `startTick` to `startTick + samples` left this hop now: after a loss, late, or again.
   * `mark` goes on after the highest tick marked so far. Costs and refuses like `mark`.
   *
   * @param atNs When they left, ns on the scope's clock, if that was read elsewhere (some 200 ns, and
   *   garbage until the next flush).
   */
  markAt(startTick: number, samples: number, atNs?: number): void {
    try {
      if (atNs === undefined) this.#probe.markAt(startTick, samples);
      else this.#markWithTime(startTick, samples, atNs);
    } catch {
      this.#probe.refuse();
    }
  }

  #markWithTime(startTick: number, samples: number, atNs: number): void {
    if (!isFrameLength(samples) || !isTick(startTick) || !Number.isSafeInteger(Math.round(atNs))) {
      this.#probe.refuse();
      return;
    }
    this.#markTimed(startTick, samples, Math.round(atNs));
    this.#probe.advance(startTick, samples);
  }

  /** The tick that the next `mark` starts with. */
  get nextTick(): Tick {
    return tick(this.#probe.nextTick());
  }
}
