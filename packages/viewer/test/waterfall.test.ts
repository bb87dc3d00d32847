// A trace as a tree: order, depth, folds, and traces that are no tree.

import { expect, test } from 'vitest';
import { criticalPath, type TimedRows } from '../src/layout/critical-path.ts';
import { treeOf, visibleRows } from '../src/layout/waterfall.ts';

interface Named extends TimedRows {
  readonly ids: readonly string[];
}

/** `b<a@5+3`: span b, child of a, starting at 5 and taking 3. */
function spansOf(text: string): Named {
  const found = text
    .split(' ')
    .map(part => /^(\w+)(?:<(\w+))?@(\d+)(?:\+(\d+))?$/.exec(part)!.slice(1));
  const ids = found.map(([id]) => id!);
  return {
    ids,
    count: ids.length,
    parent: Int32Array.from(found, ([, parent]) => ids.indexOf(parent ?? '')),
    startNs: Float64Array.from(found, ([, , at]) => Number(at)),
    lengthNs: Float64Array.from(found, ([, , , length]) => Number(length ?? 0)),
  };
}

function picture(text: string, folded: readonly string[] = []): string {
  const spans = spansOf(text);
  const tree = treeOf(spans);
  const positions = new Set(folded.map(id => tree.order.findIndex(row => spans.ids[row] === id)));
  return Array.from(
    visibleRows(tree, positions),
    at => '.'.repeat(tree.depth[at]!) + spans.ids[tree.order[at]!]!,
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
  const count = 100_000;
  const parent = Int32Array.from({ length: count }, (_, row) => row - 1);
  const startNs = Float64Array.from({ length: count }, (_, row) => row);
  const spans = { count, parent, startNs, lengthNs: startNs.map(at => 2 * count - 2 * at) };
  const tree = treeOf(spans);
  expect([tree.depth.at(-1), tree.beneath[0]]).toEqual([99_999, 99_999]);
  expect(criticalPath(spans, 0).ownNs[count - 1]).toBeGreaterThan(0);
});

/** What is on the path, a letter a span and nanosecond. */
function pathOf(text: string): string {
  const spans = spansOf(text);
  const path = criticalPath(spans, 0);
  const line: string[] = [];
  for (let i = 0; i < path.length; i++)
    for (let at = path.fromNs[i]!; at < path.toNs[i]!; at++) line[at] = spans.ids[path.row[i]!]!;
  return line.join('');
}

test('the critical path goes through the child that ended last, and through nothing beside it', () => {
  expect(pathOf('a@0+12 b<a@2+4 c<a@3+6')).toBe('aaaccccccaaa');
});

test('children one after the other are all on it, and the gaps between are their parent’s', () => {
  expect(pathOf('a@0+10 b<a@1+3 c<a@5+3 d<c@6+1')).toBe('abbbacdcaa');
});

test('a child that outlives its parent counts no longer than the parent', () => {
  expect(pathOf('a@0+4 b<a@2+9')).toBe('aabb');
});

test('the path is as long as the trace’s root, whatever is beneath', () => {
  const spans = spansOf('a@0+20 b<a@0+9 c<a@4+9 d<c@5+20 e<b@2+2 f<gone@3+40');
  const sum = criticalPath(spans, 0).ownNs.reduce((total, ns) => total + ns, 0);
  expect(sum).toBe(20);
});
