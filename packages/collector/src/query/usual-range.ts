// How long a part usually takes at most: what lies beyond is out of its usual range.
//
// The slowest waits are slow by choice: in each of them something was longer than its mean, and
// most of all what varies most. That alone is no cause. A cause is a part that, in the slow ones,
// left the range in which it lies otherwise.
//
//   lower half   ├── p10 ── median ┤   its spread, told off by the half that no slow case touches
//   limit                          ├──────── 2.7 σ ────────┤ ▪ ▪   ▪   beyond: unusual
//
// On a log scale, as latencies spread; on a plain one where a tenth of the waits have none of the
// part. 2.7 σ is where Tukey's fences stand on a normal spread: 7 of 1,000 lie beyond, on both sides
// together. The lower half is as it is while up to half of the waits are slow.

/** Quantiles of more rows than these are those of a sample of so many. */
const SAMPLE_MAX = 20_000;
/** Standard deviations between median and p10 of a normal distribution. */
const P10_SIGMAS = 1.281552;
const FENCE_SIGMAS = 2.698;

/** In ns; values that are not numbers count as 0: the wait had none of the part. */
export function usualLimit(valueNs: Float64Array, rows: Int32Array): number {
  const step = Math.max(1, Math.floor(rows.length / SAMPLE_MAX));
  const sample = new Float64Array(Math.ceil(rows.length / step));
  for (let i = 0; i < sample.length; i++) {
    const value = valueNs[rows[i * step]!]!;
    sample[i] = Number.isNaN(value) ? 0 : value;
  }
  sample.sort();
  const at = (q: number): number => sample[Math.floor(q * (sample.length - 1))] ?? 0;
  const median = at(0.5);
  const low = at(0.1);
  if (median <= 0) return 0;
  if (low <= 0) return median + ((median - low) / P10_SIGMAS) * FENCE_SIGMAS;
  return median * (median / low) ** (FENCE_SIGMAS / P10_SIGMAS);
}
