// Frames put together into larger ones. Waiting until a group is full is nobody's
// network: it is a hop of its own, `regroup`, between what came and what goes on.

import type { Hop, HopOptions } from '../hop/hop.ts';
import { Stream } from '../hop/stream.ts';
import { isFrameLength } from '../hot/hop-probe.ts';
import type { Session } from '../session.ts';
import { sessionOr } from '../adapters/common/session-or.ts';

/** Counts what comes into groups and marks each at `regroup` when it is full. Never throws. */
export class Regroup {
  /** The hop `regroup`. */
  readonly hop: Hop;
  readonly #samples: number;
  #held = 0;

  /** Made by `regrouped`. */
  constructor(hop: Hop, samples: number) {
    this.hop = hop;
    this.#samples = samples;
  }

  /** Samples that wait for their group to be full. */
  get held(): number {
    return this.#held;
  }

  /** So many samples more came in; how many groups went on now. A count that makes no sense: none. */
  add(samples: number): number {
    if (!isFrameLength(samples)) {
      this.hop.mark(samples);
      return 0;
    }
    this.#held += samples;
    const groups = Math.floor(this.#held / this.#samples);
    for (let i = 0; i < groups; i++) this.hop.mark(this.#samples);
    this.#held -= groups * this.#samples;
    return groups;
  }

  /** What is held goes on as it is: at the end, or when a group is sent early. */
  flush(): void {
    if (this.#held > 0) this.hop.mark(this.#held);
    this.#held = 0;
  }
}

/**
 * Where frames of `stream` are put together into groups of `samples`: `const group = regrouped(call,
 * mic, 1_600)`, then `group.add(320)` for each frame. A size that makes no sense is one second's.
 */
export function regrouped(
  session: Session,
  stream: Stream,
  samples: number,
  options?: HopOptions,
): Regroup {
  const call = sessionOr(session);
  const on = stream instanceof Stream ? stream : call.stream('unnamed');
  if (!isFrameLength(samples))
    call.port().problems.report('bad_argument', 'regrouped: samples is a whole number above 0');
  return new Regroup(on.hop('regroup', options), isFrameLength(samples) ? samples : on.sampleRate);
}
