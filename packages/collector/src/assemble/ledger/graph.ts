// The dependency graph of one wait, from its moments and the edges of its source.
//
// A node is a moment that was seen. It waits for its inputs; what is under way
// from the latest of them to the node itself is one part. Where a moment was
// not seen, its own inputs stand in for it and the parts merge: the stretch has
// both names, and no number is made up.
//
//   transcript 380 ──┐                     not seen: model_requested
//   decided    500 ──┴──▶ first_speakable  = preparation+inference from 500

import type { EdgeInput, Profile } from '../../recognise/edges.ts';
import { isOfSetup } from '../../recognise/setup-edges.ts';
import { inPathOrder, type PartName } from './parts.ts';

/** A moment as the graph needs it. `atNs` is a whole number of ns on the wait's axis. */
export interface GraphMoment {
  readonly name: string;
  readonly atNs: number;
  /** Declared inputs: believed over the profile. */
  readonly after?: readonly string[];
  readonly generation?: string;
  readonly source?: string;
}

/** A try that failed, timed out or fell back. */
export interface FailedAttempt {
  readonly startNs: number;
  readonly endNs: number;
  /** What took it up again: the first of these moments at or after its end waits for it. */
  readonly resumes: readonly string[];
}

export interface GraphNode {
  readonly moment: GraphMoment;
  /** Empty for the start and for what waits for nothing known. */
  readonly inputs: GraphNode[];
  /** Name of the stretch from the latest input to here; more than one where moments were not seen. */
  parts: readonly PartName[];
}

export interface GraphFacts {
  readonly moments: readonly GraphMoment[];
  readonly profile: Profile;
  readonly failed: readonly FailedAttempt[];
  /** Index in `moments` of the wait's first one. */
  readonly startIndex: number;
}

/** Recursion through moments that were not seen ends here, whatever a profile says. */
const DEPTH_MAX = 32;

/** Nodes in the order of `moments`; those of failed attempts come after. */
export function buildGraph(facts: GraphFacts): GraphNode[] {
  const nodes = facts.moments.map((moment): GraphNode => ({
    moment,
    inputs: [],
    parts: ['unattributed'],
  }));
  const builder = new Builder(facts, nodes);
  nodes.forEach((node, at) => {
    if (at !== facts.startIndex) builder.connect(node);
  });
  for (const attempt of facts.failed) nodes.push(...builder.insertFailed(attempt));
  return nodes;
}

interface Edge {
  readonly node: GraphNode;
  /** Parts of the unseen moments between that node and the one that waits. */
  readonly through: readonly PartName[];
}

class Builder {
  readonly #facts: GraphFacts;
  readonly #nodes: readonly GraphNode[];
  readonly #byName = new Map<string, GraphNode[]>();
  readonly #start: GraphNode;
  /** Where a greeting was owed, if the wait begins with the set-up before it. */
  readonly #owed: GraphNode | undefined;

  constructor(facts: GraphFacts, nodes: readonly GraphNode[]) {
    this.#facts = facts;
    this.#nodes = [...nodes];
    this.#start = nodes[facts.startIndex]!;
    for (const node of nodes) {
      const same = this.#byName.get(node.moment.name);
      if (same === undefined) this.#byName.set(node.moment.name, [node]);
      else same.push(node);
    }
    const [owed] = this.#byName.get('wait_opened') ?? [];
    this.#owed = owed === this.#start ? undefined : owed;
  }

