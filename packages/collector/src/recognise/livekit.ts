// Telemetry of LiveKit Agents, Python and Node (scope `livekit-agents`): see livekit-spans.ts for the
// spans, livekit-units.ts for their units, livekit-edges.ts for what waits for what.
//
// Versions say nothing of themselves, so each is told by what it writes. Content keys moved from lk.X to
// lk.pii.X in 1.7.0, and may be left out altogether (LIVEKIT_TELEMETRY_ALLOW_PII): no number depends on
// them.

import { domainNs, type Attributes, type DomainNs } from '@framescope/protocol';
import type { StoredSpan } from '../store/store.ts';
import { liveKitProfile } from './livekit-edges.ts';
import { byStart, userTurns, type Session, type UserTurn } from './livekit-spans.ts';
import { speeches as speechesOf, type Speech } from './livekit-speech.ts';
import { turnOf } from './livekit-turn.ts';
import { unitOf, type DelayUnit, type DelayWitness, type Invalid } from './livekit-units.ts';
import { utterancesOf, type Exchange } from './livekit-waits.ts';
import type { KnownTurn, Recogniser, RecogniseContext, Recognition } from './source.types.ts';
import { later, numberAt, textAt, timed, type TimedSpan } from './span-reader.ts';

const SCOPE = 'livekit-agents';

/** What the agent says within this after its last word belongs to the same answer. */
const SAME_ANSWER_NS = 300_000_000;

export const liveKit: Recogniser = {
  name: 'livekit-agents',
  owns: ({ scope }) => scope === SCOPE,
  recognise,
  profile: liveKitProfile,
};

function recognise(spans: readonly StoredSpan[], context: RecogniseContext): Recognition {
  const { zeroUnixNs } = context;
  const all = spans.map(span => timed(span, zeroUnixNs));
  const invalid: Invalid = { count: 0 };
  const turns: KnownTurn[] = [];
  const sessions = bySession(all);
  let unit: DelayUnit = 'unknown';
  for (const part of sessions) {
    const session = sessionOf(part, invalid);
    unit = session.unit;
    turns.push(...turnsOf(session, context));
  }
  const roots = all.filter(({ span }) => span.name === 'agent_session');
  return {
    turns,
    attributes: attributesOf(all, roots),
    notes: notesOf(all, { unit, invalid, turns, sessions }),
    isOver: roots.length > 0 && roots.length === sessions.length,
  };
}

// ---- which spans are of which session -----------------------------------------------------------

const OF_TURNS: ReadonlySet<string> = new Set([
  'user_turn',
  'user_speaking',
  'agent_turn',
  'agent_speaking',
  'llm_node',
  'tts_node',
  'function_tool',
]);

/**
 * By the `agent_session` above; one that is still to come is the parent that is missing. Two sessions
 * may run in one trace (an application's own span around them): their turns are not mixed.
 */
function bySession(all: readonly TimedSpan[]): TimedSpan[][] {
  const byId = new Map(all.map(one => [one.span.spanId as string, one]));
  const groups = new Map<string, TimedSpan[]>();
  const known = new Map<string, string>();
  const rootOf = (one: TimedSpan): string => {
    const path: string[] = [];
    let at: TimedSpan = one;
    let root: string | undefined;
    while (root === undefined) {
      const { spanId, parentSpanId = '', name } = at.span;
      root = known.get(spanId);
      if (root !== undefined) break;
      path.push(spanId);
      const parent = byId.get(parentSpanId);
      if (name === 'agent_session') root = spanId;
      else if (parent === undefined || path.includes(parentSpanId)) root = parentSpanId || spanId;
      else at = parent;
    }
    for (const id of path) known.set(id, root);
    return root;
  };
  for (const one of all) {
    const root = rootOf(one);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [one]);
    else group.push(one);
  }
  return joinOrphans(
    [...groups.values()].filter(group => group.some(({ span }) => OF_TURNS.has(span.name))),
  );
}

/**
 * While a session runs, turns whose own span is still missing look like sessions of their own. They
 * are of the one session that there is in their trace, or (none yet) of one.
 */
function joinOrphans(groups: readonly TimedSpan[][]): TimedSpan[][] {
  const byTrace = new Map<string, TimedSpan[][]>();
  for (const group of groups) {
    const { traceId } = group[0]!.span;
    byTrace.set(traceId, [...(byTrace.get(traceId) ?? []), group]);
  }
  return [...byTrace.values()].flatMap(ofTrace => {
    const isSession = (group: readonly TimedSpan[]): boolean =>
      group.some(({ span }) => ['agent_session', 'user_turn', 'agent_turn'].includes(span.name));
    const whole = ofTrace.filter(isSession);
    const orphans = ofTrace.filter(group => !isSession(group));
    if (whole.length === 0) return [orphans.flat()];
    if (whole.length > 1) return ofTrace;
    return [[...whole[0]!, ...orphans.flat()]];
  });
}

