// A trace as a tree: order, depth, folds, and traces that are no tree.

import { expect, test } from 'vitest';
import { treeOf, visibleRows } from '../src/layout/waterfall.ts';

/** `b<a@5`: span b, child of a, starting at 5. */
function spansOf(text: string): { spanId: string; parentSpanId: string | null; startNs: number }[] {
  return text.split(' ').map(part => {
    const [, spanId = '', parent, at] = /^(\w+)(?:<(\w+))?@(\d+)$/.exec(part)!;
    return { spanId, parentSpanId: parent ?? null, startNs: Number(at) };
  });
}

function picture(text: string, folded: readonly string[] = []): string {
  const spans = spansOf(text);
  const tree = treeOf(spans);
  const positions = new Set(folded.map(id => tree.order.findIndex(i => spans[i]!.spanId === id)));
  return Array.from(
    visibleRows(tree, positions),
    at => '.'.repeat(tree.depth[at]!) + spans[tree.order[at]!]!.spanId,
  ).join(' ');
}

test('children stand under their parent in order of start', () => {
  expect(picture('a@0 c<a@5 b<a@2 d<b@3')).toBe('a .b ..d .c');
});

test('a span whose parent never came is a root', () => {
  expect(picture('a@0 b<gone@1 c<b@2')).toBe('a b .c');
});

test('a ring of parents is cut and shown', () => {
  expect(picture('a@0 b<c@1 c<b@2 d<d@3')).toBe('a d b .c');
});

test('a folded span hides all beneath it and nothing else', () => {
  expect(picture('a@0 b<a@1 c<b@2 d<a@3', ['b'])).toBe('a .b .d');
});

test('a chain of 100,000 spans does not break the stack', () => {
  const spans = Array.from({ length: 100_000 }, (_, i) => ({
    spanId: `s${i}`,
    parentSpanId: i === 0 ? null : `s${i - 1}`,
    startNs: i,
  }));
  const tree = treeOf(spans);
  expect([tree.depth.at(-1), tree.beneath[0]]).toEqual([99_999, 99_999]);
});
