// JSON Schemas of what is answered about tails, comparisons and filters; types in protocol/tail-api.ts.

import {
  count,
  list,
  ns,
  number,
  object,
  oneOf,
  orNull,
  ref,
  share,
  text,
  unixNs,
  type Schema,
} from './schema-words.ts';

const orNullNs = orNull(ns);
const difference: Readonly<Record<string, Schema>> = {
  meanInNs: number,
  meanAllNs: number,
  meanOutNs: number,
  deltaNs: number,
  lowNs: orNullNs,
  highNs: orNullNs,
};
const annotation: Readonly<Record<string, Schema>> = {
  atUnixNs: unixNs,
  endUnixNs: orNull(unixNs),
  kind: text,
  text,
  attributes: { type: 'object', additionalProperties: text },
};

export const CHART_SCHEMAS: Readonly<Record<string, Schema>> = {
  QuantileInterval: object({ lowNs: ns, highNs: orNull(ns) }),
  QuantileIntervals: object({
    p50: orNull(ref('QuantileInterval')),
    p95: orNull(ref('QuantileInterval')),
    p99: orNull(ref('QuantileInterval')),
    p999: orNull(ref('QuantileInterval')),
  }),
  TurnsInCalls: object({ turns: count, sessions: count }),
  TailDifference: object(difference),
  TailPart: object({ name: text, group: orNull(text), ...difference, share: number }),
  TailAttribute: object({
    name: text,
    value: text,
    inside: count,
    insideOf: count,
    outside: count,
    outsideOf: count,
    logOdds: number,
    low: number,
    high: number,
    insideSessions: count,
  }),
  TailWhy: object({
    measure: ref('MeasureInfo'),
    fromUnixNs: unixNs,
    toUnixNs: unixNs,
    inside: ref('TurnsInCalls'),
    outside: ref('TurnsInCalls'),
    fromValueNs: number,
    tooFew: orNull(text),
    total: ref('TailDifference'),
    parts: list(ref('TailPart')),
    attributes: list(ref('TailAttribute')),
    verdict: object({ kind: oneOf('part', 'attribute', 'none'), name: text, text }),
  }),
  WhatIf: object({
    measure: ref('MeasureInfo'),
    part: text,
    byNs: ns,
    refused: orNull(text),
    before: ref('Quantiles'),
    after: ref('Quantiles'),
    unknownCount: count,
    changedCount: count,
    cutOffs: orNull(object({ turns: count, of: count })),
  }),
  CutOffs: object({
    turns: count,
    of: count,
    sessions: count,
    items: list(object({ sessionKey: text, tick: number, atUnixNs: unixNs, gapNs: ns })),
  }),
  ComparedRange: object({
    fromUnixNs: unixNs,
    toUnixNs: unixNs,
    filter: text,
    count: ref('TurnsInCalls'),
    quantiles: ref('Quantiles'),
    intervals: ref('QuantileIntervals'),
    overBudget: count,
  }),
  Comparison: object({
    measure: ref('MeasureInfo'),
    a: ref('ComparedRange'),
    b: ref('ComparedRange'),
    changes: list(
      object({
        quantile: oneOf('p50', 'p95', 'p99', 'p999'),
        aNs: orNullNs,
        bNs: orNullNs,
        deltaNs: orNullNs,
        lowNs: orNullNs,
        highNs: orNullNs,
      }),
    ),
    distance: object({ gap: share, atNs: orNullNs, noise: orNull(share) }),
    parts: list(
      object({
        name: text,
        aMeanNs: number,
        bMeanNs: number,
        deltaNs: number,
        lowNs: orNullNs,
        highNs: orNullNs,
      }),
    ),
    distribution: object({ scale: number, rowMin: number, a: list(count), b: list(count) }),
  }),
  FilterVocabulary: object({
    keys: list(
      object({
        name: text,
        kind: oneOf('text', 'duration', 'count', 'flag'),
        help: text,
        values: list(object({ value: text, count })),
      }),
    ),
  }),
  ExportedSession: { type: 'object', additionalProperties: true },
  Annotation: object({ id: text, ...annotation }),
  AnnotationInput: object(annotation),
  AnnotationList: object({ items: list(ref('Annotation')) }),
};
