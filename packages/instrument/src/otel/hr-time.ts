import type { HrTime } from '@opentelemetry/api';

const NS_PER_S = 1_000_000_000n;

/** Unix ns as OpenTelemetry's `[seconds, nanoseconds]`: the one form of its API that is exact. */
export const hrTimeOf = (unixNs: bigint): HrTime => [
  Number(unixNs / NS_PER_S),
  Number(unixNs % NS_PER_S),
];
