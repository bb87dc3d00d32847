// What a LiveKit agent said: one speech for each speech handle, with its generations, tries, tools and
// sound, each with the times that it tells. How the spans lie in one another: livekit-spans.ts.

import { domainNs, type Attributes, type DomainNs } from '@framescope/protocol';
import { byStart, contentAt, jsonAt, under, unixToDomain, type Session } from './livekit-spans.ts';
import { figure } from './livekit-units.ts';
import { flagAt, later, numberAt, textAt, type TimedSpan } from './span-reader.ts';

/** All that belongs to one speech handle: its generations, in several `agent_turn`s or in one. */
export interface Speech {
  readonly id: string;
  readonly spans: readonly TimedSpan[];
  readonly startsAt: DomainNs;
  /** Undefined: it is still under way. */
  readonly endsAt: DomainNs | undefined;
  readonly isInterrupted: boolean;
  readonly llms: readonly Generation[];
  readonly voices: readonly Voice[];
  readonly tools: readonly TimedSpan[];
  readonly speaking: readonly TimedSpan[];
  readonly attributes: readonly Attributes[];
  readonly isRealtime: boolean;
  readonly realtime: readonly RealtimeGeneration[];
}

/** What a realtime model was asked, and its first sound. */
export interface RealtimeGeneration {
  readonly span: TimedSpan['span'];
  readonly requestedAt: DomainNs;
  readonly firstAt: DomainNs | undefined;
}

/** One request to a model, with its tries. */
export interface Generation extends TimedSpan {
  readonly requestedAt: DomainNs;
  /** First chunk of any kind. */
  readonly firstAt: DomainNs | undefined;
  readonly failed: readonly TimedSpan[];
  readonly hasTools: boolean;
  /** It was asked again before anything came of it: the user had gone on. */
  readonly isDiscarded: boolean;
}

/** One synthesis. */
export interface Voice extends TimedSpan {
  readonly sentAt: DomainNs | undefined;
  readonly firstAt: DomainNs | undefined;
  readonly failed: readonly TimedSpan[];
  readonly characters: number | undefined;
}

const OF_AGENT_TURN = [
  'llm_node',
  'tts_node',
  'function_tool',
  'agent_speaking',
  'realtime_inference',
];

export function speeches(session: Session, zeroUnixNs: bigint): Speech[] {
  const ids = new Set<string>();
  const others = new Map<string, TimedSpan[]>();
  for (const one of session.spans) {
    const { name, spanId, parentSpanId: parent = '' } = one.span;
    if (name === 'agent_turn') ids.add(spanId);
    if (!OF_AGENT_TURN.includes(name) || parent === '') continue;
    const above = session.byId.get(parent)?.span.name;
    // Its parent is still to come, and can be nothing else.
    if (above === undefined) ids.add(parent);
    else if (above !== 'agent_turn' && name !== 'function_tool')
      others.set(parent, [...(others.get(parent) ?? []), one]);
  }
  const groups = new Map<string, string[]>();
  for (const id of ids) {
    const key = speechIdOf(id, session);
    groups.set(key, [...(groups.get(key) ?? []), id]);
  }
  const loose = [...others.values()].flatMap(said => looseSpeeches(said));
  return [
    ...[...groups].flatMap(([id, turnIds]) => {
      const turns = turnIds.flatMap(one => session.byId.get(one) ?? []).toSorted(byStart);
      const parts = turnIds.flatMap(one => session.children.get(one) ?? []).toSorted(byStart);
      const isWhole = turns.length === turnIds.length;
      return speechOf({ id, turns, parts, isWhole }, session, zeroUnixNs);
    }),
    ...loose.flatMap(parts =>
      speechOf({ id: parts[0]!.span.spanId, turns: [], parts, isWhole: true }, session, zeroUnixNs),
    ),
  ].toSorted((a, b) => a.startsAt - b.startsAt);
}

function speechIdOf(id: string, { byId }: Session): string {
  const attributes = byId.get(id)?.span.attributes ?? {};
  const generation =
    textAt(attributes, 'lk.parent_generation_id') ?? textAt(attributes, 'lk.generation_id');
  return textAt(attributes, 'lk.speech_id') ?? generation?.replace(/_\d+$/, '') ?? id;
}

/**
 * What is said outside a turn of the agent: by `session.say` in a handler or a tool (Node), and all
 * of it before 1.3.6. Each synthesis begins another.
 */
