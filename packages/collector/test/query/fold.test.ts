import { ATTR } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { foldTrace } from '../../src/query/fold.ts';
import type { DecodedSpan } from '../../src/decode/types.ts';
import { NOON_NS, seconds, spanOf } from '../support/spans.ts';

const id = (digit: string): DecodedSpan['spanId'] => digit.padStart(16, '0') as never;

const logOf = (name: string, under: string, atS: number): DecodedSpan =>
  spanOf(name, {
    parentSpanId: id(under),
    startUnixNs: NOON_NS + seconds(atS),
    endUnixNs: NOON_NS + seconds(atS),
    attributes: { [ATTR.log]: 'info' },
  });

const pendingOf = (name: string, of: string, parent: string, endS = 5): DecodedSpan =>
  spanOf(name, {
    parentSpanId: id(of),
    endUnixNs: NOON_NS + seconds(endS),
    attributes: { [ATTR.pending]: parent, model: 'm' },
  });

/** `id(parent) name*`, a star while open, its events behind. */
const picture = (...spans: DecodedSpan[]): string[] =>
  foldTrace(spans).map(({ span, isOpen }) => {
    const parent = span.parentSpanId?.replace(/^0+/, '') ?? '';
    const events = span.events.map(event => event.name).join(' ');
    return `${span.spanId.replace(/^0+/, '')}(${parent})${isOpen ? '*' : ''} ${events}`.trim();
  });

test('log records are events of their span, by time', () => {
  expect(picture(logOf('a9', '1', 2), spanOf('a1'), logOf('a8', '1', 1))).toEqual(['1() a8 a9']);
});

test('a log record whose span is not there stays, as a span of no length', () => {
  expect(picture(logOf('a9', '7', 2))).toEqual(['9(7)']);
});

test('a running span is shown under its own ID and parent, open until it is there itself', () => {
  const heartbeat = pendingOf('a9', '2', id('1'));
  expect(picture(spanOf('a1'), heartbeat)).toEqual(['1()', '2(1)*']);
  expect(picture(heartbeat, spanOf('a2', { parentSpanId: id('1') }), spanOf('a1'))).toEqual([
    '2(1)',
    '1()',
  ]);
});

test('of two words of a running span the later one counts', () => {
  const [folded] = foldTrace([pendingOf('a9', '2', '', 5), pendingOf('a8', '2', '', 9)]);
  expect([folded?.isOpen, folded?.span.endUnixNs]).toEqual([true, NOON_NS + seconds(9)]);
  expect(folded?.span.attributes).toEqual({ model: 'm' });
});

test("Logfire's pending span gives way to the real one, and shows as open before", () => {
  const pending = spanOf('a9', {
    name: 'chat (pending)',
    parentSpanId: id('2'),
    attributes: { 'logfire.span_type': 'pending_span', 'logfire.pending_parent_id': id('1') },
  });
  expect(picture(pending)).toEqual(['2(1)*']);
  expect(foldTrace([pending])[0]?.span.name).toBe('chat');
  expect(picture(pending, spanOf('a2', { parentSpanId: id('1') }))).toEqual(['2(1)']);
});
