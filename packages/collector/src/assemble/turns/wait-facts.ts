// From what the authority told of a wait, and what the marks saw, to the facts
// of its ledger.

import type { MomentState, StageState, WaitOutcome } from '@framescope/protocol';
import type { KnownTurn, KnownWait, SourceName } from '../../recognise/source.types.ts';
import type { ClockMap } from '../clock/session-clocks.ts';
import type { StreamFrames } from '../frames/stream-frames.ts';
import type { RawMoment } from '../ledger/place.ts';
import type { RawAttempt, WaitFacts } from '../ledger/wait.ts';
import { firstVoiced, speechEnd, type MarkedContext } from './marked-moments.ts';

/** The turn that a wait belongs to. */
export interface WaitPlace {
  readonly state: KnownTurn;
  readonly source: SourceName;
  /** The authority's clock. */
  readonly clock: ClockMap;
  readonly streams: ReadonlyMap<string, StreamFrames>;
  readonly marked: MarkedContext;
  /** Until when the authority was heard of; DomainNs on its clock. */
  readonly knownToRawNs: number;
  /** When the next turn began, if it did; DomainNs. */
  readonly nextTurnRawNs: number | undefined;
  /** How the session stands: an open wait of an ended call will not be answered. */
  readonly session: 'open' | 'ended' | 'broken_off';
  readonly revision: number;
  /** What came before the first word of the session, if this turn is its greeting; else none. */
  readonly setup: readonly RawMoment[];
  /** The same turn as a framework told it. */
  readonly joined: JoinedTurn | undefined;
}

export interface JoinedTurn {
  readonly state: KnownTurn;
  readonly clock: ClockMap;
  readonly source: SourceName;
}

export function waitFacts(index: number, place: WaitPlace): WaitFacts {
  const wait = place.state.waits[index]!;
  const outcome = outcomeOf(wait, index, place);
  const marked = markedMoments(wait, place);
  const own = withJoined([...marked, ...recordedMoments(index, place)], index, place);
  const moments = wait.kind === 'greeting' ? [...setupBefore(own, place), ...own] : own;
  const isCut = wait.closes === undefined && wait.isAnsweredUnseen !== true;
  return {
    kind: wait.kind,
    outcome,
    moments,
    failed: failedAttempts(place),
    source: place.joined?.source ?? place.source,
    ...(isCut ? { cut: cutOf(wait, index, place) } : {}),
    revision: place.revision,
  };
}

/** A call that was asked for after its greeting was owed was not what the agent waited for: it called itself. */
function setupBefore(own: readonly RawMoment[], { setup }: WaitPlace): readonly RawMoment[] {
  const at = (name: string, all: readonly RawMoment[]): number | undefined => {
    const one = all.find(moment => moment.name === name);
    return one?.clock.toSession(one.rawNs);
  };
  const askedNs = at('call_started', setup) ?? Infinity;
  return askedNs <= (at('wait_opened', own) ?? Infinity) ? setup : [];
}

function outcomeOf(wait: KnownWait, index: number, place: WaitPlace): WaitOutcome {
  const { state, session, nextTurnRawNs } = place;
  if (wait.outcome !== undefined) return wait.outcome;
  const isLast = index === state.waits.length - 1;
  if (wait.closes !== undefined) {
    if (isLast && state.outcome === 'interrupted') return 'interrupted_after';
    return wait.closes.filler === true ? 'filler_only' : 'answered';
  }
  if (wait.isAnsweredUnseen === true) return 'answered';
  if (state.outcome === 'interrupted') return 'interrupted_before';
  if (state.outcome === 'abandoned' || state.outcome === 'failed') return state.outcome;
  if (state.endedAt !== undefined) return 'none';
  if (nextTurnRawNs !== undefined) return 'interrupted_before';
  if (session === 'ended') return 'abandoned';
  return session === 'broken_off' ? 'none' : 'open';
}

