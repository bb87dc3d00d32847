// A span's times on the collector's clock.

import { ATTR, type ClockDetail, type SessionDetail } from '@framescope/protocol';
import type { StoredSpan } from '../store/store.ts';
import type { OutSpan } from './encode.ts';

/** The clock that a span's times were read on; undefined: nothing is known of it. */
export function clockOf(span: StoredSpan, session: SessionDetail): ClockDetail | undefined {
  const domain = span.attributes[ATTR.clockDomain];
  const epoch = Number(span.attributes[ATTR.clockEpoch] ?? 0);
  if (typeof domain === 'string')
    return session.processes.find(one => one.clock.domain === domain && one.clock.epoch === epoch)
      ?.clock;
  // Spans of the user's own in a process of ours: the same resource, the same clock.
  const { attributes } = span.resource;
  const instance = attributes[ATTR.serviceInstanceId];
  return session.processes.find(
    one =>
      one.service === attributes[ATTR.serviceName] &&
      one.instance !== null &&
      one.instance === instance,
  )?.clock;
}

export function correctedBy(span: StoredSpan, clock: ClockDetail | undefined): OutSpan {
  if (!clock || clock.offsetNs === null) return span;
  const offset = BigInt(Math.round(clock.offsetNs));
  return {
    ...span,
    startUnixNs: span.startUnixNs - offset,
    endUnixNs: span.endUnixNs - offset,
    events: span.events.map(event => ({ ...event, atUnixNs: event.atUnixNs - offset })),
    attributes: {
      ...span.attributes,
      [ATTR.clockOffsetNs]: Number(offset),
      ...(clock.errorNs !== null && { [ATTR.clockErrorNs]: Math.round(clock.errorNs) }),
    },
  };
}
