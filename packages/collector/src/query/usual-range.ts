// How long a part usually takes at most: what lies beyond is out of its usual range.
//
// The slowest waits are slow by choice: in each of them something was longer than its mean, and
// most of all what varies most. That alone is no cause. A cause is a part that, in the slow ones,
// left the range in which it lies otherwise.
//
//   two kinds    ▂▅█▆▃          ▂▃▂     where values fall into two heaps that stand apart, the smaller
//                       ↑               one above: beyond the valley is unusual, however wide the heaps
//
//   else: lower half   ├── p10 ── median ┤   its spread, told off by the half that no slow case touches
//         limit                          ├──────── 2.7 σ ────────┤ ▪ ▪   ▪   beyond: unusual
//
// Two kinds come first: where a third of all waits are slow, the median of all lies high among the
// usual ones, and a range from there is as wide as the trouble. Heaps stand apart when their medians
// are four deviations from each other (by median deviations, which a stray value does not move). No
// single heap looks so in one of a hundred samples of 130, bell, skewed, exponential or flat alike.
// More than two in five are no exception but another kind of usual: a buffer that has grown.
//
// The range is on a log scale, as latencies spread; on a plain one where a tenth of the waits have none of the
// part. 2.7 σ is where Tukey's fences stand on a normal spread: 7 of 1,000 lie beyond, on both sides
// together. The lower half is as it is while up to half of the waits are slow.

/** Quantiles of more rows than these are those of a sample of so many. */
const SAMPLE_MAX = 20_000;
/** Standard deviations between median and p10 of a normal distribution. */
const P10_SIGMAS = 1.281552;
const FENCE_SIGMAS = 2.698;
/** A standard deviation in median absolute deviations, of a normal distribution. */
const MADS = 1.4826;
const APART_SIGMAS = 4;
/** Of all waits, those of the slow kind. */
const KIND_MIN = 0.1;
const KIND_MAX = 0.4;
/** Fewer values than this make no heap. */
const KIND_COUNT_MIN = 5;

/** In ns; values that are not numbers count as 0: the wait had none of the part. */
export function usualLimit(valueNs: Float64Array, rows: Int32Array): number {
  const step = Math.max(1, Math.floor(rows.length / SAMPLE_MAX));
  const sample = new Float64Array(Math.ceil(rows.length / step));
  for (let i = 0; i < sample.length; i++) {
    const value = valueNs[rows[i * step]!]!;
    sample[i] = Number.isNaN(value) ? 0 : value;
  }
  sample.sort();
  const valley = valleyOf(sample);
  if (valley !== undefined) return valley;
  const at = (q: number): number => sample[Math.floor(q * (sample.length - 1))] ?? 0;
  const median = at(0.5);
  const low = at(0.1);
  if (median <= 0) return 0;
  if (low <= 0) return median + ((median - low) / P10_SIGMAS) * FENCE_SIGMAS;
  return median * (median / low) ** (FENCE_SIGMAS / P10_SIGMAS);
}

/** Between two heaps that stand apart, of which the upper is the smaller; undefined: there are no two. */
function valleyOf(sorted: Float64Array): number | undefined {
  const n = sorted.length;
  const least = Math.max(KIND_COUNT_MIN, Math.ceil(n * KIND_MIN));
  if (n < 2 * least) return undefined;
  const cut = bestCut(sorted, least);
  if (n - cut > n * KIND_MAX) return undefined;
  const [lower, upper] = [sorted.subarray(0, cut), sorted.subarray(cut)];
  const spread = Math.hypot(deviation(lower), deviation(upper)) / Math.SQRT2;
  if (middle(upper) - middle(lower) < APART_SIGMAS * spread) return undefined;
  return (sorted[cut - 1]! + sorted[cut]!) / 2;
}

/** Where two groups lie closest round their own medians: the sum of distances is least. */
function bestCut(sorted: Float64Array, least: number): number {
  const n = sorted.length;
  const sums = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) sums[i + 1] = sums[i]! + sorted[i]!;
  const distances = (from: number, end: number): number => {
    const at = (from + end - 1) >> 1;
    const median = sorted[at]!;
    const below = median * (at - from) - (sums[at]! - sums[from]!);
    return below + (sums[end]! - sums[at]!) - median * (end - at);
  };
  let cut = least;
  let best = Infinity;
  for (let at = least; at <= n - least; at++) {
    const sum = distances(0, at) + distances(at, n);
    if (sum >= best) continue;
    best = sum;
    cut = at;
  }
  return cut;
}

const middle = (sorted: Float64Array): number => sorted[(sorted.length - 1) >> 1]!;

/** By the median distance from the median: stray values do not move it. */
function deviation(sorted: Float64Array): number {
  const median = middle(sorted);
  return MADS * middle(sorted.map(value => Math.abs(value - median)).sort());
}
