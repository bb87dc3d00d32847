// The spans of one LiveKit session by what they are of: utterances of the user, speeches of the agent
// with their generations, attempts, tools and sound, each with the times that it tells.
//
//   agent_session ┬ user_turn ┬ user_speaking …      from the onset of speech to the decision
//                 │           └ eou_wait ▸ eou_detection
//                 └ agent_turn ┬ llm_node ▸ llm_request ▸ llm_request_run   one a try
//                              ├ tts_node ▸ tts_request ▸ tts_request_run
//                              ├ function_tool
//                              └ agent_speaking       from the first frame handed to the room
//
// Children end, and arrive, before their parents: an agent_turn that is still missing is stood in for
// by its ID, which they name.

import { domainNs, type Attributes, type DomainNs } from '@framescope/protocol';
import { later, textAt, type TimedSpan } from './span-reader.ts';
import { figure, type DelayUnit, type Invalid } from './livekit-units.ts';

/** One session of an agent, its spans by name and by parent. */
export interface Session {
  readonly spans: readonly TimedSpan[];
  readonly byId: ReadonlyMap<string, TimedSpan>;
  readonly children: ReadonlyMap<string, readonly TimedSpan[]>;
  readonly unit: DelayUnit;
  readonly invalid: Invalid;
}

/** Keys of content moved in 1.7.0. */
export const contentAt = (attributes: Attributes, name: string): string | undefined =>
  textAt(attributes, `lk.pii.${name}`) ?? textAt(attributes, `lk.${name}`);

export const hasContent = (attributes: Attributes, name: string): boolean =>
  `lk.pii.${name}` in attributes || `lk.${name}` in attributes;

export const byStart = (a: TimedSpan, b: TimedSpan): number => a.startAt - b.startAt;

/** Below `id`, of these names, by start. */
export function under(session: Session, id: string, ...names: readonly string[]): TimedSpan[] {
  const found: TimedSpan[] = [];
  const open = [id];
  // A span may name itself as its parent.
  const seen = new Set(open);
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const child of session.children.get(at) ?? []) {
      if (names.includes(child.span.name)) found.push(child);
      if (seen.has(child.span.spanId)) continue;
      seen.add(child.span.spanId);
      open.push(child.span.spanId);
    }
  return found.toSorted(byStart);
}

// ---- the user -------------------------------------------------------------------------------

/** A span ends a little after what it is of. */
const SLACK_NS = 20_000_000;

export interface UserTurn {
  /** Of its `user_turn`, which may be still to come. */
  readonly spanId: string;
  readonly traceId: string;
  readonly attributes: Attributes;
  readonly speaking: readonly TimedSpan[];
  /** Onset of speech. */
  readonly startsAt: DomainNs;
  /** End of the last utterance; undefined: nobody says when. */
  readonly endsAt: DomainNs | undefined;
  readonly decidedAt: DomainNs | undefined;
  /** Decided by a realtime model, which tells nothing else of it. */
  readonly isByModel: boolean;
  /** Its span has come: nothing more of it will. */
  readonly isClosed: boolean;
  readonly closedAt: DomainNs;
}

export function userTurns(session: Session): UserTurn[] {
  const known = session.spans.filter(({ span }) => span.name === 'user_turn');
  const missing = new Map<string, TimedSpan[]>();
  const bare: TimedSpan[] = [];
  for (const one of session.spans) {
    if (one.span.name !== 'user_speaking') continue;
    const parent = one.span.parentSpanId ?? '';
    const above = session.byId.get(parent)?.span.name;
    if (above === 'user_turn') continue;
    if (above !== undefined || isSession(parent, session)) bare.push(one);
    else missing.set(parent, [...(missing.get(parent) ?? []), one]);
  }
  const turns = [
    ...known.map(turn => userTurnOf(turn.span.spanId, turn, session)),
    ...[...missing.keys()].map(id => userTurnOf(id, undefined, session)),
    ...bare.map(heardByModel),
  ];
  return turns.filter(turn => turn !== undefined).toSorted((a, b) => a.startsAt - b.startsAt);
}

/** A parent that is still to come, by its other children. */
const isSession = (id: string, { children }: Session): boolean =>
  (children.get(id) ?? []).some(({ span }) =>
    ['agent_turn', 'start_agent_activity', 'session_start', 'drain_agent_activity'].includes(
      span.name,
    ),
  );

/**
 * A realtime model hears for itself: there is no turn around the speech, whose end is when the model
 * said so. How long it had listened to silence by then, nobody tells.
 */