function looseSpeeches(said: readonly TimedSpan[]): TimedSpan[][] {
  const groups: TimedSpan[][] = [];
  for (const one of said.toSorted(byStart)) {
    const group = groups.at(-1);
    if (group === undefined || one.span.name === 'tts_node') groups.push([one]);
    else group.push(one);
  }
  return groups;
}

interface SpeechParts {
  readonly id: string;
  /** Its `agent_turn`s that have come. */
  readonly turns: readonly TimedSpan[];
  /** What is directly below them. */
  readonly parts: readonly TimedSpan[];
  readonly isWhole: boolean;
}

function speechOf(
  { id, turns, parts, isWhole }: SpeechParts,
  session: Session,
  zeroUnixNs: bigint,
): Speech[] {
  const named = (name: string): TimedSpan[] => parts.filter(({ span }) => span.name === name);
  const all = [...turns, ...parts.filter(({ span }) => OF_AGENT_TURN.includes(span.name))];
  if (all.length === 0) return [];
  const ends = (turns.length > 0 ? turns : all).map(one => one.endAt);
  const attributes = turns.map(one => one.span.attributes);
  const inferences = named('realtime_inference');
  // Before 1.8 the turn itself carries what the model said of its work.
  const realtime = (inferences.length > 0 ? inferences : turns)
    .filter(one => inferences.length > 0 || METRICS_OF_REALTIME in one.span.attributes)
    .map(one => realtimeOf(one, zeroUnixNs));
  const isRealtime = realtime.length > 0;
  return [
    {
      id,
      spans: turns,
      startsAt: domainNs(Math.min(...all.map(one => one.startAt))),
      endsAt: isWhole ? domainNs(Math.max(...ends)) : undefined,
      isInterrupted: attributes.some(one => flagAt(one, 'lk.interrupted') === true),
      llms: generationsOf(parts, session, zeroUnixNs),
      voices: named('tts_node').map(one => voiceOf(one, session, zeroUnixNs)),
      tools: named('function_tool'),
      speaking: named('agent_speaking'),
      attributes,
      isRealtime,
      realtime,
    },
  ];
}

const METRICS_OF_REALTIME = 'lk.realtime_model_metrics';

function realtimeOf({ span, startAt }: TimedSpan, zeroUnixNs: bigint): RealtimeGeneration {
  const json = jsonAt(span.attributes, METRICS_OF_REALTIME);
  const from = typeof json === 'object' && json !== null ? (json as Attributes) : {};
  const isMs = 'ttftMs' in from;
  const scale = isMs ? 1e-3 : 1;
  const timestamp = numberAt(from, 'timestamp');
  const ttft = numberAt(from, isMs ? 'ttftMs' : 'ttft');
  const ttfc = numberAt(span.attributes, 'gen_ai.response.time_to_first_chunk');
  // Of these metrics the time is that of the request.
  const asked =
    timestamp === undefined ? startAt : domainNs(unixToDomain(timestamp * scale, zeroUnixNs));
  const requestedAt = Math.abs(asked - startAt) > NEAR_NS ? startAt : asked;
  const seconds = ttft !== undefined && ttft > 0 ? ttft * scale : ttfc;
  return {
    span,
    requestedAt,
    firstAt: seconds !== undefined && seconds > 0 ? later(requestedAt, seconds * 1e9) : undefined,
  };
}

/** A request and the span that is begun for it are no further apart. */
const NEAR_NS = 1_000_000_000;

const isFailed = ({ span }: TimedSpan): boolean => span.statusCode === 2;

/** Below one speech, in order: what is asked anew while neither a tool ran nor a word was spoken. */
function generationsOf(
  parts: readonly TimedSpan[],
  session: Session,
  zeroUnixNs: bigint,
): Generation[] {
  const nodes = parts.filter(({ span }) => span.name === 'llm_node');
  const came = parts.filter(({ span }) => ['function_tool', 'tts_node'].includes(span.name));
  return nodes.map((node, i) => {
    const next = nodes[i + 1];
    const isUsed = came.some(
      one => one.startAt >= node.startAt && (next === undefined || one.startAt < next.startAt),
    );
    const generation = generationOf(node, session, zeroUnixNs);
    const isFailed_ = generation.firstAt === undefined && generation.failed.length > 0;
    return { ...generation, isDiscarded: next !== undefined && !isUsed && !isFailed_ };
  });
}

