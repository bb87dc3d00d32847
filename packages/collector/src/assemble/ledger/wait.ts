// The ledger of one wait: from moments on several clocks to parts that sum.
//
//   moments ─▶ which definition is widest ─▶ one axis ─▶ graph ─▶ walk back ─▶ parts
//
// A wait that was never answered has a ledger too: it ends where it was given
// up, and its last part is what was under way then.

import type { Moment, Part, Wait, WaitDefinition, WaitOutcome } from '@framescope/protocol';
import type { Profile } from '../../recognise/edges.ts';
import type { SourceName } from '../../recognise/source.types.ts';
import { profileOf } from '../../recognise/sources.ts';
import { SETUP_ENDS, SETUP_START } from '../../recognise/setup-edges.ts';
import { buildGraph, type FailedAttempt, type GraphNode } from './graph.ts';
import { isResolved, ownerOf, type PartName } from './parts.ts';
import { placeMoments, type PlacedMoment, type Placement, type RawMoment } from './place.ts';
import { walkBack, type Stretch } from './walk.ts';

/** Everything known of one wait, on the clocks that read it. */
export interface WaitFacts {
  readonly kind: Wait['kind'];
  readonly outcome: WaitOutcome;
  /** Seen moments, of the generation that spoke and of none; discarded ones left out. */
  readonly moments: readonly RawMoment[];
  readonly failed: readonly RawAttempt[];
  /** Whose edges hold; absent: our own instrument's. A framework's first frame sent is an end of its own. */
  readonly source?: SourceName;
  /** Where it was given up, or now; for waits without a first voiced sample. */
  readonly cut?: RawMoment;
  readonly revision: number;
}

/** A failed try, on the clock of the authority. */
export interface RawAttempt {
  readonly start: RawMoment;
  readonly end: RawMoment;
  readonly resumes: readonly string[];
}

export interface WaitLedger {
  readonly wait: Wait;
  /** Both ends were seen (or it was given up): it may be counted. */
  readonly isMeasured: boolean;
  /** The same wait by each definition, for charts: value and its error. */
  readonly figures: readonly {
    readonly definition: WaitDefinition;
    readonly valueNs: number;
    readonly errorNs: number;
  }[];
  readonly faultCount: number;
}

/** Starts and ends by definition, widest first: client, then server, then a framework's own. */
const STARTS = {
  client: 'speech_end_captured',
  carrier: 'speech_end_carried',
  server: 'speech_end_received',
} as const;
const CLIENT_ENDS = ['first_voiced_audible', 'first_voiced_unbuffered', 'first_voiced_received'];
const CARRIER_END = 'first_voiced_carried';
const SERVER_END = 'first_voiced_sent';
const FRAMEWORK_END = 'first_frame_sent';

interface Span {
  readonly definition: 'setup' | 'client' | 'carrier' | 'server' | 'framework';
  readonly start: RawMoment;
  readonly end: RawMoment;
}

/** Undefined when no moment at all is known. */
export function ledgerOf(facts: WaitFacts): WaitLedger | undefined {
  const spans = spansOf(facts);
  const widest = spans[0] ?? guessedSpan(facts);
  if (widest === undefined) return undefined;
  const isMeasured = spans.length > 0;
  const failed = facts.failed.flatMap(({ start, end }) => [start, end]);
  const ends = [widest, ...spans].flatMap(({ start, end }) => [start, end]);
  const all = [...new Set([...facts.moments, ...ends])];
  // The clock where it ends is the home; for a wait given up, where it starts.
  const home = facts.cut === undefined ? widest.end : widest.start;
  const placement = placeMoments([...all, ...failed], home);
  const placed = placement.moments.slice(0, all.length);
  const at = (raw: RawMoment): PlacedMoment => placement.moments[[...all, ...failed].indexOf(raw)]!;
  const nodes = graphOf(facts, placed, at);
  const startNode = nodes[all.indexOf(widest.start)]!;
  const endNode = nodes[all.indexOf(widest.end)]!;
  const context: LedgerContext = {
    facts,
    placement,
    byNode: byNodeOf(nodes, placed, placement.moments.slice(all.length)),
    startNode,
    endNode,
  };
  const wait = waitOf(context, { widest, spans, at });
  return {
    wait,
    isMeasured,
    figures: isMeasured ? spans.map(span => figureOf(span, placement, at, facts)) : [],
    faultCount: placement.faultCount,
  };
}

interface LedgerContext {
  readonly facts: WaitFacts;
  readonly placement: Placement;
  readonly byNode: ReadonlyMap<GraphNode, PlacedMoment>;
  readonly startNode: GraphNode;
  readonly endNode: GraphNode;
}

/** Nodes come in the order of the moments; those of failed attempts that were put in, after. */
function byNodeOf(
  nodes: readonly GraphNode[],
  placed: readonly PlacedMoment[],
  failed: readonly PlacedMoment[],
): Map<GraphNode, PlacedMoment> {
  const byNode = new Map(placed.map((moment, i) => [nodes[i]!, moment] as const));
  for (const node of nodes.slice(placed.length)) {
    const { name, atNs } = node.moment;
    const its = failed.find(one => one.name === name && one.atNs === atNs);
    if (its !== undefined) byNode.set(node, its);
  }
  return byNode;
}

