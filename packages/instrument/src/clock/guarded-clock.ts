// A clock that was handed in, kept from throwing: whatever it does, marks and
// turns go on with the last time it told. The platform's own need no guard.

import { domainNs, unixNs, type DomainNs, type UnixNs } from '@framescope/protocol';
import type { TimeColumn } from '../hot/time-column.ts';
import type { Clock } from '../ports.ts';
import { textOf, type Problems } from '../problems.ts';
import { ClockColumn } from './clock-column.ts';

export class GuardedClock implements Clock {
  readonly domain: string;
  readonly #inner: Clock;
  readonly #problems: Problems;
  #lastNs = domainNs(0);
  #checkedNs = domainNs(0);
  epochFromNs: DomainNs = domainNs(0);
  /** As `Clock.check`; absent when the inner clock has none. */
  readonly check?: () => boolean;

  constructor(inner: Clock, problems: Problems) {
    this.#inner = inner;
    this.#problems = problems;
    const domain = this.#read(() => inner.domain, '');
    this.domain = /^[0-9a-f]{16}$/.test(domain) ? domain : '0000000000000001';
    if (domain !== this.domain)
      problems.report('bad_argument', 'clock: domain is 16 hex digits, lower case');
    if (this.#read(() => typeof inner.check, 'undefined') === 'function')
      this.check = () => this.#check();
  }

  get epoch(): number {
    const epoch = this.#read(() => this.#inner.epoch, 0);
    return Number.isSafeInteger(epoch) && epoch >= 0 ? epoch : 0;
  }

  get zeroUnixNs(): UnixNs {
    const zero: unknown = this.#read(() => this.#inner.zeroUnixNs, unixNs(0n));
    return unixNs(typeof zero === 'bigint' && zero >= 0n ? zero : 0n);
  }

  get startedAt(): DomainNs {
    const at = this.#read(() => this.#inner.startedAt, undefined);
    return Number.isFinite(at) ? domainNs(Math.round(at as number)) : domainNs(-Infinity);
  }

  now(): DomainNs {
    const now = this.#read(() => this.#inner.now(), this.#lastNs);
    if (Number.isFinite(now)) this.#lastNs = domainNs(Math.round(now));
    return this.#lastNs;
  }

  makeColumn(capacity: number): TimeColumn {
    const column = this.#read<TimeColumn | undefined>(
      () => this.#inner.makeColumn(capacity),
      undefined,
    );
    if (typeof column?.stamp !== 'function' || typeof column.read !== 'function')
      return new ClockColumn(capacity, () => this.now());
    return {
      // As it is: a wrapper would cost every mark a call, and `Hop.mark` catches.
      stamp: column.stamp.bind(column),
      read: slot => this.#read(() => column.read(slot), this.#lastNs),
    };
  }

  #check(): boolean {
    const hasLeapt = this.#read(() => this.#inner.check?.() === true, false);
    if (hasLeapt) this.epochFromNs = this.#checkedNs;
    this.#checkedNs = this.now();
    return hasLeapt;
  }

  #read<T>(read: () => T, otherwise: T): T {
    try {
      return read();
    } catch (cause) {
      this.#problems.report('clock_threw', `the clock handed in threw: ${textOf(cause)}`);
      return otherwise;
    }
  }
}