function sessionOf(spans: readonly TimedSpan[], invalid: Invalid): Session {
  const byId = new Map(spans.map(one => [one.span.spanId as string, one]));
  const children = new Map<string, TimedSpan[]>();
  for (const one of spans) {
    const parent = one.span.parentSpanId ?? '';
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [one]);
    else siblings.push(one);
  }
  return { spans, byId, children, unit: unitOf(witnesses(spans, children), spans), invalid };
}

function witnesses(
  spans: readonly TimedSpan[],
  children: ReadonlyMap<string, readonly TimedSpan[]>,
): DelayWitness[] {
  return spans.flatMap(({ span, endAt }) => {
    if (span.name !== 'user_turn') return [];
    const value =
      numberAt(span.attributes, 'lk.end_of_turn_delay') ??
      numberAt(span.attributes, 'lk.end_of_utterance_delay');
    const speaking = (children.get(span.spanId) ?? []).filter(
      one => one.span.name === 'user_speaking',
    );
    const last = speaking.toSorted((a, b) => a.endAt - b.endAt).at(-1);
    return value === undefined || last === undefined ? [] : { value, spanNs: endAt - last.endAt };
  });
}

// ---- turns --------------------------------------------------------------------------------------

function turnsOf(session: Session, { zeroUnixNs, isOver }: RecogniseContext): KnownTurn[] {
  const exchanges = exchangesOf(session, zeroUnixNs);
  const closedAt = closingOf(session);
  const isEnded = isOver || session.spans.some(({ span }) => span.name === 'agent_session');
  const isTold = ({ user, speeches }: Exchange): boolean =>
    // What the agent says unasked is named by its own span, which comes last.
    user !== undefined || isEnded || speeches[0]?.endsAt !== undefined;
  return exchanges.filter(isTold).map((exchange, i, told) =>
    turnOf(exchange, {
      session,
      zeroUnixNs,
      next: told.slice(i + 1).find(one => one.user !== undefined),
      closedAt,
      isOver: isEnded,
    }),
  );
}

/** Each speech of the agent answers the user's turn that it began in or after. */
function exchangesOf(session: Session, zeroUnixNs: bigint): Exchange[] {
  const users = userTurns(session);
  const greetingAt = domainNs(Math.min(...session.spans.map(one => one.startAt)));
  const byUser = new Map<UserTurn | undefined, Speech[]>([[undefined, []]]);
  for (const user of users) byUser.set(user, []);
  for (const speech of speechesOf(session, zeroUnixNs)) {
    const user = users.findLast(one => one.startsAt <= speech.startsAt);
    byUser.get(user)!.push(speech);
  }
  return [...byUser].flatMap(([user, all]) => split(user, all, greetingAt)).toSorted(byTime);
}

const startOf = ({ user, speeches }: Exchange): number =>
  user?.startsAt ?? speeches[0]?.startsAt ?? 0;

const byTime = (a: Exchange, b: Exchange): number => startOf(a) - startOf(b);

/** What came after an answer was over, and was not asked for, is a turn of its own. */
function split(
  user: UserTurn | undefined,
  all: readonly Speech[],
  greetingAt: DomainNs,
): Exchange[] {
  const groups: Speech[][] = [];
  for (const speech of all) {
    const group = groups.at(-1);
    if (group === undefined || isApart(speech, group)) groups.push([speech]);
    else group.push(speech);
  }
  const exchanges = groups.map((group, i) =>
    exchangeOf(i === 0 ? user : undefined, group, {
      kind: i > 0 ? 'proactive' : user === undefined ? 'greeting' : 'response',
      greetingAt,
    }),
  );
  if (groups.length === 0 && user !== undefined)
    exchanges.push(exchangeOf(user, [], { kind: 'response', greetingAt }));
  return exchanges;
}

/** An answer was heard, and was over before this began. */
function isApart(speech: Speech, group: readonly Speech[]): boolean {
  if (group.every(one => one.speaking.length === 0)) return false;
  const ends = group.map(one => one.endsAt ?? Infinity);
  return speech.startsAt > Math.max(...ends) + SAME_ANSWER_NS;
}

