// Telemetry of Pipecat's own tracing (scopes `pipecat` and `pipecat.turn`).
//
//   conversation ┬ turn ┬ stt     from the onset of speech to the final transcript; metrics.ttfb
//                │      │         from the end of speech to it: so the end of speech is known
//                │      ├ llm     around the inference; metrics.ttfb to its first chunk
//                │      └ tts     from text handed over; metrics.ttfb to the first audio
//                └ turn …         turn.user_bot_latency_seconds: end of speech → first frame out
//
// Versions say nothing of themselves, so each is told by what it writes. Before 1.2.0
// an stt or tts span has no length: only metrics.ttfb means something. What realtime
// services write (`llm_setup`, `llm_response`, …) is the time of an event handler, no
// generation's: it is never drawn.

import { domainNs, type Attributes } from '@framescope/protocol';
import type { StoredSpan } from '../store/store.ts';
import { pipecatProfile } from './pipecat-edges.ts';
import type { Dialect } from './pipecat-spans.ts';
import { LATENCY, turnOf, withBargeIns, type CallFacts } from './pipecat-turn.ts';
import type { KnownTurn, Recogniser, RecogniseContext, Recognition } from './source.types.ts';
import { secondsAt, timed, type TimedSpan } from './span-reader.ts';

const SCOPE = 'pipecat';
const TURN_SCOPE = 'pipecat.turn';

/** Spans of a length that no speech and no synthesis has: those of before 1.2.0. */
const NO_LENGTH_NS = 5_000_000;

export const pipecat: Recogniser = {
  name: 'pipecat',
  owns: ({ scope }) => scope === SCOPE || scope === TURN_SCOPE,
  recognise,
  profile: pipecatProfile,
};

interface Conversation extends CallFacts {
  readonly notes: Set<string>;
}

function recognise(spans: readonly StoredSpan[], context: RecogniseContext): Recognition {
  const { zeroUnixNs } = context;
  const all = spans.map(span => timed(span, zeroUnixNs));
  const named = (name: string): TimedSpan[] =>
    all.filter(one => one.span.name === name).toSorted((a, b) => a.startAt - b.startAt);
  const conversations = named('conversation');
  const turns = named('turn');
  const services = all.filter(one => one.span.scope === SCOPE);
  const conversation: Conversation = {
    dialect: {
      hasLengths: hasLengths(services),
      hasLatency: turns.some(one => LATENCY in one.span.attributes),
    },
    zeroUnixNs,
    notes: new Set(notesOf(services, turns)),
  };
  const children = byTurn(services, turns, context.isOver);
  return {
    turns: [
      ...withBargeIns(
        turns.map((turn, i) => turnOf(turn, children.get(turn) ?? [], turns[i + 1], conversation)),
      ),
      ...children.orphans.map(group => orphanTurn(group, conversation)),
    ],
    attributes: attributesOf(conversations, services, conversation.dialect),
    notes: [...conversation.notes],
    isOver: conversations.length > 0,
  };
}

// ---- which spans are of which turn ----------------------------------------------------------

/** By parent; a span whose parent is no turn is of the turn in whose time it began. */
class Children extends Map<TimedSpan, TimedSpan[]> {
  readonly orphans: TimedSpan[][] = [];
}

function byTurn(
  services: readonly TimedSpan[],
  turns: readonly TimedSpan[],
  isOver: boolean,
): Children {
  const byId = new Map(turns.map(turn => [turn.span.spanId as string, turn]));
  const children = new Children();
  const orphans = new Map<string, TimedSpan[]>();
  const push = <K>(map: Map<K, TimedSpan[]>, key: K, one: TimedSpan): void => {
    const group = map.get(key);
    if (group === undefined) map.set(key, [one]);
    else group.push(one);
  };
  for (const one of services) {
    const parent = one.span.parentSpanId ?? '';
    const turn =
      byId.get(parent) ??
      turns.findLast(({ startAt, endAt }) => startAt <= one.startAt && one.startAt < endAt);
    if (turn !== undefined) push(children, turn, one);
    else if (parent !== '') push(orphans, parent, one);
  }
  // A turn ends last: while it may still come, its children wait for it.
  if (isOver) children.orphans.push(...orphans.values());
  return children;
}

