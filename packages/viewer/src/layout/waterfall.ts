// A trace as rows: a tree in order of start, depth first, with folds. Iterative:
// a chain of 100,000 spans must not break the stack. And where a row in view stands.

/** Columns of one length; `parent` is a row or −1. */
export interface SpanRows {
  readonly count: number;
  readonly parent: Int32Array;
  readonly startNs: Float64Array;
}

export interface Tree {
  /** Rows of the spans, parents before their children. */
  readonly order: Int32Array;
  readonly depth: Int32Array;
  /** Spans beneath, by position in `order`: folding skips that many. */
  readonly beneath: Int32Array;
}

/** Children as linked lists in order of start: no array a span. */
export interface Children {
  /** First child of each row, and behind the last row the first root; −1 for none. */
  readonly first: Int32Array;
  readonly next: Int32Array;
}

/** Rows by start; nearly always the order they came in. */
function byStart({ count, startNs }: SpanRows): Int32Array {
  const order = Int32Array.from({ length: count }, (_, row) => row);
  for (let row = 1; row < count; row++)
    if (startNs[row]! < startNs[row - 1]!)
      return order.sort((a, b) => startNs[a]! - startNs[b]! || a - b);
  return order;
}

export function childrenOf(spans: SpanRows): Children {
  const { count, parent } = spans;
  const first = new Int32Array(count + 1).fill(-1);
  const next = new Int32Array(count).fill(-1);
  const order = byStart(spans);
  for (let i = count - 1; i >= 0; i--) {
    const row = order[i]!;
    const above = parent[row]!;
    const list = above < 0 || above === row ? count : above;
    next[row] = first[list]!;
    first[list] = row;
  }
  return { first, next };
}

/** Children in order of start. A span whose parent is not here, or is itself, is a root; a ring is cut. */
export function treeOf(spans: SpanRows): Tree {
  const children = childrenOf(spans);
  const walk = new Walk(spans.count, children);
  for (let root = children.first[spans.count]!; root >= 0; root = children.next[root]!)
    walk.from(root);
  // What no root reaches is a ring of parents: cut it at its earliest span.
  if (!walk.isWhole) for (const row of byStart(spans)) walk.from(row);
  return walk.done();
}

class Walk {
  readonly #order: Int32Array;
  readonly #depth: Int32Array;
  readonly #depthOf: Int32Array;
  readonly #seen: Uint8Array;
  readonly #stack: Int32Array;
  readonly #children: Children;
  #count = 0;

  constructor(length: number, children: Children) {
    this.#order = new Int32Array(length);
    this.#depth = new Int32Array(length);
    this.#depthOf = new Int32Array(length);
    this.#seen = new Uint8Array(length);
    this.#stack = new Int32Array(length + 1);
    this.#children = children;
  }

  get isWhole(): boolean {
    return this.#count === this.#order.length;
  }

