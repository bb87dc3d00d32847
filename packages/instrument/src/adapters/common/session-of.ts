// Which call an adapter's client belongs to: a session that is there, or one
// that the adapter begins, and ends when the connection is gone.

import { defaultScope } from '../../default-scope.ts';
import { Scope } from '../../framescope.ts';
import { randomHex } from '../../options.ts';
import { Session } from '../../session.ts';
import { Hooks, propertyOf } from './hooks.ts';

/** The call that a client belongs to. */
export interface OfSession {
  /** A session of yours; you end it. */
  readonly session: Session;
}

/** The call that a client makes: begun here, ended when its connection is gone. */
export interface OfScope {
  /** Default: the scope that the program made last; where there is none, one made from the environment. */
  readonly scope?: Scope;
  /** `session.id`, the same in every process of the call. Default: what the client is called by both ends, else a random one. */
  readonly id?: string;
}

/** A client that is being followed; it needs no attention. */
export interface AdapterTrace {
  /** The call it belongs to. */
  readonly session: Session;
  /**
   * Stops following and puts the client back as it was; a session that was begun here ends. Happens by
   * itself at the session's end. Again: nothing.
   */
  stop(): void;
}

/** What an adapter begins a call with when it was given a client and nothing else. */
export interface OwnCall {
  /** What the process is, where no scope says so: `agent` by default. */
  readonly role?: string;
  /** Turns are this client's to tell, whatever the process is. */
  readonly isAuthority?: boolean;
  /** What the connection is called by both of its ends; asked when the call begins. */
  readonly id?: () => string | undefined;
}

/** A getter that throws has nothing to give. */
function readOf(options: unknown, name: string): unknown {
  try {
    return propertyOf(options, name);
  } catch {
    return undefined;
  }
}

/** A session that is there, or one that begins when it is first asked for. */
class Call {
  readonly isOwn: boolean;
  readonly #begin: () => Session;
  readonly #began: (session: Session) => void;
  #session: Session | undefined;

  constructor(begin: Session | (() => Session), began: (session: Session) => void) {
    this.isOwn = !(begin instanceof Session);
    this.#begin = begin instanceof Session ? () => begin : begin;
    this.#began = began;
  }

  get session(): Session {
    if (this.#session === undefined) {
      this.#session = this.#begin();
      this.#began(this.#session);
    }
    return this.#session;
  }

  /** The connection is gone: a session that was begun here ends. */
  end(): void {
    if (this.isOwn && this.#session !== undefined) void this.#session.end();
  }
}

function beginIn(where: string, options: unknown, own: OwnCall): Session {
  const given = readOf(options, 'scope');
  const scope = given instanceof Scope ? given : defaultScope(own.role ?? 'agent');
  const id = readOf(options, 'id') ?? own.id?.() ?? `${where}-${randomHex(Math.random, 8)}`;
  return scope.startSession({
    id: id as string,
    ...(own.isAuthority === undefined ? {} : { authority: own.isAuthority }),
  });
}

export interface Following {
  readonly hooks: Hooks;
  /** Begins the call, if it is the adapter's own and has not begun. */
  readonly session: Session;
  readonly gone: () => void;
}

/** Sets up an adapter; whatever goes wrong in `start` is counted, not thrown. */
export function follow(
  where: string,
  options: unknown,
  start: (following: Following) => void,
  own: OwnCall = {},
): AdapterTrace {
  const given = readOf(options, 'session');
  const begin = given instanceof Session ? given : () => beginIn(where, options, own);
  // Registered before what the adapter itself does at the end, so it comes after that.
  const call = new Call(begin, session => hooks.onStop(session.port().onEnd(() => hooks.stop())));
  const hooks = new Hooks(where, () => call.session.port().problems);
  hooks.run(() =>
    start({
      hooks,
      get session() {
        return call.session;
      },
      gone: () => call.end(),
    }),
  );
  return {
    get session() {
      return call.session;
    },
    stop: () => {
      hooks.stop();
      call.end();
    },
  };
}
