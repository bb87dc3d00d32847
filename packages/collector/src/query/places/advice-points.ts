// Points of an advice: delays against underruns, and the gain over today with its
// interval. Utterances are resampled, not frames: one bad second is fifty bad
// frames, and they say as much as one.

import { NS_PER_MS, type AdvicePoint } from '@framescope/protocol';
import { seededRandom, Spread } from '../resample.ts';

const DRAWS = 60;
const QUANTILES = [0.5, 0.95, 0.99] as const;
/** Delays in bins of half a millisecond up to 3 s: adding up utterances is adding counts. */
const BIN_NS: number = NS_PER_MS / 2;
const BINS = 6_000;

/** What one setting did, an utterance at a time. */
export interface Tried {
  readonly setting: string;
  readonly policy: string;
  readonly valueNs: number;
  /** By utterance; NaN is left out. */
  readonly delaysNs: readonly Float64Array[];
  readonly underruns: number;
}

/** Bins that an utterance's frames are in, one entry a frame: there are fewer of them than bins. */
type Binned = Uint16Array;

export function pointOf(one: Tried, base: readonly Binned[] | undefined): AdvicePoint {
  const binned = one.delaysNs.map(binsOf);
  const all = sum(binned);
  const n = countOf(binned);
  let totalNs = 0;
  for (const delays of one.delaysNs) for (const ns of delays) if (!Number.isNaN(ns)) totalNs += ns;
  const at = (q: number): number => quantileOf(all, n, q);
  return {
    setting: one.setting,
    policy: one.policy,
    valueNs: one.valueNs,
    delayMeanNs: n === 0 ? 0 : Math.round(totalNs / n),
    delayP50Ns: at(0.5),
    delayP95Ns: at(0.95),
    delayP99Ns: at(0.99),
    underruns: one.underruns,
    underrunShare: one.underruns / Math.max(1, n + one.underruns),
    gain: base === undefined ? [] : gainOf(binned, base),
  };
}

function gainOf(after: readonly Binned[], before: readonly Binned[]): AdvicePoint['gain'] {
  const random = seededRandom(1);
  const spreads = QUANTILES.map(() => new Spread());
  const whole = differences(after, before);
  for (let draw = 0; draw < DRAWS && after.length > 1; draw++) {
    const picks = after.map(() => Math.floor(random() * after.length));
    const drawn = differences(
      picks.map(at => after[at]!),
      picks.map(at => before[at] ?? before[0]!),
    );
    for (const [i, ns] of drawn.entries()) spreads[i]!.add(ns);
  }
  return QUANTILES.map((q, i) => {
    const ns = whole[i]!;
    return { q, ns, ...(spreads[i]!.around(ns, DRAWS) ?? { lowNs: ns, highNs: ns }) };
  });
}

/** Positive: less delay than before. */
function differences(after: readonly Binned[], before: readonly Binned[]): number[] {
  const [a, b] = [sum(after), sum(before)];
  const [na, nb] = [countOf(after), countOf(before)];
  return QUANTILES.map(q => quantileOf(b, nb, q) - quantileOf(a, na, q));
}

function binsOf(delaysNs: Float64Array): Binned {
  const bins = new Uint16Array(delaysNs.length);
  let n = 0;
  for (const ns of delaysNs)
    if (!Number.isNaN(ns)) bins[n++] = Math.min(BINS - 1, Math.max(0, Math.floor(ns / BIN_NS)));
  return bins.subarray(0, n);
}

export const binnedOf = (tried: Tried): readonly Binned[] => tried.delaysNs.map(binsOf);

const countOf = (all: readonly Binned[]): number =>
  all.reduce((total, bins) => total + bins.length, 0);

function sum(all: readonly Binned[]): Uint32Array {
  const total = new Uint32Array(BINS);
  for (const bins of all) for (let i = 0; i < bins.length; i++) total[bins[i]!]!++;
  return total;
}

/** Middle of the bin that holds rank ceil(q·n). */
function quantileOf(counts: Uint32Array, n: number, q: number): number {
  let left = Math.ceil(q * n);
  if (n === 0) return 0;
  for (let bin = 0; bin < BINS; bin++) {
    left -= counts[bin]!;
    if (left <= 0) return Math.round((bin + 0.5) * BIN_NS);
  }
  return BINS * BIN_NS;
}
