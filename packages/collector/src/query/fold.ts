// A trace as it is shown: log records become events of their spans again, and
// what was told of running spans gives way to the spans themselves.
//
// Three shapes stand in the store beside ordinary spans: log records
// (`framescope.log`), pending spans of heart beats (`framescope.pending`), and
// Logfire's own pending spans. The last two stand under the ID of the span
// that they tell of. None of the three may be handed on as a span.

import { ATTR, type SpanId } from '@framescope/protocol';
import type { DecodedSpan } from '../decode/types.ts';

const LOGFIRE_TYPE = 'logfire.span_type';
const LOGFIRE_PARENT = 'logfire.pending_parent_id';

export const isLogRecord = (span: DecodedSpan): boolean => ATTR.log in span.attributes;

export const isPending = (span: DecodedSpan): boolean =>
  ATTR.pending in span.attributes || span.attributes[LOGFIRE_TYPE] === 'pending_span';

/** Attributes without which a span is nothing but itself. */
export const FOLD_KEYS: readonly string[] = [ATTR.log, ATTR.pending, LOGFIRE_TYPE];

/** A span that some program made, ended, and that may be handed on. */
export const isWhole = (span: DecodedSpan): boolean => !isLogRecord(span) && !isPending(span);

export interface Folded<T extends DecodedSpan> {
  readonly span: T;
  /** Told of while it ran; its end is when that was said last. */
  readonly isOpen: boolean;
}

/** Records of spans that are not there stay what they are: spans of no length. */
export function foldTrace<T extends DecodedSpan>(spans: readonly T[]): Folded<T>[] {
  const whole = new Map<string, { span: T; isOpen: boolean }>();
  for (const span of spans) if (isWhole(span)) whole.set(span.spanId, { span, isOpen: false });
  for (const span of spans)
    if (isPending(span) && span.parentSpanId !== undefined) addOpen(span, span.parentSpanId, whole);
  const stray: Folded<T>[] = [];
  for (const span of spans) {
    if (!isLogRecord(span)) continue;
    const owner = whole.get(span.parentSpanId ?? '');
    if (owner) owner.span = withEvent(owner.span, span);
    else stray.push({ span, isOpen: false });
  }
  return [...whole.values(), ...stray];
}

function addOpen<T extends DecodedSpan>(
  pending: T,
  spanId: SpanId,
  whole: Map<string, { span: T; isOpen: boolean }>,
): void {
  const known = whole.get(spanId);
  if (known?.isOpen === false) return;
  if (known && known.span.endUnixNs >= pending.endUnixNs) return;
  whole.set(spanId, { span: asOpen(pending, spanId), isOpen: true });
}

function asOpen<T extends DecodedSpan>(pending: T, spanId: SpanId): T {
  const { [ATTR.pending]: ours, [LOGFIRE_PARENT]: logfires, ...attributes } = pending.attributes;
  const { parentSpanId: _stoodFor, ...rest } = pending;
  const parent = typeof ours === 'string' ? ours : logfires;
  const isChild =
    typeof parent === 'string' && /^[0-9a-f]{16}$/.test(parent) && !/^0+$/.test(parent);
  return {
    ...rest,
    spanId,
    name: pending.name.replace(/ \(pending\)$/, ''),
    attributes,
    ...(isChild && { parentSpanId: parent as SpanId }),
  } as T;
}

function withEvent<T extends DecodedSpan>(span: T, record: DecodedSpan): T {
  const event = { name: record.name, atUnixNs: record.startUnixNs, attributes: record.attributes };
  const events = [...span.events, event].toSorted((a, b) => (a.atUnixNs < b.atUnixNs ? -1 : 1));
  return { ...span, events };
}
