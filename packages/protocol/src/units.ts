// Units of time and audio, as types. A bare `number` never crosses a package
// boundary: it is one of these, and the name of the field repeats the unit.
//
// Two time brands keep raw and corrected time apart. `DomainNs` is what a
// process read on its own clock; `SessionNs` is that reading moved onto the
// collector's clock, counted from the session's zero. Only the collector's
// offset function turns one into the other.

declare const unit: unique symbol;
type Unit<Name extends string> = { readonly [unit]: Name };

/** Whole nanoseconds since the zero of one clock domain's epoch, uncorrected. Exact for 104 days. */
export type DomainNs = number & Unit<'DomainNs'>;

/** Whole nanoseconds since the session's zero, on the collector's clock. Exact for 104 days. */
export type SessionNs = number & Unit<'SessionNs'>;

/** A length of time in whole nanoseconds. Negative when two clocks disagree. */
export type DurationNs = number & Unit<'DurationNs'>;

/** Nanoseconds since 1970-01-01T00:00:00Z. Wire and storage only: it does not fit in a double. */
export type UnixNs = bigint & Unit<'UnixNs'>;

/** A position on a stream's media clock: samples since its first one. */
export type Tick = number & Unit<'Tick'>;

export const NS_PER_US = 1_000;
export const NS_PER_MS = 1_000_000;
export const NS_PER_S = 1_000_000_000;

/** Names a number as raw domain time. The caller vouches for unit and zero. */
export const domainNs = (value: number): DomainNs => value as DomainNs;

/** Names a number as corrected session time. The caller vouches for unit and zero. */
export const sessionNs = (value: number): SessionNs => value as SessionNs;

/** Names a number as a duration in nanoseconds. */
export const durationNs = (value: number): DurationNs => value as DurationNs;

/** Names a bigint as Unix time. */
export const unixNs = (value: bigint): UnixNs => value as UnixNs;

/** Names a number as a media position. */
export const tick = (value: number): Tick => value as Tick;

/** Time from `start` to `end` on one clock; negative if `end` is earlier. */
export const between = <T extends DomainNs | SessionNs>(start: T, end: T): DurationNs =>
  (end - start) as DurationNs;

/** Places session time on the wall clock. `zero` is the session's zero. */
export const toUnixNs = (at: SessionNs, zero: UnixNs): UnixNs =>
  (zero + BigInt(Math.round(at))) as UnixNs;

/** How long `ticks` samples last at `sampleRate` hertz, rounded to a nanosecond. */
export const ticksToNs = (ticks: number, sampleRate: number): DurationNs =>
  Math.round((ticks * NS_PER_S) / sampleRate) as DurationNs;