/** Definitions of which both ends are known, widest first. */
function spansOf({ kind, moments, cut, source }: WaitFacts): Span[] {
  const find = (name: string): RawMoment | undefined => moments.find(one => one.name === name);
  const opened = find('wait_opened');
  const clientEnd = CLIENT_ENDS.map(find).find(one => one !== undefined) ?? cut;
  const serverEnd = find(SERVER_END) ?? cut;
  const spans: Span[] = [];
  const add = (definition: Span['definition'], start?: RawMoment, end?: RawMoment): void => {
    if (start !== undefined && end !== undefined) spans.push({ definition, start, end });
  };
  const asked = kind === 'greeting' ? find(SETUP_START) : undefined;
  if (asked !== undefined) add('setup', asked, clientEnd ?? serverEnd ?? setUpAt(moments, opened));
  add('client', kind === 'response' ? find(STARTS.client) : opened, clientEnd);
  // A greeting has no end of speech, so its start says nothing of a carrier: its end does.
  const isCarried = find(STARTS.carrier) ?? find(CARRIER_END);
  const carrierEnd = isCarried === undefined ? undefined : (find(CARRIER_END) ?? cut);
  add('carrier', kind === 'response' ? find(STARTS.carrier) : opened, carrierEnd);
  const serverStart = kind === 'response' ? find(STARTS.server) : opened;
  if (isOfFramework(source)) {
    // A frame sent is no voice yet: the framework's definition, never mixed with the server's.
    add('server', serverStart, find(SERVER_END));
    add('framework', serverStart, find(FRAMEWORK_END) ?? cut);
  } else add('server', serverStart, serverEnd);
  // Given up: one figure, by the widest start; nobody heard an end that could tell them apart.
  if (cut === undefined || kind === 'response') return spans;
  return asked === undefined ? spans.slice(-1) : spans.slice(0, 1);
}

/** Nobody greets: the call stands when the last of what sets it up is done. */
function setUpAt(
  moments: readonly RawMoment[],
  opened: RawMoment | undefined,
): RawMoment | undefined {
  if (opened !== undefined) return undefined;
  const ends = moments.filter(one => SETUP_ENDS.has(one.name));
  const order = (one: RawMoment): number => one.clock.toSession(one.rawNs);
  return ends.toSorted((a, b) => order(a) - order(b)).at(-1);
}

/** No definition has both ends: from the first known moment to the last, "at least so long". */
function guessedSpan({ moments, cut, source }: WaitFacts): Span | undefined {
  const all = cut === undefined ? moments : [...moments, cut];
  const order = (one: RawMoment): number => one.clock.toSession(one.rawNs);
  const sorted = all.toSorted((a, b) => order(a) - order(b));
  const [start] = sorted;
  const end = sorted.at(-1);
  if (start === undefined || end === undefined) return undefined;
  return { definition: isOfFramework(source) ? 'framework' : 'server', start, end };
}

const isOfFramework = (source: SourceName | undefined): boolean =>
  source !== undefined && source !== 'framescope';

function graphOf(
  facts: WaitFacts,
  placed: readonly PlacedMoment[],
  at: (raw: RawMoment) => PlacedMoment,
): GraphNode[] {
  const sourceOf = (name: string): string | undefined =>
    facts.moments.find(one => one.name === name)?.source;
  const profile = profileOf(facts.source ?? 'framescope', {
    kind: facts.kind,
    known: new Set(facts.moments.map(one => one.name)),
    decidedBy: sourceOf('turn_decided'),
    audioFrom: sourceOf('first_audio'),
  });
  const spans = spansOf(facts);
  const start = (spans[0] ?? guessedSpan(facts))!.start;
  const failed = facts.failed.map(({ start: from, end, resumes }): FailedAttempt => ({
    startNs: at(from).atNs,
    endNs: at(end).atNs,
    resumes,
  }));
  const startIndex = placed.findIndex(one => one.name === start.name && one.rawNs === start.rawNs);
  const nodes = buildGraph({ moments: placed, profile, failed, startIndex });
  if (facts.cut !== undefined) connectCut(nodes, placed.length, profile);
  return nodes;
}

/** What was under way when it was given up: the work of the moment that would have come next. */
function connectCut(nodes: readonly GraphNode[], count: number, profile: Profile): void {
  const cut = nodes.slice(0, count).find(node => node.moment.name === 'given_up');
  if (cut === undefined) return;
  const seen = nodes
    .slice(0, count)
    .filter(node => node !== cut && node.moment.atNs <= cut.moment.atNs);
  const rank = new Map([...profile.keys()].map((name, i) => [name, i]));
  const furthest = seen
    .filter(node => rank.has(node.moment.name))
    .toSorted(
      (a, b) =>
        rank.get(a.moment.name)! - rank.get(b.moment.name)! || a.moment.atNs - b.moment.atNs,
    )
    .at(-1);
  const before = furthest ?? seen[0];
  if (before === undefined) return;
  cut.inputs.push(before);
  cut.parts = [nextPart(before.moment.name, profile)];
}

