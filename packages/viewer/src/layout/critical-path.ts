// The critical path of a trace: walking back from the end, at each moment the span
// that the end waited for. Shortening anything else gains nothing.
//
//   root   [====........====]     = on the path in the root itself
//   a        [===]                . waits for a child: there the child is on it
//   b           [=====]           of two that overlap the one that ends later
//
// Iterative, and each span is entered once: rings and chains of any length end.

import { childrenOf, type SpanRows } from './waterfall.ts';

export interface CriticalPath {
  /** Nanoseconds of each row on the path, in itself and not in a child. */
  readonly ownNs: Float64Array;
  /** Where on the axis those lie: pieces in no order. */
  readonly row: Int32Array;
  readonly fromNs: Float64Array;
  readonly toNs: Float64Array;
  readonly length: number;
}

export interface TimedRows extends SpanRows {
  readonly lengthNs: Float64Array;
}

export function criticalPath(spans: TimedRows, root: number): CriticalPath {
  const { count, startNs, lengthNs } = spans;
  const children = childrenOf(spans);
  const pieces = new Pieces(count);
  const seen = new Uint8Array(count);
  const stack: [row: number, limitNs: number][] =
    root >= 0 && root < count ? [[root, startNs[root]! + lengthNs[root]!]] : [];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const [row, limitNs] = top;
    if (seen[row] === 1) continue;
    seen[row] = 1;
    let atNs = limitNs;
    let isFirst = true;
    for (const child of latestFirst(spans, children.first[row]!, children.next)) {
      const endNs = Math.min(startNs[child]! + lengthNs[child]!, atNs);
      // Still running when the next one began: nobody waited for it. The last one may outlive its parent.
      if (!isFirst && startNs[child]! + lengthNs[child]! > atNs) continue;
      if (startNs[child]! >= atNs || endNs <= startNs[row]!) continue;
      isFirst = false;
      pieces.add(row, endNs, atNs);
      stack.push([child, endNs]);
      atNs = Math.max(startNs[child]!, startNs[row]!);
    }
    pieces.add(row, startNs[row]!, atNs);
  }
  return pieces.done();
}

function latestFirst(spans: TimedRows, first: number, next: Int32Array): number[] {
  const found: number[] = [];
  for (let child = first; child >= 0; child = next[child]!) found.push(child);
  const endNs = (row: number): number => spans.startNs[row]! + spans.lengthNs[row]!;
  return found.length > 1 ? found.sort((a, b) => endNs(b) - endNs(a)) : found;
}

class Pieces {
  readonly #ownNs: Float64Array;
  readonly #row: number[] = [];
  readonly #fromNs: number[] = [];
  readonly #toNs: number[] = [];

  constructor(count: number) {
    this.#ownNs = new Float64Array(count);
  }

  add(row: number, fromNs: number, toNs: number): void {
    if (toNs <= fromNs) return;
    this.#row.push(row);
    this.#fromNs.push(fromNs);
    this.#toNs.push(toNs);
    this.#ownNs[row]! += toNs - fromNs;
  }

  done(): CriticalPath {
    return {
      ownNs: this.#ownNs,
      row: Int32Array.from(this.#row),
      fromNs: Float64Array.from(this.#fromNs),
      toNs: Float64Array.from(this.#toNs),
      length: this.#row.length,
    };
  }
}
