// A session for helpers that untyped code calls without one: it tells nobody,
// so that they throw nothing.

import { domainNs, unixNs, type DomainNs } from '@framescope/protocol';
import { ClockColumn } from '../../clock/clock-column.ts';
import { Scope } from '../../framescope.ts';
import { Session } from '../../session.ts';

/** What was given, or a session that tells nobody: helpers for untyped callers throw nothing. */
export const sessionOr = (value: unknown): Session =>
  value instanceof Session ? value : nowhere().startSession({ id: 'nobody' });

let inert: Scope | undefined;

/** Shut down from the start: it keeps no session, so one that nobody holds is gone. */
function nowhere(): Scope {
  if (inert !== undefined) return inert;
  inert = makeNowhere();
  void inert.shutdown();
  return inert;
}

/** A scope whose clock stands still and whose network is unplugged. */
function makeNowhere(): Scope {
  const now = (): DomainNs => domainNs(0);
  return new Scope(
    { serviceName: 'nobody', tracerProvider: false },
    {
      makeClock: () => ({
        domain: '0000000000000000',
        epoch: 0,
        zeroUnixNs: unixNs(0n),
        now,
        makeColumn: capacity => new ClockColumn(capacity, now),
      }),
      timers: { after: () => ({ cancel: () => undefined }) },
      http: () => Promise.reject(new Error('no session was given')),
      random: () => 0.5,
      resource: {},
      endpoint: 'http://127.0.0.1:4318',
      headers: {},
      onExit: () => () => undefined,
    },
  );
}