/** Where a wait without an answer ends: given up, or as far as anybody knows. */
function cutOf(wait: KnownWait, index: number, place: WaitPlace): RawMoment {
  const { state, clock, knownToRawNs, nextTurnRawNs } = place;
  const nextWait = state.waits[index + 1]?.opens;
  const nextWaitNs = nextWait !== undefined && 'at' in nextWait ? nextWait.at : undefined;
  const { opens } = wait;
  const openedNs = opens !== undefined && 'at' in opens ? opens.at : state.startedAt;
  const rawNs = wait.gaveUpAt ?? state.endedAt ?? nextWaitNs ?? nextTurnRawNs ?? knownToRawNs;
  return {
    name: 'given_up',
    rawNs: Math.max(rawNs, openedNs),
    clock,
    source: 'authority',
    errorNs: 0,
  };
}

function markedMoments(wait: KnownWait, place: WaitPlace): RawMoment[] {
  const { opens, closes } = wait;
  const { streams, marked } = place;
  return [...openedMoments(opens), ...closedMoments(closes)];

  function openedMoments(at: KnownWait['opens']): RawMoment[] {
    if (at === undefined) return [];
    if ('at' in at) return [said(openedName(wait, place), at, place.clock)];
    return speechEnd(streams.get(at.stream), at, { ...marked, isCarried: isCarried(streams) });
  }

  function closedMoments(at: KnownWait['closes']): RawMoment[] {
    if (at === undefined) return [];
    if ('at' in at) return [said('first_frame_sent', at, place.clock)];
    return firstVoiced(streams.get(at.stream), at, marked);
  }
}

/** A framework hears the user where it runs; our own instrument would know the sample. */
const openedName = ({ kind }: KnownWait, { source }: WaitPlace): string =>
  kind === 'response' && source !== 'framescope' ? 'speech_end_received' : 'wait_opened';

const said = (
  name: string,
  {
    at,
    source,
    errorNs,
  }: { readonly at: number; readonly source: string; readonly errorNs: number },
  clock: ClockMap,
): RawMoment => ({ name, rawNs: at, clock, source, errorNs });

/**
 * Moments of the same wait as a framework tells it, for a turn that our own instrument tells:
 * of what both name, the word of who stood nearer counts.
 */
function withJoined(own: RawMoment[], index: number, place: WaitPlace): RawMoment[] {
  const { joined } = place;
  if (joined === undefined) return own;
  const wait = waitLike(place, index, joined);
  if (wait === undefined) return own;
  const others = [
    ...markedMoments(wait, { ...place, ...joined }),
    ...wait.moments.map(moment => rawOf(moment, joined.clock)),
  ];
  // A page that is told who speaks stands further off than the framework itself.
  const isByWord = isToldByEvents(place, index);
  const isInServer = !isByWord && own.some(one => one.name === 'first_voiced_sent');
  const names = new Set((isInServer ? own : others).map(one => one.name));
  if (isByWord) names.add('first_voiced_sent');
  return isInServer
    ? [...own, ...others.filter(one => !names.has(one.name))]
    : [...own.filter(one => !names.has(one.name)), ...others];
}

/** The turn's own audio was marked by nobody: an adapter was told by events who speaks. */
function isToldByEvents({ state, streams, marked }: WaitPlace, index: number): boolean {
  const closes = state.waits[index]?.closes;
  const stream =
    closes !== undefined && 'stream' in closes ? streams.get(closes.stream) : undefined;
  const own = stream?.hops.filter(hop => hop.producer === marked.authority) ?? [];
  return own.length > 0 && own.every(hop => hop.role === 'framework');
}

/** The wait of the framework's turn that this one is: of the same kind, the same in order. */
function waitLike(place: WaitPlace, index: number, joined: JoinedTurn): KnownWait | undefined {
  const { kind } = place.state.waits[index]!;
  const nth = place.state.waits.slice(0, index).filter(wait => wait.kind === kind).length;
  return joined.state.waits.filter(wait => wait.kind === kind)[nth];
}

