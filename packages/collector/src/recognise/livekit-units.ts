// What LiveKit's figures are counted in, and which of them mean something.
//
// Python writes all of them in seconds. Node writes those below in milliseconds through 1.9.0 and in
// seconds after it, under the same keys, and no span says which version wrote it. So they are held
// against the spans around them, which have times of their own: the delay of the end of a turn is the
// distance from the end of speech to the end of the turn's span, in one unit or in the other. Where
// neither fits and the language does not say, a figure is not used.
//
// What is 0, −1 or over a minute is LiveKit's way to say "not known", or a stale anchor.

import { durationNs, type Attributes, type DurationNs } from '@framescope/protocol';
import { numberAt, type TimedSpan } from './span-reader.ts';

export type DelayUnit = 's' | 'ms' | 'unknown';

const NS_PER: Readonly<Record<Exclude<DelayUnit, 'unknown'>, number>> = { s: 1e9, ms: 1e6 };

/** Beyond this a latency is a stale anchor's, not a wait's. */
const LATENCY_MAX_NS = 60_000_000_000;

/** How far a delay may be off its own span: a late event loop between the two. */
const FITS_WITHIN_NS = 250_000_000;

/** Counts what is not plotted. */
export interface Invalid {
  count: number;
}

/** A figure in ns; one without meaning is counted and undefined. */
export function figure(
  attributes: Attributes,
  key: string,
  unit: DelayUnit,
  invalid: Invalid,
): DurationNs | undefined {
  const value = numberAt(attributes, key);
  if (value === undefined) return undefined;
  const ns = unit === 'unknown' ? Number.NaN : Math.round(value * NS_PER[unit]);
  if (ns > 0 && ns <= LATENCY_MAX_NS) return durationNs(ns);
  invalid.count++;
  return undefined;
}

/** A turn's own word for the delay of its end, beside what its spans say. */
export interface DelayWitness {
  readonly value: number;
  /** From the end of speech to the end of the turn's span. */
  readonly spanNs: number;
}

export function unitOf(witnesses: readonly DelayWitness[], spans: readonly TimedSpan[]): DelayUnit {
  let seconds = 0;
  let milliseconds = 0;
  for (const { value, spanNs } of witnesses) {
    if (!(value > 0)) continue;
    const isSeconds = Math.abs(value * NS_PER.s - spanNs) <= FITS_WITHIN_NS;
    const isMilliseconds = Math.abs(value * NS_PER.ms - spanNs) <= FITS_WITHIN_NS;
    if (isSeconds && !isMilliseconds) seconds++;
    else if (isMilliseconds && !isSeconds) milliseconds++;
  }
  if (seconds !== milliseconds) return seconds > milliseconds ? 's' : 'ms';
  return byLanguage(spans);
}

function byLanguage(spans: readonly TimedSpan[]): DelayUnit {
  const language = spans[0]?.span.resource.attributes['telemetry.sdk.language'];
  if (language === 'python') return 's';
  if (language !== 'nodejs') return 'unknown';
  return spans.some(({ span }) => span.name === 'eou_wait') ? 's' : 'ms';
}
