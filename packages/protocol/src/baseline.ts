// Which frames are promoted to tell what is usual.

/** One frame in so many is promoted to tell what is usual; its span carries this as its weight. */
export const BASELINE_WEIGHT = 1_000;

/**
 * Whether the frame that begins at `tick` is one of them: the same in every process. By the high
 * bits of a multiplicative hash: frames stand at multiples of their size, which the low bits keep.
 */
export const isBaselineTick = (tick: number): boolean =>
  Math.imul(tick, 0x9e3779b1) >>> 0 < BASELINE_HASH_END;

const BASELINE_HASH_END = 2 ** 32 / BASELINE_WEIGHT;