  connect(node: GraphNode): void {
    const { moment } = node;
    const rule = this.#facts.profile.get(moment.name);
    const own = rule?.part ?? 'unattributed';
    const declared = moment.after?.map((name): EdgeInput => ({ name, kind: 'always' }));
    const inputs = declared ?? rule?.inputs ?? [];
    const edges = inputs.flatMap(input => this.#resolve(node, input, DEPTH_MAX));
    this.#joinTools(node, edges);
    // Nothing it waited for came first: it was waiting since the start.
    if (edges.length === 0 && rule !== undefined && moment.name !== 'floor_free')
      edges.push({ node: this.#rootOf(node), through: [] });
    for (const edge of edges)
      if (edge.node !== node && !node.inputs.includes(edge.node)) node.inputs.push(edge.node);
    node.parts = inPathOrder([...edges.flatMap(edge => edge.through), own]);
  }

  /** What a moment waits for that waits for nothing known: what began the wait, of the work after a set-up what owed it. */
  #rootOf({ moment: { name, atNs } }: GraphNode): GraphNode {
    const owed = this.#owed;
    const isWork = owed !== undefined && !isOfSetup(name) && owed.moment.atNs <= atNs;
    return isWork ? owed : this.#start;
  }

  /** The seen moments that stand for one input of `node`. */
  #resolve(node: GraphNode, input: EdgeInput, depth: number): Edge[] {
    if (depth === 0) return [];
    const seen = this.#pick(node, input);
    if (input.name === this.#start.moment.name) {
      // A wait that opens with a request may hold another, after a tool.
      const isAgain = seen !== undefined && seen.moment.atNs <= node.moment.atNs;
      return [{ node: isAgain ? seen : this.#start, through: [] }];
    }
    if (seen !== undefined) {
      const isLater = seen.moment.atNs > node.moment.atNs;
      return isLater && input.kind !== 'always' ? [] : [{ node: seen, through: [] }];
    }
    if (input.kind === 'if before') return [];
    const rule = this.#facts.profile.get(input.name);
    // Not of this profile (a greeting has no end of speech): nothing was missed.
    if (rule === undefined) return [{ node: this.#rootOf(node), through: [] }];
    const before = rule.inputs.flatMap(one => this.#resolve(node, one, depth - 1));
    const edges = before.length > 0 ? before : [{ node: this.#rootOf(node), through: [] }];
    return edges.map(edge => ({ node: edge.node, through: [...edge.through, rule.part] }));
  }

  /** Which moment of that name is meant: of the same generation if there is one, the last before `node`. */
  #pick(node: GraphNode, { name }: EdgeInput): GraphNode | undefined {
    const all = (this.#byName.get(name) ?? []).filter(one => one !== node);
    const { generation, atNs } = node.moment;
    const own = all.filter(one => one.moment.generation === generation);
    const candidates = generation !== undefined && own.length > 0 ? own : all;
    if (name === 'tool_started') return toolStartOf(node, candidates, this.#nodes);
    const before = candidates.filter(one => one.moment.atNs <= atNs);
    if (before.length > 0) return before.reduce((a, b) => (b.moment.atNs >= a.moment.atNs ? b : a));
    return candidates.length === 0
      ? undefined
      : candidates.reduce((a, b) => (b.moment.atNs < a.moment.atNs ? b : a));
  }

  /** Tools run side by side are all waited for; and a request after a tool that nobody saw is missing. */
  #joinTools(node: GraphNode, edges: Edge[]): void {
    const { name, atNs } = node.moment;
    if (name !== 'model_requested' && name !== 'first_speakable') return;
    const asked = (this.#byName.get('model_requested') ?? []).filter(
      one => one !== node && one.moment.atNs <= atNs,
    );
    const sinceNs = Math.max(-Infinity, ...asked.map(one => one.moment.atNs));
    for (const tool of this.#byName.get('tool_ended') ?? [])
      if (tool.moment.atNs <= atNs && tool.moment.atNs > sinceNs)
        edges.push({ node: tool, through: name === 'first_speakable' ? ['preparation'] : [] });
  }

  /** Puts a failed attempt before the moment that took the work up again. */
  insertFailed(attempt: FailedAttempt): GraphNode[] {
    const gate = this.#nodes
      .filter(node => attempt.resumes.includes(node.moment.name))
      .filter(node => node.moment.atNs >= attempt.endNs)
      .toSorted((a, b) => a.moment.atNs - b.moment.atNs)[0];
    if (gate === undefined) return [];
    const begun: GraphNode = {
      moment: { name: 'attempt_started', atNs: attempt.startNs },
      inputs: gate.inputs.filter(input => input.moment.atNs <= attempt.startNs),
      parts: ['preparation'],
    };
    if (begun.inputs.length === 0) begun.inputs.push(this.#start);
    const failed: GraphNode = {
      moment: { name: 'attempt_failed', atNs: attempt.endNs },
      inputs: [begun],
      parts: ['failed_attempt'],
    };
    gate.inputs.push(failed);
    return [begun, failed];
  }
}

/** First started, first ended: nothing on the wire says which end belongs to which start. */
function toolStartOf(
  node: GraphNode,
  starts: readonly GraphNode[],
  nodes: readonly GraphNode[],
): GraphNode | undefined {
  const byTime = (a: GraphNode, b: GraphNode): number => a.moment.atNs - b.moment.atNs;
  const ends = nodes.filter(one => one.moment.name === 'tool_ended').toSorted(byTime);
  const index = ends.indexOf(node);
  const sorted = starts.toSorted(byTime);
  const start = sorted[Math.min(Math.max(index, 0), sorted.length - 1)];
  return start !== undefined && start.moment.atNs <= node.moment.atNs ? start : sorted[0];
}