/** A turn whose own span never came: the process died, or its last batch was lost. */
function orphanTurn(group: readonly TimedSpan[], conversation: Conversation): KnownTurn {
  conversation.notes.add('A turn span never arrived: its turn is told by what lay in it.');
  const startAt = domainNs(Math.min(...group.map(one => one.startAt)));
  const endAt = domainNs(Math.max(...group.map(one => one.endAt)));
  const [{ span }] = group as readonly [TimedSpan, ...TimedSpan[]];
  const spanId = span.parentSpanId ?? span.spanId;
  const parent: TimedSpan = {
    span: { ...span, spanId, name: 'turn', scope: TURN_SCOPE, attributes: {} },
    startAt,
    endAt,
  };
  const { endedAt: _, ...turn } = turnOf(parent, group, undefined, conversation);
  return turn;
}

// ---- the call -------------------------------------------------------------------------------

function hasLengths(services: readonly TimedSpan[]): boolean {
  // An stt span tells best: a tts span of old lasted as long as one call of the service.
  const heard = services.filter(({ span }) => span.name === 'stt');
  const measured = heard.length > 0 ? heard : services.filter(({ span }) => span.name === 'tts');
  return measured.length === 0 || measured.some(one => one.endAt - one.startAt > NO_LENGTH_NS);
}

const REALTIME = new Set([
  'llm_setup',
  'llm_request',
  'llm_response',
  'llm_tool_call',
  'llm_tool_result',
]);

function notesOf(services: readonly TimedSpan[], turns: readonly TimedSpan[]): string[] {
  const notes: string[] = [];
  const has = (test: (span: StoredSpan) => boolean): boolean =>
    services.some(one => test(one.span));
  if (!hasLengths(services))
    notes.push(
      'Pipecat before 1.2.0: lengths of stt and tts spans mean nothing and are not drawn.',
    );
  if (has(span => REALTIME.has(span.name)))
    notes.push('Spans of a realtime service last as long as an event handler: they are not drawn.');
  const isUnusable = ({ span }: TimedSpan): boolean =>
    LATENCY in span.attributes && secondsAt(span.attributes, LATENCY) === undefined;
  const unusable = turns.filter(isUnusable).length;
  if (unusable > 0)
    notes.push(
      `${unusable} of ${LATENCY} cannot be (none, negative or over a minute): not plotted.`,
    );
  const known = new Set(['stt', 'llm', 'tts', ...REALTIME]);
  const others = [
    ...new Set(services.flatMap(({ span }) => (known.has(span.name) ? [] : span.name))),
  ];
  if (others.length > 0)
    notes.push(`Not understood, shown as plain spans: ${others.slice(0, 8).join(', ')}.`);
  if (turns.length > 0 && !turns.some(one => LATENCY in one.span.attributes))
    notes.push(
      'No turn.user_bot_latency_seconds (Pipecat before 0.0.102, or nothing was answered): when an answer began is not known.',
    );
  if (has(span => span.name === 'llm') && !has(span => 'metrics.ttfb' in span.attributes))
    notes.push('No metrics.ttfb: set enable_metrics=True, or the parts of a wait are not known.');
  return notes;
}

/** The oldest version that writes what was seen. */
function versionOf(services: readonly TimedSpan[], { hasLengths: isReal }: Dialect): string {
  const has = (key: string): boolean => services.some(one => key in one.span.attributes);
  if (has('metrics.audio_seconds')) return '1.7.0 or later';
  if (has('gen_ai.usage.audio.input_tokens') || has('gen_ai.usage.audio.output_tokens'))
    return '1.6.0 or later';
  if (isReal && services.some(one => one.span.name === 'stt' || one.span.name === 'tts'))
    return '1.2.0 or later';
  if (has('gen_ai.provider.name')) return '0.0.107 or later';
  return has('gen_ai.system') ? '0.0.68 to 0.0.106' : 'unknown';
}

function attributesOf(
  conversations: readonly TimedSpan[],
  services: readonly TimedSpan[],
  dialect: Dialect,
): Attributes {
  const said = Object.assign({}, ...conversations.map(one => one.span.attributes)) as Attributes;
  return { framework: SCOPE, 'framework.version': versionOf(services, dialect), ...said };
}