  /** Down first, then along: the next sibling waits on the stack. */
  from(root: number): void {
    if (this.#seen[root] === 1) return;
    const stack = this.#stack;
    let top = 0;
    this.#depthOf[root] = 0;
    stack[top++] = root;
    while (top > 0) {
      const row = stack[--top]!;
      if (this.#seen[row] === 1) continue;
      this.#seen[row] = 1;
      const depth = this.#depthOf[row]!;
      this.#order[this.#count] = row;
      this.#depth[this.#count++] = depth;
      const sibling = row === root ? -1 : this.#children.next[row]!;
      if (sibling >= 0 && this.#seen[sibling] === 0) {
        this.#depthOf[sibling] = depth;
        stack[top++] = sibling;
      }
      const child = this.#children.first[row]!;
      if (child < 0 || this.#seen[child] === 1) continue;
      this.#depthOf[child] = depth + 1;
      stack[top++] = child;
    }
  }

  done(): Tree {
    const beneath = new Int32Array(this.#count);
    const open = new Int32Array(this.#count + 1);
    let top = 0;
    for (let at = 0; at <= this.#count; at++) {
      const depth = at < this.#count ? this.#depth[at]! : -1;
      while (top > 0 && this.#depth[open[top - 1]!]! >= depth) {
        const closed = open[--top]!;
        beneath[closed] = at - closed - 1;
      }
      if (at < this.#count) open[top++] = at;
    }
    return { order: this.#order, depth: this.#depth, beneath };
  }
}

/** Positions that show when the spans in `folded` (positions) are closed. */
export function visibleRows(tree: Tree, folded: ReadonlySet<number>): Int32Array {
  const rows = new Int32Array(tree.order.length);
  let count = 0;
  for (let at = 0; at < tree.order.length; at++) {
    rows[count++] = at;
    if (folded.has(at)) at += tree.beneath[at]!;
  }
  return rows.subarray(0, count);
}

export const ROW_PX = 26;
/** Deeper spans stand no further to the right: their names would have no room. */
const INDENT_MAX = 14;
const INDENT_PX = 14;
const EDGE_PX = 8;
/** Where the sign of a fold is, left of the name. */
const TWIST_PX = 18;
/** A bar is seen however short its span. */
const BAR_PX_MIN = 2;
/** A length is written right of its bar while this much is free there, else left of it, else on it. */
const TOOK_PX = 96;

/** What part of the trace the tracks show. */
export interface FallWindow {
  readonly fromNs: number;
  readonly toNs: number;
}

/** The room that rows have, in CSS pixels. */
export interface FallRoom {
  readonly scrollPx: number;
  readonly heightPx: number;
  readonly widthPx: number;
  /** Of it, for names. */
  readonly namePx: number;
}

/** Names take their share, never more than they need. */
export const namePxOf = (widthPx: number): number => Math.min(360, Math.floor(widthPx * 0.42));

/** `[first, end)` of the rows in view, a row cut in two at either side included. */
export function rowsInView(count: number, { scrollPx, heightPx }: FallRoom): [number, number] {
  const first = Math.min(count, Math.max(0, Math.floor(scrollPx / ROW_PX)));
  return [first, Math.max(first, Math.min(count, Math.ceil((scrollPx + heightPx) / ROW_PX)))];
}

/** The row under a height of the picture; undefined beneath the last. */
export function rowAt(count: number, scrollPx: number, y: number): number | undefined {
  const index = Math.floor((scrollPx + y) / ROW_PX);
  return index >= 0 && index < count ? index : undefined;
}

export interface FallBar {
  readonly left: number;
  readonly right: number;
}

export interface FallTook {
  readonly x: number;
  readonly align: 'left' | 'right';
  /** On the bar, at its end. */
  readonly isInside: boolean;
}

/** Where the bar of a span is, if any of it is in the window, and where its length is written. */
export function barOf(
  span: { readonly startNs: number; readonly lengthNs: number },
  window: FallWindow,
  { widthPx, namePx }: Pick<FallRoom, 'widthPx' | 'namePx'>,
): { readonly bar: FallBar | undefined; readonly took: FallTook } {
  const perNs = (widthPx - namePx) / (window.toNs - window.fromNs);
  const x = (ns: number): number => namePx + (ns - window.fromNs) * perNs;
  const [start, end] = [x(span.startNs), x(span.startNs + Math.max(0, span.lengthNs))];
  if (end < namePx) return { bar: undefined, took: { x: namePx, align: 'left', isInside: false } };
  if (start > widthPx)
    return { bar: undefined, took: { x: widthPx, align: 'right', isInside: false } };
  const left = Math.max(namePx, start);
  const right = Math.max(left + BAR_PX_MIN, Math.min(widthPx, end));
  return { bar: { left, right }, took: tookBeside(left, right, { widthPx, namePx }) };
}

function tookBeside(
  left: number,
  right: number,
  { widthPx, namePx }: Pick<FallRoom, 'widthPx' | 'namePx'>,
): FallTook {
  if (right <= widthPx - TOOK_PX) return { x: right, align: 'left', isInside: false };
  const isInside = left < namePx + TOOK_PX;
  return { x: isInside ? right : left, align: 'right', isInside };
}

/** Where the name of a row begins, behind the sign of its fold. */
export const labelPxOf = (depth: number): number =>
  EDGE_PX + Math.min(depth, INDENT_MAX) * INDENT_PX + TWIST_PX + 6;

/** True when a press at `x` meant the sign of the fold and not the row. */
export function isTwist(depth: number, x: number): boolean {
  const endPx = labelPxOf(depth) - 3;
  return x < endPx && x >= endPx - TWIST_PX - 6;
}
