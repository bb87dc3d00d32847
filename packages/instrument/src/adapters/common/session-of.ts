// Which call an adapter's client belongs to: a session that is there, or one
// that the adapter begins, and ends when the connection is gone.

import { domainNs, unixNs, type DomainNs } from '@framescope/protocol';
import { ClockColumn } from '../../clock/clock-column.ts';
import { Scope } from '../../framescope.ts';
import { Session } from '../../session.ts';
import { Hooks, propertyOf } from './hooks.ts';

/** The call that a client belongs to. */
export interface OfSession {
  /** A session of yours; you end it. */
  readonly session: Session;
}

/** The call that a client makes: begun here, ended when its connection is gone. */
export interface OfScope {
  readonly scope: Scope;
  /** `session.id`, the same in every process of the call. */
  readonly id: string;
}

/** A client that is being followed; it needs no attention. */
export interface AdapterTrace {
  /** The call it belongs to. */
  readonly session: Session;
  /** Stops following and puts the client back as it was. Again: nothing. */
  stop(): void;
}

interface Chosen {
  readonly session: Session;
  /** The connection is gone: a session that was begun here ends. */
  readonly gone: () => void;
}

/** A getter that throws has nothing to give. */
function readOf(options: unknown, name: string): unknown {
  try {
    return propertyOf(options, name);
  } catch {
    return undefined;
  }
}

/** With neither there is nobody to tell it to: what happens is followed, and goes nowhere. */
function sessionOf(options: unknown): Chosen {
  const session = readOf(options, 'session');
  if (session instanceof Session) return { session, gone: () => undefined };
  const scope = readOf(options, 'scope');
  if (scope instanceof Scope) {
    const made = scope.startSession({ id: readOf(options, 'id') as string });
    return { session: made, gone: () => void made.end() };
  }
  return { session: nowhere().startSession({ id: 'nobody' }), gone: () => undefined };
}

/** What was given, or a session that tells nobody: helpers for untyped callers throw nothing. */
export const sessionOr = (value: unknown): Session => sessionOf({ session: value }).session;

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
      clock: {
        domain: '0000000000000000',
        epoch: 0,
        zeroUnixNs: unixNs(0n),
        now,
        makeColumn: capacity => new ClockColumn(capacity, now),
      },
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

export interface Following {
  readonly hooks: Hooks;
  readonly session: Session;
  readonly gone: () => void;
}

/** Sets up an adapter; whatever goes wrong in `follow` is counted, not thrown. */
export function follow(
  where: string,
  options: unknown,
  start: (following: Following) => void,
): AdapterTrace {
  const { session, gone } = sessionOf(options);
  const hooks = new Hooks(where, session.port().problems);
  hooks.run(() => start({ hooks, session, gone }));
  return { session, stop: () => hooks.stop() };
}