function exchangeOf(
  user: UserTurn | undefined,
  all: readonly Speech[],
  of: Pick<Exchange, 'kind' | 'greetingAt'>,
): Exchange {
  const discarded = all.filter((speech, i) => isDiscarded(speech, all.slice(i + 1)));
  const speeches = all.filter(speech => !discarded.includes(speech));
  return { user, speeches, discarded, utterances: utterancesOf(speeches), ...of };
}

/** Begun before the turn was decided, and thrown away when the user went on. */
const isDiscarded = (speech: Speech, later_: readonly Speech[]): boolean =>
  speech.speaking.length === 0 &&
  speech.tools.length === 0 &&
  speech.isInterrupted &&
  later_.length > 0;

/** When the session began to close: of several activities that drained the last. */
function closingOf({ spans }: Session): DomainNs | undefined {
  const sorted = spans.toSorted(byStart);
  const close = sorted.find(({ span }) => span.name === 'session_close');
  if (close !== undefined) return close.startAt;
  const drained = sorted.findLast(({ span }) => span.name === 'drain_agent_activity');
  const isHandOver =
    drained !== undefined &&
    sorted.some(
      ({ span, startAt }) => span.name === 'start_agent_activity' && startAt > drained.startAt,
    );
  const root = sorted.find(({ span }) => span.name === 'agent_session');
  return drained !== undefined && !isHandOver ? drained.startAt : root && later(root.endAt, 0);
}

// ---- the call -----------------------------------------------------------------------------------

function attributesOf(all: readonly TimedSpan[], roots: readonly TimedSpan[]): Attributes {
  const language = all[0]?.span.resource.attributes['telemetry.sdk.language'];
  const said: Record<string, string | number | boolean> = {};
  for (const { span } of roots)
    for (const [key, value] of Object.entries(span.attributes))
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
        said[key] = value;
  return {
    ...said,
    framework: SCOPE,
    'framework.version': versionOf(all),
    ...(typeof language === 'string' && { 'framework.language': language }),
  };
}

/** The oldest version that writes what was seen. */
function versionOf(all: readonly TimedSpan[]): string {
  const has = (test: (span: StoredSpan) => boolean): boolean => all.some(one => test(one.span));
  if (has(span => span.name === 'eou_wait' || span.name === 'session_close'))
    return '1.8.0 or later';
  if (has(span => textAt(span.attributes, 'gen_ai.workflow.name') !== undefined))
    return '1.8.0 or later';
  if (has(span => Object.keys(span.attributes).some(key => key.startsWith('lk.pii.'))))
    return '1.7.0 or later';
  if (has(span => 'lk.e2e_latency' in span.attributes)) return '1.5.0 to 1.6';
  if (has(span => 'lk.parent_generation_id' in span.attributes)) return '1.3.6 or later';
  return 'unknown';
}

const KNOWN: ReadonlySet<string> = new Set([
  ...OF_TURNS,
  'job_entrypoint',
  'agent_session',
  'session_start',
  'session_close',
  'start_agent_activity',
  'drain_agent_activity',
  'pause_agent_activity',
  'resume_agent_activity',
  'setup_toolsets',
  'on_enter',
  'on_exit',
  'eou_detection',
  'eou_wait',
  'on_user_turn_completed',
  'llm_request',
  'llm_request_run',
  'tts_request',
  'tts_request_run',
  'realtime_inference',
  'realtime_metrics',
  'event_loop_blocked',
  'amd',
  'answering_machine_detection',
  'judge_evaluation',
]);

function notesOf(
  all: readonly TimedSpan[],
  of: {
    unit: DelayUnit;
    invalid: Invalid;
    turns: readonly KnownTurn[];
    sessions: readonly (readonly TimedSpan[])[];
  },
): string[] {
  const notes: string[] = [];
  if (of.invalid.count > 0)
    notes.push(
      `${of.invalid.count} figures that LiveKit gave as 0, −1 or over 60 s, its words for "not known", are not used.`,
    );
  if (of.unit === 'unknown' && of.turns.some(turn => turn.user !== undefined))
    notes.push(
      'Whether lk.transcription_delay and lk.end_of_turn_delay are seconds or milliseconds cannot be told: they are not used.',
    );
  if (of.sessions.length > 1)
    notes.push(
      `${of.sessions.length} agent sessions run in this call; their turns stand beside one another.`,
    );
  const others = [...new Set(all.flatMap(({ span }) => (KNOWN.has(span.name) ? [] : span.name)))];
  if (others.length > 0)
    notes.push(`Not understood, shown as plain spans: ${others.slice(0, 8).join(', ')}.`);
  return notes;
}
