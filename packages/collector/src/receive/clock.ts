// The collector's clock, and `GET /v1/clock`: the probe that processes measure
// their own clock against, and by which they hear that their flight recorders are
// asked for. Tiny, and nothing slow between the two stamps.

import { readFileSync } from 'node:fs';
import { clockDomainOf, measureWallZero } from '@framescope/protocol';
import type { Request, Response } from 'express';
import type { TriggerBoard } from './triggers.ts';
import type { ClockName } from '../assemble/clock/session-clocks.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Whole nanoseconds of the monotonic clock; a double holds 104 days of uptime. */
export const monotonicNs = (): number => Number(process.hrtime.bigint());

/** On Linux the domain is the boot's, so that processes of this host share it with offset 0. */
export function systemClock(randomId: () => string): ClockName {
  return {
    domain: clockDomainOf(bootId() ?? randomId()),
    epoch: 0,
    zeroUnixNs: measureZeroUnixNs(),
  };
}

/** What the wall clock shows at the zero of `monotonicNs`, to less than a microsecond. */
export const measureZeroUnixNs = (): bigint =>
  measureWallZero({ monotonicNs, wallMs: Date.now }).zeroUnixNs;

function bootId(): string | undefined {
  try {
    return readFileSync(BOOT_ID, 'utf8').trim();
  } catch {
    // Not Linux, or hidden in a sandbox: a domain of our own.
    return undefined;
  }
}

export const clockProbe =
  (
    clock: Pick<ClockName, 'domain' | 'epoch'>,
    nowNs: () => number,
    triggers: Pick<TriggerBoard, 'of'>,
  ) =>
  (request: Request, response: Response): void => {
    const t2 = nowNs();
    const sent = request.query['t1'];
    const t1 = typeof sent === 'string' && /^\d{1,16}$/.test(sent) ? Number(sent) : null;
    const { domain, epoch } = clock;
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Content-Type', 'application/json');
    const pulled = triggers.of(request.query['s']);
    const more = pulled.length === 0 ? '' : `,"triggers":${JSON.stringify(pulled)}`;
    response.end(
      `{"domain":"${domain}","epoch":${epoch},"t1":${t1},"t2":${t2},"t3":${nowNs()}${more}}`,
    );
  };
