// What a session tells the engine of its scope: hops, samples, events, clock
// samples. Until the engine is there (a page loads it when the first call begins)
// it waits here in its order; marks wait in their ring, turns in their book.
//
//   Session ─▶ front ─┬─▶ engine
//                     └ not there yet ─▶ waiting, at most 4,096

import type { ClockSample, HopName, Tick } from '@framescope/protocol';
import type { FlightSession, TriggerRange } from './flight/session-flight.ts';
import type { Stream } from './hop/stream.ts';

/** A minute of 30 samples a second, and all hops a session may have. */
const WAITING_MAX = 4_096;

/** The engine's side of one session. None of it throws, save `trigger` where a getter of `range` does. */
export interface SessionEngine {
  /** Call once, before all others. */
  attach(session: FlightSession): void;
  enrol(stream: Stream, hop: HopName): void;
  sample(stream: string, name: string, value: number, atNs: number): void;
  event(reason: 'barge_in' | 'underrun', stream: Stream, fromTick: Tick, toTick: Tick): void;
  trigger(reason: unknown, range: Partial<TriggerRange>): boolean;
  clockSample(sample: ClockSample): void;
}

export class SessionFront {
  /** Hops enrolled: the code of the next one. */
  hopCount = 0;
  #engine: SessionEngine | undefined;
  #waiting: ((engine: SessionEngine) => void)[] = [];

  /** Hands on what waited, and from now on all that comes. */
  start(engine: SessionEngine): void {
    this.#engine = engine;
    for (const tell of this.#waiting.splice(0)) tell(engine);
  }

  tell(what: (engine: SessionEngine) => void): void {
    if (this.#engine !== undefined) what(this.#engine);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(what);
  }

  enrol(stream: Stream, hop: HopName): void {
    this.hopCount += 1;
    this.tell(engine => engine.enrol(stream, hop));
  }

  /** As `Session.trigger`; what waits counts as pulled. */
  trigger(reason: unknown, range: Partial<TriggerRange>): boolean {
    if (this.#engine !== undefined) return this.#engine.trigger(reason, range);
    this.tell(engine => void engine.trigger(reason, range));
    return true;
  }
}