const heardByModel = (speaking: TimedSpan): UserTurn => ({
  spanId: speaking.span.spanId,
  traceId: speaking.span.traceId,
  attributes: {},
  speaking: [],
  startsAt: speaking.startAt,
  endsAt: undefined,
  decidedAt: speaking.endAt,
  isByModel: true,
  isClosed: true,
  closedAt: speaking.endAt,
});

function userTurnOf(
  spanId: string,
  turn: TimedSpan | undefined,
  session: Session,
): UserTurn | undefined {
  const speaking = (session.children.get(spanId) ?? [])
    .filter(({ span }) => span.name === 'user_speaking')
    .toSorted(byStart);
  const attributes = turn?.span.attributes ?? {};
  const said = contentAt(attributes, 'user_transcript');
  const isHidden = turn !== undefined && !hasContent(attributes, 'user_transcript');
  const delayNs =
    figure(attributes, 'lk.end_of_turn_delay', session.unit, session.invalid) ??
    figure(attributes, 'lk.end_of_utterance_delay', session.unit, session.invalid);
  // What a session leaves behind as it closes is no turn: no speech, no words.
  const isTurn = speaking.length > 0 || said !== undefined || (isHidden && delayNs !== undefined);
  const first = turn ?? speaking[0];
  if (!isTurn || first === undefined) return undefined;
  // Speech that went on over the decision is of what comes next.
  const last = speaking.findLast(one => turn === undefined || one.endAt <= turn.endAt + SLACK_NS);
  const endsAt =
    last?.endAt ??
    (turn !== undefined && delayNs !== undefined ? later(turn.endAt, -delayNs) : undefined);
  const decidedAt = decisionOf(turn, { endsAt, delayNs }, session);
  return {
    spanId,
    traceId: first.span.traceId,
    attributes,
    speaking,
    startsAt: speaking[0]?.startAt ?? first.startAt,
    endsAt,
    decidedAt,
    isByModel: false,
    isClosed: turn !== undefined,
    closedAt: turn?.endAt ?? last?.endAt ?? first.endAt,
  };
}

/** By the committed wait for the end of the turn, else by its delay. */
function decisionOf(
  turn: TimedSpan | undefined,
  of: { endsAt: DomainNs | undefined; delayNs: number | undefined },
  session: Session,
): DomainNs | undefined {
  if (turn === undefined) return undefined;
  const waits = (session.children.get(turn.span.spanId) ?? []).filter(
    ({ span }) => span.name === 'eou_wait' && span.attributes['lk.eou.outcome'] === 'committed',
  );
  const committed = waits.toSorted(byStart).at(-1);
  if (committed !== undefined) return committed.endAt;
  if (of.endsAt === undefined || of.delayNs === undefined) return undefined;
  return later(of.endsAt, of.delayNs);
}

/** When the final transcript came: by its event (1.8), else by its delay after the end of speech. */
export function transcriptAt(
  turn: UserTurn,
  session: Session,
  zeroUnixNs: bigint,
): DomainNs | undefined {
  const events = jsonAt(turn.attributes, 'lk.stt.events');
  if (Array.isArray(events)) {
    const finals = events.flatMap((event: unknown) => receivedAt(event, zeroUnixNs));
    const before = finals.filter(at => turn.decidedAt === undefined || at <= turn.decidedAt + 50e6);
    if (before.length > 0) return domainNs(Math.max(...before));
  }
  const delayNs = figure(turn.attributes, 'lk.transcription_delay', session.unit, session.invalid);
  return delayNs === undefined || turn.endsAt === undefined
    ? undefined
    : later(turn.endsAt, delayNs);
}

function receivedAt(event: unknown, zeroUnixNs: bigint): number[] {
  if (typeof event !== 'object' || event === null) return [];
  const { type, received_at: seconds } = event as { type?: unknown; received_at?: unknown };
  if (typeof type !== 'string' || !type.startsWith('final')) return [];
  return typeof seconds === 'number' && Number.isFinite(seconds)
    ? [unixToDomain(seconds, zeroUnixNs)]
    : [];
}

/** A Unix time in seconds, as JSON carries it: good to a quarter of a µs. */
export const unixToDomain = (seconds: number, zeroUnixNs: bigint): number =>
  Math.round((seconds - Number(zeroUnixNs / 1_000_000_000n)) * 1e9) -
  Number(zeroUnixNs % 1_000_000_000n);

/** JSON in an attribute; undefined: there is none, or it cannot be read. */
export function jsonAt(attributes: Attributes, key: string): unknown {
  const text = textAt(attributes, key);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
