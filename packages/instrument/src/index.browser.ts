// The package in a browser: the same names on another platform.

import { Scope } from './framescope.ts';
import { noteScope } from './newest-scope.ts';
import { PageClock } from './platform/browser/page-clock.ts';
import { makeMachine } from './platform/browser/platform.ts';
import { watched } from './platform/browser/watched-clock.ts';
import type { FramescopeOptions } from './options.ts';
import type { Clock } from './ports.ts';

/**
 * Tags audio frames with trace IDs and tells when each passed each hop. One for each page.
 * Construction costs no I/O; nothing it does throws.
 */
export class Framescope extends Scope {
  constructor(options: FramescopeOptions) {
    super(options, makeMachine());
    noteScope(this);
  }
}

/** The clock of this page: a domain of its own. */
export const systemClock = (): Clock => watched(new PageClock());

export { Link } from './adapters/websocket/link.ts';
export { ClockColumn } from './clock/clock-column.ts';
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
