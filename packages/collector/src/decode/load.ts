// Spans that tell how busy a process was: our own `process.load`, and LiveKit's
// `event_loop_blocked`, which stays a span of its call beside.

import { ATTR, decodeLoad, LOAD_SPAN } from '@framescope/protocol';
import { orThrow } from './check-span.ts';
import { SpanProblem } from './problem.ts';
import { toldResources } from './told-resources.ts';
import type { DecodedLoad, DecodedSpan } from './types.ts';

/** LiveKit Agents for Node, 1.9 and later: the loop did not come round for 100 ms or more. */
export const BLOCKED_SPAN = 'event_loop_blocked';

const HEX_16 = /^[0-9a-f]{16}$/;

/** A span that is a report of load and nothing else. */
export const isLoad = ({ name, attributes }: DecodedSpan): boolean =>
  name === LOAD_SPAN && ATTR.load in attributes;

/** @throws {SpanProblem} naming the attribute. */
export function checkLoad(span: DecodedSpan): DecodedLoad[] {
  const { attributes, resource, startUnixNs, endUnixNs } = span;
  const pieces = orThrow(decodeLoad(attributes[ATTR.load], at(ATTR.load)), 'load');
  const [producer, domain] = [ATTR.producer, ATTR.clockDomain].map(name => {
    const value = attributes[name];
    if (typeof value === 'string' && HEX_16.test(value)) return value;
    throw new SpanProblem(at(name), 'producer', 'expected 16 lower-case hex digits');
  });
  const whole = toldResources.whole(producer!, resource);
  const told = { producer: producer!, domain: domain!, resource: whole };
  let from = startUnixNs;
  return pieces.map(({ toMs, figures }) => {
    const to = toMs === undefined ? endUnixNs : startUnixNs + BigInt(Math.round(toMs * 1e6));
    const piece = { ...told, startUnixNs: from, endUnixNs: to, figures };
    from = to;
    return piece;
  });
}

/** What a blocked loop says of its process; undefined for any other span. */
export function blockedLoad(span: DecodedSpan): DecodedLoad | undefined {
  const { name, resource, startUnixNs, endUnixNs } = span;
  if (name !== BLOCKED_SPAN || endUnixNs <= startUnixNs) return undefined;
  const figures = { lagMaxNs: Number(endUnixNs - startUnixNs) };
  return { producer: '', domain: '', resource, startUnixNs, endUnixNs, figures };
}

const at = (name: string): string => `attributes["${name}"]`;
