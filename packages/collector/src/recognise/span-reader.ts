// Reading foreign spans: attributes of the type that is expected or not at all, times as
// `DomainNs`, lengths in the unit that their key promises. What is no sensible latency is
// no latency: negative, not finite, or over a minute.

import {
  domainNs,
  durationNs,
  type Attributes,
  type DomainNs,
  type DurationNs,
} from '@framescope/protocol';
import type { StoredSpan } from '../store/store.ts';

/** Beyond this a latency is a stale anchor's, not a wait's. */
const LATENCY_MAX_NS = 60_000_000_000;

const NS_PER_SECOND = 1e9;
const TEXT_MAX = 4_000;

export const textAt = (attributes: Attributes, key: string): string | undefined => {
  const value = attributes[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

export const numberAt = (attributes: Attributes, key: string): number | undefined => {
  const value = attributes[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
};

export const flagAt = (attributes: Attributes, key: string): boolean | undefined => {
  const value = attributes[key];
  return typeof value === 'boolean' ? value : undefined;
};

/** A latency in units of `nsPerUnit`; 0 and −1 are how frameworks say "not known". */
function latencyAt(attributes: Attributes, key: string, nsPerUnit: number): DurationNs | undefined {
  const value = numberAt(attributes, key);
  if (value === undefined || !(value > 0)) return undefined;
  const ns = Math.round(value * nsPerUnit);
  return ns > LATENCY_MAX_NS ? undefined : durationNs(ns);
}

/** The same in seconds. */
export const secondsAt = (attributes: Attributes, key: string): DurationNs | undefined =>
  latencyAt(attributes, key, NS_PER_SECOND);

/** Text as it is shown: cut where it is longer than anybody reads. */
export const shown = (text: string): string => text.slice(0, TEXT_MAX);

/** A span with its times on the clock of recognition. */
export interface TimedSpan {
  readonly span: StoredSpan;
  readonly startAt: DomainNs;
  readonly endAt: DomainNs;
}

export function timed(span: StoredSpan, zeroUnixNs: bigint): TimedSpan {
  const startAt = domainNs(Number(span.startUnixNs - zeroUnixNs));
  const endAt = domainNs(Number(span.endUnixNs - zeroUnixNs));
  return { span, startAt, endAt: endAt < startAt ? startAt : endAt };
}

export const later = (at: DomainNs, byNs: number): DomainNs => domainNs(Math.round(at + byNs));

/** Milliseconds of a time on the Unix clock: what names a turn whose source counts no samples. */
export const unixMs = (at: DomainNs, zeroUnixNs: bigint): number =>
  Number((zeroUnixNs + BigInt(at)) / 1_000_000n);
