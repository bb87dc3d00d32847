// The walk back from the end of a wait: who owned each nanosecond.
//
// At a node that waits for several, the latest input owns the stretch back to
// where it started; a tie goes to the setting. The cursor only moves back, and
// stops at the start, so the parts sum to the wait whatever the moments say.
//
// What one part would save is asked of the graph: how much earlier the end
// comes if that part takes no time. An input that had slack hides the rest.

import { isResolved, type PartName } from './parts.ts';
import type { GraphNode } from './graph.ts';

/** One stretch of the path. `fromNs` … `toNs` lies within the wait; whole ns. */
export interface Stretch {
  readonly parts: readonly PartName[];
  readonly fromNs: number;
  readonly toNs: number;
  /** Length without cutting at the start of the wait. */
  readonly fullNs: number;
  /** Null where the graph cannot say: merged and unattributed stretches. */
  readonly savesNs: number | null;
  /** Both ends; `from` is missing where nothing known began it. */
  readonly from?: GraphNode;
  readonly to: GraphNode;
}

/** Stretches in order of time; their lengths sum to `end − start` exactly. */
export function walkBack(start: GraphNode, end: GraphNode): Stretch[] {
  const stretches: Stretch[] = [];
  const startNs = start.moment.atNs;
  const visited = new Set<GraphNode>();
  let node = end;
  let cursorNs = Math.max(end.moment.atNs, startNs);
  while (cursorNs > startNs) {
    visited.add(node);
    const from = latestInput(node);
    if (from === undefined || visited.has(from)) {
      stretches.push(unknownStretch(node, startNs, cursorNs));
      break;
    }
    const reachedNs = Math.max(startNs, Math.min(cursorNs, from.moment.atNs));
    if (reachedNs < cursorNs)
      stretches.push({
        parts: node.parts,
        fromNs: reachedNs,
        toNs: cursorNs,
        fullNs: Math.max(cursorNs - reachedNs, node.moment.atNs - from.moment.atNs),
        savesNs: isResolved(node.parts) ? saves(node, end, cursorNs0(start, end)) : null,
        from,
        to: node,
      });
    cursorNs = reachedNs;
    node = from;
  }
  return stretches.toReversed();
}

const cursorNs0 = (start: GraphNode, end: GraphNode): number =>
  Math.max(0, end.moment.atNs - start.moment.atNs);

/** What waits for nothing known owned all the time before it, by its own name if it has one (`floor`). */
function unknownStretch(node: GraphNode, startNs: number, cursorNs: number): Stretch {
  const isRoot = node.inputs.length === 0;
  return {
    parts: isRoot ? node.parts : ['unattributed'],
    fromNs: startNs,
    toNs: cursorNs,
    fullNs: cursorNs - startNs,
    savesNs: null,
    to: node,
  };
}

/** The input that came last; of several at one time the one that a setting decides. */
export function latestInput(node: GraphNode): GraphNode | undefined {
  let latest: GraphNode | undefined;
  for (const input of node.inputs) {
    if (latest === undefined || input.moment.atNs > latest.moment.atNs) latest = input;
    else if (input.moment.atNs === latest.moment.atNs && isSetting(input)) latest = input;
  }
  return latest;
}

const isSetting = (node: GraphNode): boolean =>
  node.parts.includes('endpointing') || node.parts.includes('aggregation');

/** How long the work of `node` itself took: since its latest input. */
export const ownNs = (node: GraphNode): number => {
  const from = latestInput(node);
  return from === undefined ? 0 : Math.max(0, node.moment.atNs - from.moment.atNs);
};

/** How much earlier `end` would come if the work of `node` took no time; at most `waitNs`. */
export function saves(node: GraphNode, end: GraphNode, waitNs: number): number {
  const earlier = new Map<GraphNode, number>();
  const earlierNs = (at: GraphNode): number => {
    const known = earlier.get(at);
    if (known !== undefined) return known;
    // A loop in declared edges: whatever is inside it gains nothing.
    earlier.set(at, 0);
    const from = latestInput(at);
    let gainNs = from === undefined ? 0 : Infinity;
    for (const input of at.inputs)
      gainNs = Math.min(gainNs, earlierNs(input) + (from!.moment.atNs - input.moment.atNs));
    if (at === node) gainNs += ownNs(at);
    earlier.set(at, gainNs);
    return gainNs;
  };
  return Math.max(0, Math.min(waitNs, earlierNs(end)));
}