/** The part after a moment: that of the first rule which always waits for it. */
function nextPart(name: string, profile: Profile): PartName {
  for (const rule of profile.values())
    if (rule.inputs.some(input => input.name === name && input.kind !== 'if before'))
      return rule.part;
  return name === 'transcript_final' || name === 'tool_ended' ? 'preparation' : 'unattributed';
}

interface Drawn {
  readonly widest: Span;
  readonly spans: readonly Span[];
  readonly at: (raw: RawMoment) => PlacedMoment;
}

function waitOf(context: LedgerContext, { widest, spans, at }: Drawn): Wait {
  const { facts, placement, startNode, endNode } = context;
  const stretches = walkBack(startNode, endNode);
  const startNs = startNode.moment.atNs;
  const endNs = Math.max(startNs, endNode.moment.atNs);
  const waitNs = endNs - startNs;
  const resolvedNs = stretches.reduce(
    (sum, one) => sum + (isResolved(one.parts) ? one.toNs - one.fromNs : 0),
    0,
  );
  return {
    kind: facts.kind,
    outcome: facts.outcome,
    definition: widest.definition,
    startNs,
    endNs: facts.outcome === 'open' ? null : endNs,
    waitNs,
    errorNs: placement.errorNs(at(widest.start), at(widest.end)),
    resolved: waitNs === 0 ? 1 : resolvedNs / waitNs,
    parts: stretches.map(one => partOf(one, context)),
    notSeen: notSeen(widest, spans.length > 0, facts),
    moments: momentsOf(placement.moments.slice(0, facts.moments.length), context),
    alternatives: spans.slice(1).map(({ definition, start, end }) => ({
      definition,
      startNs: at(start).atNs,
      endNs: at(end).atNs,
    })),
    revision: facts.revision,
  };
}

function partOf(one: Stretch, { facts, placement, byNode, startNode }: LedgerContext): Part {
  // What nothing known began is counted from the start of the wait, and is as unsure as that is.
  const from = byNode.get(one.from ?? startNode);
  const to = byNode.get(one.to);
  return {
    name: one.parts.join('+'),
    owner: ownerOf(one.parts, sourceOf(facts, 'turn_decided')),
    startNs: one.fromNs,
    endNs: one.toNs,
    exposedNs: one.toNs - one.fromNs,
    fullNs: one.fullNs,
    savesNs: one.savesNs,
    errorNs: from === undefined || to === undefined ? 0 : placement.errorNs(from, to),
  };
}

const sourceOf = (facts: WaitFacts, name: string): string | undefined =>
  facts.moments.find(one => one.name === name)?.source;

function momentsOf(
  placed: readonly PlacedMoment[],
  { placement, startNode, byNode }: LedgerContext,
): Moment[] {
  const start = byNode.get(startNode)!;
  return placed
    .map(one => ({
      name: one.name,
      atNs: one.atNs,
      source: one.source,
      errorNs: one === start ? one.errorNs : placement.errorNs(start, one),
      domain: one.clock.name.domain,
    }))
    .toSorted((a, b) => a.atNs - b.atNs);
}

/** What lies outside the first and the last moment: listed under the bar, never counted. */
function notSeen(span: Span, isMeasured: boolean, facts: WaitFacts): string[] {
  const lines: string[] = [];
  if (!isMeasured) lines.push('its first or last sample: the wait is at least so long');
  if (facts.kind === 'response') lines.push(BEFORE.get(span.start.name) ?? 'uplink');
  if (facts.cut !== undefined) return lines;
  return [...lines, ...(AFTER.get(span.end.name) ?? ['playout', 'device and Bluetooth'])];
}

// Maps: the names come from outside, and `constructor` is one of them.
const BEFORE: ReadonlyMap<string, string> = new Map([
  [STARTS.client, 'microphone and its driver'],
  [STARTS.carrier, 'caller to carrier'],
]);
const AFTER: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['first_voiced_audible', ['device and Bluetooth']],
  [CARRIER_END, ['carrier to caller']],
  [SERVER_END, ['downlink', 'jitter buffer and playout']],
  [FRAMEWORK_END, ['leading silence', 'downlink', 'jitter buffer and playout']],
  ...[...SETUP_ENDS].map(
    name => [name, ['first voice: nobody owed a greeting']] as [string, string[]],
  ),
]);

function figureOf(
  { definition, start, end }: Span,
  placement: Placement,
  at: (raw: RawMoment) => PlacedMoment,
  facts: WaitFacts,
): WaitLedger['figures'][number] {
  const from = at(start);
  const to = at(end);
  const errorNs = placement.errorNs(from, to);
  return {
    definition,
    valueNs: Math.max(0, to.atNs - from.atNs),
    errorNs: facts.cut === undefined ? errorNs : 0,
  };
}
