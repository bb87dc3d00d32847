// The flight recorder of one session: remembers a minute of rich samples, and
// hands over those around a range of media time when a trigger asks.
//
// Ticks find the time: the arrivals that lie in the range say from when to when
// it passed this process, on this process's own clock. So processes dump the
// same media without knowing each other's clocks.

import type { Trigger } from '@framescope/protocol';
import { FLIGHT_CAPACITY, FlightRing } from '../hot/flight-ring.ts';
import type { FlushedHop } from '../export/record-builder.ts';

const MEMORY_NS = 60_000_000_000;
/** Quantities of one session: four a stream and some of the user's own. */
const SERIES_MAX = 64;
/** Before and after the range: what led to it, what it led to. */
const MARGIN_NS = 250_000_000;
/** Samples in one dump: 15 s at the usual rate. */
const SAMPLES_MAX = 2_048;

/** One quantity, sampled: µs since the dump's `fromNs`, and what it was. */
export interface FlightSeries {
  readonly stream: string;
  /** `arrival agent/receive` (values are start ticks), `queue_depth`, `event_loop_lag_ms`, … */
  readonly name: string;
  readonly atUs: number[];
  readonly value: number[];
}

export interface FlightDump {
  /** Local time that the range took here; equal when none of it passed. */
  readonly fromNs: number;
  readonly toNs: number;
  readonly series: readonly FlightSeries[];
}

interface Series {
  readonly stream: string;
  readonly name: string;
  readonly isArrival: boolean;
}

export class FlightRecorder {
  /** Samples for which there was no series left, since construction. */
  refusedCount = 0;
  readonly #ring = new FlightRing(FLIGHT_CAPACITY);
  readonly #series: Series[] = [];
  readonly #codes = new Map<string, number>();
  /** By hop code: its series, or −1 where another hop of the stream tells the arrivals. */
  readonly #arrivals: number[] = [];

  /** Remembers that a quantity of a stream (or of the process: '') was `value` at `atNs`. */
  sample(stream: string, name: string, value: number, atNs: number): void {
    const code = this.#codeOf(stream, name, false);
    if (code < 0) this.refusedCount += 1;
    else this.#ring.push(atNs, code, value);
  }

  /** A new hop, in the order of their codes. The first of a stream tells its arrivals. */
  enrol(stream: string, hop: string): void {
    const isFirst = !this.#series.some(one => one.isArrival && one.stream === stream);
    this.#arrivals.push(isFirst ? this.#codeOf(stream, `arrival ${hop}`, true) : -1);
  }

  /** Takes the arrivals out of the marks of a flush. */
  take(hops: readonly FlushedHop[]): void {
    for (let hop = 0; hop < hops.length; hop++) {
      const code = this.#arrivals[hop] ?? -1;
      if (code < 0) continue;
      const { rows, count, late } = hops[hop]!;
      for (let row = 0; row < count; row++)
        this.#ring.push(rows.atNs[row]!, code, rows.startTick[row]!);
      for (const { atNs, startTick } of late) this.#ring.push(atNs, code, startTick);
    }
  }

  /** What was remembered of the range, and around it; `more` tells of the process as a whole. */
  dump(trigger: Trigger, nowNs: number, more: FlightRecorder | undefined): FlightDump {
    const window = this.#windowOf(trigger, nowNs);
    if (window === undefined) return { fromNs: nowNs, toNs: nowNs, series: [] };
    const [fromNs, toNs] = window;
    const series = this.#cut(fromNs, toNs);
    if (more !== undefined) series.push(...more.#cut(fromNs, toNs));
    return { fromNs, toNs, series };
  }

  /** When the ticks of the range passed here, with a margin. */
  #windowOf({ stream, fromTick, toTick }: Trigger, nowNs: number): [number, number] | undefined {
    const ring = this.#ring;
    let fromNs = Infinity;
    let toNs = -Infinity;
    for (let i = 0; i < ring.length; i++) {
      const slot = ring.slotOf(i);
      const series = this.#series[ring.series(slot)];
      if (series?.isArrival !== true || series.stream !== stream) continue;
      const at = ring.atNs(slot);
      const value = ring.value(slot);
      if (value < fromTick || value >= toTick || at < nowNs - MEMORY_NS) continue;
      fromNs = Math.min(fromNs, at);
      toNs = Math.max(toNs, at);
    }
    return toNs < fromNs ? undefined : [fromNs - MARGIN_NS, toNs + MARGIN_NS];
  }

  #cut(fromNs: number, toNs: number): FlightSeries[] {
    const ring = this.#ring;
    const cut = this.#series.map(({ stream, name }): FlightSeries => ({
      stream,
      name,
      atUs: [],
      value: [],
    }));
    let count = 0;
    for (let i = ring.length - 1; i >= 0 && count < SAMPLES_MAX; i--) {
      const slot = ring.slotOf(i);
      const at = ring.atNs(slot);
      if (at < fromNs || at > toNs) continue;
      const into = cut[ring.series(slot)]!;
      into.atUs.push(Math.round((at - fromNs) / 1_000));
      into.value.push(ring.value(slot));
      count += 1;
    }
    for (const { atUs, value } of cut) {
      atUs.reverse();
      value.reverse();
    }
    return cut.filter(({ atUs }) => atUs.length > 0);
  }

  #codeOf(stream: string, name: string, isArrival: boolean): number {
    const key = `${stream} ${name}`;
    const known = this.#codes.get(key);
    if (known !== undefined) return known;
    if (this.#series.length >= SERIES_MAX) return -1;
    const code = this.#series.push({ stream, name, isArrival }) - 1;
    this.#codes.set(key, code);
    return code;
  }
}
