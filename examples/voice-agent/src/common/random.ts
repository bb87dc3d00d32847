// Seeded randomness: the same seed gives the same call again.

/** Uniform in [0, 1). */
export type Random = () => number;

const UINT32 = 2 ** 32;

/** A generator of its own for each (seed, purpose): drawing from one never moves another. */
export function randomFrom(seed: number, ...purpose: readonly (string | number)[]): Random {
  let state = hash32(`${seed}/${purpose.join('/')}`);
  // mulberry32: 32 bits of state, ample for a few thousand draws a call.
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / UINT32;
  };
}

/** FNV-1a with a final mix, so that neighbouring seeds do not give neighbouring states. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Standard normal (Box–Muller; one of the pair is thrown away). */
export function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

/** Mean `meanMs`; its 95th percentile is three times that. */
export function exponentialMs(random: Random, meanMs: number): number {
  return -meanMs * Math.log(1 - random());
}

export interface HeavyTail {
  readonly medianMs: number;
  /** Of the body: sigma of the logarithm. */
  readonly sigma: number;
  /** Share of draws that come from the tail instead. */
  readonly tailShare: number;
  /** Pareto exponent of the tail, which begins at three medians. Under 2: infinite variance. */
  readonly tailAlpha: number;
  /** No draw is longer: a client would have given up. */
  readonly maxMs: number;
}

/** A log-normal body with a Pareto tail: what response times of model services look like. */
export function heavyTailMs(random: Random, shape: HeavyTail): number {
  const isTail = random() < shape.tailShare;
  const value = isTail
    ? 3 * shape.medianMs * (1 - random()) ** (-1 / shape.tailAlpha)
    : shape.medianMs * Math.exp(shape.sigma * normal(random));
  return Math.min(value, shape.maxMs);
}