function generationOf(
  node: TimedSpan,
  session: Session,
  zeroUnixNs: bigint,
): Omit<Generation, 'isDiscarded'> {
  const { attributes } = node.span;
  const firstAt = firstChunkAt(node, session, zeroUnixNs);
  const runs = under(session, node.span.spanId, 'llm_request_run');
  const asked = runs.filter(
    run => !isFailed(run) && (firstAt === undefined || run.startAt <= firstAt),
  );
  return {
    ...node,
    // A wrapper's run holds those of what it wraps: the last to start before the first chunk is it.
    requestedAt: asked.at(-1)?.startAt ?? runs.at(-1)?.startAt ?? node.startAt,
    firstAt,
    failed: leaves(runs.filter(isFailed), session),
    hasTools: hasCalls(contentAt(attributes, 'response.function_calls')),
  };
}

/**
 * By the metrics of the request, which bring a time of their own; else by `lk.response.ttft`, counted
 * from where the node's span began (an event loop that is blocked between the two makes it early).
 */
function firstChunkAt(node: TimedSpan, session: Session, zeroUnixNs: bigint): DomainNs | undefined {
  const requests = under(session, node.span.spanId, 'llm_request');
  for (const { span, startAt, endAt } of requests.toReversed()) {
    const metrics = metricsOf(span.attributes, 'lk.llm_metrics', zeroUnixNs);
    if (metrics?.firstNs === undefined) continue;
    const at = later(metrics.sentAt, metrics.firstNs);
    if (at >= startAt - READ_NS && at <= endAt + READ_NS) return at;
  }
  const ttftNs = figure(node.span.attributes, 'lk.response.ttft', 's', session.invalid);
  return ttftNs === undefined ? undefined : later(node.startAt, ttftNs);
}

/** Node counts whole milliseconds, cut off. */
const READ_NS = 3_000_000;

const hasCalls = (calls: string | undefined): boolean =>
  calls !== undefined && calls.trim() !== '' && calls.trim() !== '[]';

/** Of failed tries that lie in one another the inmost. */
const leaves = (runs: readonly TimedSpan[], session: Session): TimedSpan[] =>
  runs.filter(run => !under(session, run.span.spanId, run.span.name).some(isFailed));

function voiceOf(node: TimedSpan, session: Session, zeroUnixNs: bigint): Voice {
  const requests = under(session, node.span.spanId, 'tts_request');
  const runs = under(session, node.span.spanId, 'tts_request_run');
  const [first] = requests;
  const metrics = first && metricsOf(first.span.attributes, 'lk.tts_metrics', zeroUnixNs);
  const isOfSentence = first?.span.attributes['lk.tts.streaming'] === false;
  const failed = leaves(runs.filter(isFailed), session);
  const run = runs.find(one => !isFailed(one));
  // A service that takes sentences is asked as its try begins; one that takes a stream says when.
  const sentAt = isOfSentence ? run?.startAt : metrics?.sentAt;
  const isSentKnown =
    sentAt !== undefined && first !== undefined && sentAt >= first.startAt - READ_NS;
  const ttfbNs =
    metrics?.firstNs ??
    (isOfSentence
      ? figure(node.span.attributes, 'lk.response.ttfb', 's', session.invalid)
      : undefined);
  return {
    ...node,
    sentAt: isSentKnown ? sentAt : undefined,
    firstAt: isSentKnown && ttfbNs !== undefined ? later(sentAt, ttfbNs) : undefined,
    failed,
    characters: metrics?.characters,
  };
}

interface Metrics {
  /** When the service was asked. */
  readonly sentAt: DomainNs;
  readonly firstNs: number | undefined;
  readonly characters: number | undefined;
}

/**
 * Metrics as JSON: seconds in snake_case from Python, `…Ms` in camelCase from Node. They are taken
 * when the last of the answer has come, and count back to the request.
 */
function metricsOf(attributes: Attributes, key: string, zeroUnixNs: bigint): Metrics | undefined {
  const json = jsonAt(attributes, key);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const from = json as Attributes;
  const isMs = 'durationMs' in from;
  const timestamp = numberAt(from, 'timestamp');
  const duration = numberAt(from, isMs ? 'durationMs' : 'duration');
  const first = isMs
    ? (numberAt(from, 'ttfbMs') ?? numberAt(from, 'ttftMs'))
    : (numberAt(from, 'ttfb') ?? numberAt(from, 'ttft'));
  if (timestamp === undefined || duration === undefined || !(duration >= 0)) return undefined;
  const scale = isMs ? 1e-3 : 1;
  const sentAt = unixToDomain((timestamp - duration) * scale, zeroUnixNs);
  return {
    sentAt: domainNs(sentAt),
    firstNs: first !== undefined && first > 0 ? Math.round(first * scale * 1e9) : undefined,
    characters: numberAt(from, 'characters_count') ?? numberAt(from, 'charactersCount'),
  };
}
