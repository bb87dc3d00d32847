// Where modality changes: this text came from these ticks, these ticks came from
// this text. Sound has no words and words no ticks; whoever turned one into the
// other knows, and says how well.

import { tick, type DerivationQuality } from '@framescope/protocol';
import { optionsOf, textUpTo } from '../coerce.ts';
import { Stream } from '../hop/stream.ts';
import { isTick } from '../hot/hop-probe.ts';
import type { Session } from '../session.ts';
import { sessionOr } from '../adapters/common/session-or.ts';

/** What came of what. */
export interface Derivation {
  /** The sound: the user's stream for a transcript, the agent's for what was spoken. */
  readonly stream: Stream;
  /** First tick of it. */
  readonly fromTick: number;
  /** Tick behind the last of it. */
  readonly toTick: number;
  /** The words; cut at 4,000 characters. */
  readonly text: string;
  /** Where `text` stands in all that was said, in characters, if it is a part of it: word timings. */
  readonly fromChar?: number;
  /**
   * `exact`: counted by who did it. `reported`: told by a service (word times). `inferred`: guessed from
   * lengths. Default `reported`.
   */
  readonly quality?: DerivationQuality;
}

const TEXT_LENGTH_MAX = 4_000;
const QUALITIES: readonly unknown[] = ['exact', 'reported', 'inferred'];

/**
 * Tells that words and sound belong together: of the user's stream that the words were heard in it, of the
 * agent's that it was spoken from them. One call a transcript, a sentence or a word; a microsecond each.
 * Shown with the session (`lineage` of the stream). Never throws.
 */
export function derive(session: Session, derivation: Derivation): void {
  const port = sessionOr(session).port();
  const tell = (): void => {
    const {
      stream,
      fromTick,
      toTick,
      text,
      fromChar,
      quality = 'reported',
    } = optionsOf(derivation);
    const isRange = isTick(fromTick) && isTick(toTick) && fromTick! < toTick!;
    const words = textUpTo(text, TEXT_LENGTH_MAX);
    const isSound = stream instanceof Stream && isRange && QUALITIES.includes(quality);
    if (!isSound || words === undefined || !(fromChar === undefined || isTick(fromChar)))
      return port.problems.report(
        'bad_argument',
        'derive: a stream, whole ticks fromTick below toTick, text, and quality exact, reported or inferred',
      );
    port.lineage({
      kind: 'derived',
      who: stream.direction === 'up' ? 'user' : 'agent',
      stream: stream.name,
      fromTick: tick(fromTick!),
      toTick: tick(toTick!),
      text: words,
      ...(fromChar === undefined ? {} : { fromChar }),
      quality,
      at: port.clock.now(),
    });
  };
  port.problems.guard('derive', tell);
}
