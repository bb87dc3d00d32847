// A clock that is wrong on purpose: one machine has one monotonic clock, so
// demos and tests get their skew from here.

import { domainNs, NS_PER_MS, unixNs, type DomainNs } from '@framescope/protocol';
import type { Clock } from '../ports.ts';
import { ClockColumn } from './clock-column.ts';

/** How wrong a clock shall be. */
export interface SkewedClockOptions {
  /** How far its wall clock is ahead; default 0. */
  readonly offsetMs?: number;
  /** How fast it runs; 40 gains 40 µs a second. Default 0. */
  readonly driftPpm?: number;
  /** 16 hex digits; default made from the base clock's domain, so that it is another one. */
  readonly domain?: string;
}

/** Another domain with a zero of its own (where `base` stands now), `offsetMs` ahead, `driftPpm` fast. */
export function skewClock(base: Clock, options: SkewedClockOptions = {}): Clock {
  const startNs = base.now();
  const rate = 1 + (options.driftPpm ?? 0) / 1e6;
  const now = (): DomainNs => domainNs(Math.round((base.now() - startNs) * rate));
  const offsetNs = BigInt(Math.round((options.offsetMs ?? 0) * NS_PER_MS));
  return {
    domain: options.domain ?? otherDomain(base.domain, startNs),
    epoch: 0,
    zeroUnixNs: unixNs(base.zeroUnixNs + BigInt(Math.round(startNs)) + offsetNs),
    now,
    makeColumn: capacity => new ClockColumn(capacity, now),
  };
}

/** Two skewed clocks of one host must not share a domain: the start time goes into the name. */
function otherDomain(domain: string, startNs: number): string {
  const low = Math.floor(startNs % 2 ** 32);
  const high = (parseInt(domain.slice(0, 8), 16) ^ 0x5bd1e995) >>> 0;
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
