// Schemas of what is answered of a stream beside its hops; types: protocol/stream-api.ts.

import { count, list, ns, number, object, oneOf, text, type Schema } from './schema-words.ts';

export const STREAM_SCHEMAS: Readonly<Record<string, Schema>> = {
  LineageDetail: object({
    segmentCount: count,
    segments: list(
      object({
        role: text,
        hop: text,
        nth: count,
        sample: count,
        tick: count,
        samples: count,
        ticks: count,
        atNs: ns,
      }),
    ),
    gapCount: count,
    gaps: list(
      object({
        kind: oneOf('conceal', 'drop', 'silence'),
        hop: text,
        startTick: count,
        endTick: count,
        atNs: ns,
      }),
    ),
    derivationCount: count,
    derivations: list(
      object({
        who: oneOf('user', 'agent'),
        fromTick: count,
        toTick: count,
        text,
        fromChar: count,
        quality: oneOf('exact', 'reported', 'inferred'),
        atNs: ns,
      }),
    ),
  }),
  MediaDetail: object({
    role: text,
    count,
    total: { type: 'object', additionalProperties: number },
    intervals: list(
      object({
        startNs: ns,
        endNs: ns,
        figures: { type: 'object', additionalProperties: number },
      }),
    ),
  }),
};
