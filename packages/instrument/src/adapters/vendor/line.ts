// The way to a service over a WebSocket, measured by the protocol's own pings: nothing
// of the service's need know of it (RFC 6455 section 5.5.2: a pong follows at once).
// And over HTTP: by what a request without work takes, if the user asks for one.

import { NS_PER_MS, type DomainNs } from '@framescope/protocol';
import type { SessionPort, Timer } from '../../ports.ts';
import type { Session } from '../../session.ts';
import type { VendorTimings } from '../../turn/stage.ts';
import { plainOptions } from '../../transport/plain-options.ts';
import { Hooks, propertyOf } from '../common/hooks.ts';
import { sessionOr } from '../common/session-or.ts';

/** One in two seconds: a call has some hundred, and a ping is 6 bytes. */
const PING_EVERY_MS = 2_000;
/** A pong that did not come by then is of no use to a split. */
const PONG_MS_MAX = 10_000;
/** The way as it is now: the least of the last pings, as clocks are compared too. */
const KEPT = 5;

/** A `WebSocket` of the package `ws`; a browser's has no pings, and is refused as a target. */
export interface PingSocket {
  ping(data?: unknown): void;
  on(event: never, listener: never): unknown;
}

/** Whose call it is, and what the service is called. */
export interface VendorLineOptions {
  readonly session: Session;
  /** As it is shown: `openai`, a host. */
  readonly name: string;
}

/**
 * Follows the way to a service: pings every two seconds from now to the session's end. `told` answers what
 * is known now, for `stage.end({ vendor: line.told(…) })`. Never throws.
 */
export class VendorLine {
  readonly #name: string;
  readonly #socket: PingSocket;
  readonly #port: SessionPort;
  readonly #hooks: Hooks;
  readonly #rttsNs: number[] = [];
  #askedAt: DomainNs | undefined;
  #connectMs: number | undefined;
  #timer: Timer | undefined;

  constructor(socket: PingSocket, options: VendorLineOptions) {
    const { session, name } = plainOptions(options);
    this.#name = typeof name === 'string' ? name : 'vendor';
    this.#socket = socket;
    this.#port = sessionOr(session).port();
    this.#hooks = new Hooks('vendor-line', () => this.#port.problems);
    if (!this.#hooks.listen(socket, 'pong', () => this.#answered())) return;
    this.#hooks.listen(socket, 'close', () => this.stop());
    this.#timeConnect();
    this.#port.onEnd(() => this.stop());
    this.#ping();
  }

  /** Round trip in ms; undefined until a ping was answered. */
  get rttMs(): number | undefined {
    return this.#rttsNs.length === 0 ? undefined : Math.min(...this.#rttsNs) / NS_PER_MS;
  }

  /**
   * How long it took until the socket stood, in ms: name, TCP, TLS and upgrade. Undefined until then, and where
   * the socket stood already when this line was made. For the one stage that waited for it:
   * `line.told({ connectMs: line.connectMs })`.
   */
  get connectMs(): number | undefined {
    return this.#connectMs;
  }

  /** The way, beside what the service says itself. */
  told(timings: VendorTimings = {}): VendorTimings {
    const { rttMs } = this;
    return { name: this.#name, ...(rttMs === undefined ? {} : { rttMs }), ...timings };
  }

  /** Pings no more; what was measured stays. Again: nothing. */
  stop(): void {
    this.#timer?.cancel();
    this.#hooks.stop();
  }

  #timeConnect(): void {
    const { clock } = this.#port;
    const begun = clock.now();
    // 0: connecting.
    let isConnecting = false;
    this.#hooks.run(() => {
      isConnecting = propertyOf(this.#socket, 'readyState') === 0;
    });
    if (!isConnecting) return;
    this.#hooks.listen(this.#socket, 'open', () => {
      this.#connectMs ??= (clock.now() - begun) / NS_PER_MS;
    });
  }

  #ping(): void {
    const { clock, timers } = this.#port;
    this.#timer = timers.after(PING_EVERY_MS, () => this.#ping());
    this.#hooks.run(() => {
      const now = clock.now();
      const isWaiting =
        this.#askedAt !== undefined && now - this.#askedAt < PONG_MS_MAX * NS_PER_MS;
      // 1: open. Earlier a ping throws, later nobody answers.
      if (isWaiting || propertyOf(this.#socket, 'readyState') !== 1) return;
      this.#askedAt = now;
      this.#socket.ping();
    });
  }

  #answered(): void {
    if (this.#askedAt === undefined) return;
    this.#rttsNs.push(this.#port.clock.now() - this.#askedAt);
    if (this.#rttsNs.length > KEPT) this.#rttsNs.shift();
    this.#askedAt = undefined;
  }
}
