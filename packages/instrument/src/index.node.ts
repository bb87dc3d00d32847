// The package on Node: the platform filled in, and the names users hold.

import { Scope } from './framescope.ts';
import { skewClock, type SkewedClockOptions } from './clock/skewed-clock.ts';
import { NodeClock } from './platform/node/clock.ts';
import { noteScope } from './newest-scope.ts';
import { makeMachine } from './platform/node/platform.ts';
import type { FramescopeOptions } from './options.ts';
import type { Clock } from './ports.ts';

/**
 * Tags audio frames with trace IDs and tells when each passed each hop. One for each process.
 * Construction costs no I/O; nothing it does throws.
 */
export class Framescope extends Scope {
  constructor(options: FramescopeOptions) {
    super(options, makeMachine());
    noteScope(this);
  }

  /**
   * Tells how deep a queue of this process is (requests that wait for a model, calls that wait for an
   * agent): sent with its load, each second the most that it was. Call it at each change; a map look-up.
   */
  gauge(name: string, value: number): void {
    this.load?.gauge(name, value);
  }
}

/** The clock of this machine: all Node processes on one Linux host share it. */
export const systemClock = (): Clock => new NodeClock();

/** A clock `offsetMs` ahead and `driftPpm` fast, in a domain of its own: for demos and tests. */
export const skewedClock = (options?: SkewedClockOptions): Clock =>
  skewClock(new NodeClock(), options);

export { vendorTimings, type AnswerHeaders } from './adapters/vendor/headers.ts';
export { VendorLine, type PingSocket, type VendorLineOptions } from './adapters/vendor/line.ts';
export { Link } from './adapters/websocket/link.ts';
export { ClockColumn } from './clock/clock-column.ts';
export { skewClock, type SkewedClockOptions } from './clock/skewed-clock.ts';
export type { TriggerRange } from './flight/session-flight.ts';
export type { FramescopeOptions, SessionOptions, Stats } from './options.ts';
export { Hop, type HopOptions } from './hop/hop.ts';
export { Stream } from './hop/stream.ts';
export type {
  Attributes,
  Clock,
  Http,
  HttpRequest,
  HttpResponse,
  Problem,
  TimeColumn,
  Timer,
  Timers,
} from './ports.ts';
export { Session, type StreamOptions, type TurnStart } from './session.ts';
export { BargeIn } from './turn/barge-in.ts';
export type { AnchorOptions } from './transport/anchor-exchange.ts';
export { Stage, type StageEnd, type StageOptions, type VendorTimings } from './turn/stage.ts';
export {
  Turn,
  type FirstVoiced,
  type MomentOptions,
  type SpeechEnded,
  type WaitOptions,
} from './turn/turn.ts';