/** A process reports for the carrier what it played. */
const isCarried = (streams: WaitPlace['streams']): boolean =>
  [...streams.values()].some(stream => stream.hops.some(hop => hop.role === 'carrier'));

/** Names of the marked moments: the authority's word for them is not needed. */
const MARKED = /^(speech_end_|first_voiced_)/;
/** Of the waits before, only what may still be under way: a tool outlives the filler. */
const OUTLIVES = new Set(['model_requested', 'tool_started', 'tool_ended']);
const OUTLIVING_MAX = 64;

function recordedMoments(index: number, { state, clock, source }: WaitPlace): RawMoment[] {
  const discarded = discardedGenerations(state.stages);
  const own = state.waits[index]!.moments.filter(
    moment => source !== 'framescope' || !MARKED.test(moment.name),
  );
  const before = state.waits
    .slice(0, index)
    .flatMap(wait => wait.moments.filter(moment => OUTLIVES.has(moment.name)))
    .slice(-OUTLIVING_MAX);
  const recorded = [...before, ...own].filter(
    moment => moment.generation === undefined || !discarded.has(moment.generation),
  );
  const moments = recorded.map(moment => rawOf(moment, clock));
  return [...moments, ...endpointingEnd(state.stages, own, clock)];
}

const rawOf = (moment: MomentState, clock: ClockMap): RawMoment => ({
  name: moment.name,
  rawNs: moment.at,
  clock,
  source: moment.source ?? 'recorded',
  errorNs: moment.errorNs ?? 0,
  ...(moment.after === undefined ? {} : { after: moment.after }),
  ...(moment.generation === undefined ? {} : { generation: moment.generation }),
});

/** Generations all of whose work was thrown away. */
function discardedGenerations(stages: readonly StageState[]): Set<string> {
  const discarded = new Set<string>();
  for (const { generation, discarded: isDiscarded } of stages)
    if (generation !== undefined && isDiscarded === true) discarded.add(generation);
  for (const { generation, discarded: isDiscarded } of stages)
    if (generation !== undefined && isDiscarded !== true) discarded.delete(generation);
  return discarded;
}

/** The silence window was over before something else let the turn be decided. */
function endpointingEnd(
  stages: readonly StageState[],
  moments: readonly MomentState[],
  clock: ClockMap,
): RawMoment[] {
  const decided = moments.findLast(moment => moment.name === 'turn_decided');
  const stage = stages.findLast(one => one.name === 'endpointing' && one.endedAt !== undefined);
  if (decided === undefined || stage === undefined || stage.endedAt! >= decided.at) return [];
  return [{ name: 'endpointing_ended', rawNs: stage.endedAt!, clock, source: 'stage', errorNs: 0 }];
}

/** Which moments wait for a service's answer: the first after a failure took it up again. */
const RESUMES: Readonly<Record<string, readonly string[]>> = {
  llm: ['model_requested', 'first_speakable', 'first_audio'],
  tts: ['speech_text_sent', 'first_audio'],
  stt: ['transcript_final'],
};

function failedAttempts({ state, clock }: WaitPlace): RawAttempt[] {
  const attempts: RawAttempt[] = [];
  for (const { name, startedAt, endedAt, error } of state.stages) {
    const resumes = Object.hasOwn(RESUMES, name) ? RESUMES[name] : undefined;
    if (error === undefined || endedAt === undefined || resumes === undefined) continue;
    const at = (moment: string, rawNs: number): RawMoment => ({
      name: moment,
      rawNs,
      clock,
      source: 'stage',
      errorNs: 0,
    });
    attempts.push({
      start: at('attempt_started', startedAt),
      end: at('attempt_failed', endedAt),
      resumes,
    });
  }
  return attempts;
}
