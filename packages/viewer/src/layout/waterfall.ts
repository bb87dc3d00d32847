// A trace as rows: a tree in order of start, depth first, with folds. Iterative:
// a chain of 100,000 spans must not break the stack.

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
