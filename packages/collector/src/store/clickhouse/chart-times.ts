// Times of a range as parameters of statements.

const INT64_MAX = 2n ** 63n - 1n;

/** As a parameter; absent bounds are those of time. */
export function timeOf(unixNs: bigint | undefined, isEnd = false): string {
  if (unixNs === undefined) return isEnd ? String(INT64_MAX) : String(-INT64_MAX);
  return String(unixNs > INT64_MAX ? INT64_MAX : unixNs < -INT64_MAX ? -INT64_MAX : unixNs);
}
