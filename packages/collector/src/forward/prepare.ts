// What of the stored spans goes to a target, and how it looks there.
//
// Times are corrected to the collector's clock, where the clock of the span is
// known; the correction and its error stand beside them. A turn carries its
// wait, the parts, how much of it is resolved, and what its frames were like.
// Records, states and words stay here.

import {
  ATTR,
  SCOPE_NAME,
  SPAN,
  type Attributes,
  type SessionDetail,
  type Turn,
} from '@framescope/protocol';
import type { StoredSpan, StoreReader } from '../store/store.ts';
import { isWhole } from '../query/fold.ts';
import type { QueryContext } from '../query/queries.types.ts';
import { sessionFrames, type SessionFrames } from '../query/session-frames.ts';
import type { OutSpan } from './encode.ts';
import type { Prepare } from './forwarder.ts';
import { promotedOf } from './promoted.ts';
import { clockOf, correctedBy } from './correct.ts';
import { turnAttributes } from './turn-attributes.ts';
import type { ForwardTarget } from './target.ts';

/** Of a turn's trace: stages, and the frames that its processes promoted. */
const TURN_SPANS_MAX = 10_000;

/** Sessions of one batch, looked up once. */
class Lookups {
  readonly #context: QueryContext;
  readonly #sessions = new Map<string, SessionDetail | undefined>();
  readonly #frames = new Map<string, SessionFrames | undefined>();

  constructor(context: QueryContext) {
    this.#context = context;
  }

  async session(key: string): Promise<SessionDetail | undefined> {
    if (!this.#sessions.has(key)) this.#sessions.set(key, await this.#reader().session(key));
    return this.#sessions.get(key);
  }

  async frames(key: string): Promise<SessionFrames | undefined> {
    if (!this.#frames.has(key)) this.#frames.set(key, await sessionFrames(this.#context, key));
    return this.#frames.get(key);
  }

  /** Of all that is stored of a trace. */
  async spanIds(traceId: string): Promise<ReadonlySet<string>> {
    const trace = await this.#reader().trace(traceId, TURN_SPANS_MAX);
    return new Set(trace?.spans.map(span => span.spanId));
  }

  turn(key: string, tick: number): Promise<Turn | undefined> {
    return this.#reader().turn(key, tick);
  }

  #reader(): StoreReader {
    return this.#context.reader;
  }
}

export const preparer =
  (context: QueryContext): Prepare =>
  async (spans, target) => {
    const lookups = new Lookups(context);
    const out: OutSpan[] = [];
    for (const span of spans) {
      if (!isWhole(span)) continue;
      const session = span.sessionKey === null ? undefined : await lookups.session(span.sessionKey);
      const tick = turnTickOf(span);
      const turn =
        session && tick !== undefined ? await lookups.turn(session.key, tick) : undefined;
      const frames = turn && session ? await lookups.frames(session.key) : undefined;
      if (isWanted(span, target)) out.push(handedOn(span, { session, turn, frames }));
      if (target.send.has('promoted') && session && turn && frames) {
        const known = await lookups.spanIds(span.traceId);
        const promoted = promotedOf(turn, { session, frames, root: span });
        // Those that the process itself promoted are handed on as it sent them.
        out.push(...promoted.filter(one => !known.has(one.spanId)));
      }
    }
    return apart(out);
  };

function isWanted(span: StoredSpan, { send }: ForwardTarget): boolean {
  if (send.has('all')) return true;
  if (ATTR.framePromoted in span.attributes) return send.has('promoted');
  // Turns and stages: what we wrote, and what others wrote of a session.
  return send.has('turns') && (span.scope === SCOPE_NAME || span.sessionKey !== null);
}

/** Of the root span of a turn of ours. */
function turnTickOf({ name, attributes }: StoredSpan): number | undefined {
  const tick = attributes[ATTR.turnTick];
  return name === SPAN.turn && typeof tick === 'number' ? tick : undefined;
}

interface Known {
  readonly session: SessionDetail | undefined;
  readonly turn: Turn | undefined;
  readonly frames: SessionFrames | undefined;
}

function handedOn(span: StoredSpan, { session, turn, frames }: Known): OutSpan {
  const corrected = correctedBy(span, session && clockOf(span, session));
  const { [ATTR.turnState]: _words, ...attributes } = corrected.attributes;
  if (!turn) return { ...corrected, attributes };
  return { ...corrected, attributes: { ...attributes, ...turnAttributes(turn, frames) } };
}

/** Jaeger UI charges half of exactly contiguous children to their parent; 1 µs between is enough. */
const GAP_NS = 1_000n;

/** Of siblings of ours where one ends as the next begins, the first ends a little earlier. */
function apart(spans: readonly OutSpan[]): OutSpan[] {
  const starts = new Map<string, Set<bigint>>();
  const siblingsOf = (span: OutSpan): string => `${span.traceId} ${span.parentSpanId ?? ''}`;
  for (const span of spans) {
    const known = starts.get(siblingsOf(span));
    if (known) known.add(span.startUnixNs);
    else starts.set(siblingsOf(span), new Set([span.startUnixNs]));
  }
  return spans.map(span => {
    const isTouching =
      span.scope === SCOPE_NAME &&
      span.endUnixNs - span.startUnixNs > GAP_NS &&
      starts.get(siblingsOf(span))?.has(span.endUnixNs) === true;
    if (!isTouching) return span;
    const attributes: Attributes = { ...span.attributes, [ATTR.adjusted]: true };
    return { ...span, endUnixNs: span.endUnixNs - GAP_NS, attributes };
  });
}
