// From what a body says of a span to a span with no doubts: the same checks
// for both encodings, so that they cannot disagree.

import {
  decodeSpanId,
  decodeTraceId,
  type Attributes,
  type AttributeValue,
  type Decoded,
  type SpanId,
} from '@framescope/protocol';
import { sessionOf } from './session-keys.ts';
import { UNIX_NS_MAX } from './limits.ts';
import { SpanProblem } from './problem.ts';
import { scopeOf } from './scope.ts';
import type {
  DecodedEvent,
  DecodedLink,
  DecodedResource,
  DecodedSpan,
  DroppedCounts,
  SpanExtras,
} from './types.ts';

/** A span as read: types are right, values are not checked yet. */
export interface RawSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  kind: number;
  startUnixNs: bigint;
  endUnixNs: bigint;
  statusCode: number;
  statusMessage: string;
  attributes: Attributes;
  events: DecodedEvent[];
  links: DecodedLink[];
  traceState: string;
  flags: number;
  droppedAttributes: number;
  droppedEvents: number;
  droppedLinks: number;
}

export const emptySpan = (): RawSpan => ({
  traceId: '',
  spanId: '',
  parentSpanId: '',
  name: '',
  kind: 0,
  startUnixNs: 0n,
  endUnixNs: 0n,
  statusCode: 0,
  statusMessage: '',
  attributes: {},
  events: [],
  links: [],
  traceState: '',
  flags: 0,
  droppedAttributes: 0,
  droppedEvents: 0,
  droppedLinks: 0,
});

/** `scope`: as scope.ts writes it. @throws {SpanProblem} naming the field. */
export function checkSpan(raw: RawSpan, scope: string, resource: DecodedResource): DecodedSpan {
  const traceId = orThrow(decodeTraceId(raw.traceId, 'traceId'), 'trace_id');
  const spanId = orThrow(decodeSpanId(raw.spanId, 'spanId'), 'span_id');
  const startUnixNs = checkTime(raw.startUnixNs, 'startTimeUnixNano');
  const endUnixNs = checkTime(raw.endUnixNs || raw.startUnixNs, 'endTimeUnixNano');
  const parentSpanId = parentOf(raw.parentSpanId);
  const session = sessionOf(raw.attributes, resource.attributes);
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name: raw.name,
    kind: inRange(raw.kind, 5, 'kind'),
    startUnixNs,
    endUnixNs,
    statusCode: inRange(raw.statusCode, 2, 'status.code'),
    statusMessage: raw.statusMessage,
    attributes: raw.attributes,
    events: raw.events,
    links: raw.links.filter((link, index) => isLink(link, index)),
    ...extrasOf(raw),
    ...scopeOf(scope),
    resource,
    ...(session && { sessionId: session.id, sessionRank: session.rank }),
  };
}

function extrasOf(raw: RawSpan): SpanExtras {
  const dropped: DroppedCounts = {
    ...(raw.droppedAttributes !== 0 && {
      attributes: uint32(raw.droppedAttributes, 'droppedAttributesCount'),
    }),
    ...(raw.droppedEvents !== 0 && { events: uint32(raw.droppedEvents, 'droppedEventsCount') }),
    ...(raw.droppedLinks !== 0 && { links: uint32(raw.droppedLinks, 'droppedLinksCount') }),
  };
  return {
    ...(raw.traceState !== '' && { traceState: raw.traceState }),
    ...(raw.flags !== 0 && { flags: uint32(raw.flags, 'flags') }),
    ...(Object.keys(dropped).length > 0 && { dropped }),
  };
}

/** An event with what few of them say. */
export const eventOf = (event: DecodedEvent, dropped: number): DecodedEvent => ({
  ...event,
  ...(dropped !== 0 && { dropped: uint32(dropped, 'events.droppedAttributesCount') }),
});

/** A link with what few of them say. */
export const linkOf = (
  link: DecodedLink,
  { traceState, flags, dropped }: Required<Pick<DecodedLink, 'traceState' | 'flags' | 'dropped'>>,
): DecodedLink => ({
  ...link,
  ...(traceState !== '' && { traceState }),
  ...(flags !== 0 && { flags: uint32(flags, 'links.flags') }),
  ...(dropped !== 0 && { dropped: uint32(dropped, 'links.droppedAttributesCount') }),
});

function uint32(value: number, path: string): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new SpanProblem(path, 'number', `expected a whole number of 32 bits, got ${value}`);
  return value;
}

/** Sets a key that may be any text. Defining is ten times slower, and only one key needs it. */
export function setAttribute(
  into: Record<string, AttributeValue>,
  key: string,
  value: AttributeValue,
): void {
  if (key !== '__proto__') into[key] = value;
  else
    Object.defineProperty(into, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
}

export function orThrow<T>(result: Decoded<T>, reason: string): T {
  if (!result.ok) throw new SpanProblem(result.path, reason, result.problem);
  return result.value;
}

/** An empty or all-zero parent is how some SDKs write a root. */
function parentOf(hex: string): SpanId | undefined {
  if (/^0*$/.test(hex)) return undefined;
  return orThrow(decodeSpanId(hex, 'parentSpanId'), 'parent_span_id');
}

function checkTime(unixNs: bigint, path: string): bigint {
  if (unixNs > UNIX_NS_MAX)
    throw new SpanProblem(path, 'time', `${unixNs} ns is beyond the year 2262`);
  return unixNs;
}

function inRange(value: number, max: number, path: string): number {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new SpanProblem(path, 'enum', `expected a whole number from 0 to ${max}, got ${value}`);
  return value;
}

/** A link to nothing (all-zero IDs) is left out; one with IDs of a wrong length is a mistake. */
function isLink(link: DecodedLink, index: number): boolean {
  if (/^0*$/.test(link.traceId) || /^0*$/.test(link.spanId)) return false;
  orThrow(decodeTraceId(link.traceId, `links[${index}].traceId`), 'link');
  orThrow(decodeSpanId(link.spanId, `links[${index}].spanId`), 'link');
  return true;
}
