// A trace as rows: a tree in order of start, depth first, with folds. Iterative:
// a chain of 100,000 spans must not break the stack.

export interface SpanNode {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly startNs: number;
}

export interface Tree {
  /** Indices into the spans, parents before their children. */
  readonly order: Int32Array;
  readonly depth: Int32Array;
  /** Spans beneath, by position in `order`: folding skips that many. */
  readonly beneath: Int32Array;
}

/** Children in order of start. A span whose parent is not here, or is itself, is a root; a ring is cut. */
export function treeOf(spans: readonly SpanNode[]): Tree {
  const indexOf = new Map(spans.map((span, i) => [span.spanId, i]));
  const children = new Map<number, number[]>();
  const byStart = spans
    .map((_, i) => i)
    .toSorted((a, b) => spans[a]!.startNs - spans[b]!.startNs || a - b);
  for (const i of byStart) {
    const parent =
      spans[i]!.parentSpanId === null ? -1 : (indexOf.get(spans[i]!.parentSpanId!) ?? -1);
    const key = parent === i ? -1 : parent;
    const siblings = children.get(key);
    if (siblings) siblings.push(i);
    else children.set(key, [i]);
  }
  const walk = new Walk(spans.length, children);
  for (const root of children.get(-1) ?? []) walk.from(root);
  // What no root reaches is a ring of parents: cut it at its earliest span.
  for (const i of byStart) walk.from(i);
  return walk.done();
}

class Walk {
  readonly #order: Int32Array;
  readonly #depth: Int32Array;
  readonly #seen: Uint8Array;
  readonly #children: ReadonlyMap<number, readonly number[]>;
  #count = 0;

  constructor(length: number, children: ReadonlyMap<number, readonly number[]>) {
    this.#order = new Int32Array(length);
    this.#depth = new Int32Array(length);
    this.#seen = new Uint8Array(length);
    this.#children = children;
  }

  from(root: number): void {
    const stack: [number, number][] = [[root, 0]];
    for (let top = stack.pop(); top; top = stack.pop()) {
      const [index, depth] = top;
      if (this.#seen[index] === 1) continue;
      this.#seen[index] = 1;
      this.#order[this.#count] = index;
      this.#depth[this.#count++] = depth;
      for (const child of (this.#children.get(index) ?? []).toReversed())
        stack.push([child, depth + 1]);
    }
  }

  done(): Tree {
    const beneath = new Int32Array(this.#count);
    const open: number[] = [];
    for (let at = 0; at <= this.#count; at++) {
      const depth = at < this.#count ? this.#depth[at]! : -1;
      while (open.length > 0 && this.#depth[open.at(-1)!]! >= depth) {
        const closed = open.pop()!;
        beneath[closed] = at - closed - 1;
      }
      if (at < this.#count) open.push(at);
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
