// From what the authority told of a wait, and what the marks saw, to the facts
// of its ledger.

import type {
  MomentState,
  StageState,
  TurnState,
  WaitOutcome,
  WaitState,
} from '@framescope/protocol';
import type { ClockMap } from '../clock/session-clocks.ts';
import type { StreamFrames } from '../frames/stream-frames.ts';
import type { RawMoment } from '../ledger/place.ts';
import type { RawAttempt, WaitFacts } from '../ledger/wait.ts';
import { firstVoiced, speechEnd, type MarkedContext } from './marked-moments.ts';

/** The turn that a wait belongs to. */
export interface WaitPlace {
  readonly state: TurnState;
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
}

export function waitFacts(index: number, place: WaitPlace): WaitFacts {
  const wait = place.state.waits[index]!;
  const outcome = outcomeOf(wait, index, place);
  const marked = markedMoments(wait, place);
  const moments = [...marked, ...recordedMoments(index, place)];
  const isCut = wait.closes === undefined;
  return {
    kind: wait.kind,
    outcome,
    moments,
    failed: failedAttempts(place),
    ...(isCut ? { cut: cutOf(wait, index, place) } : {}),
    revision: place.revision,
  };
}

function outcomeOf(wait: WaitState, index: number, place: WaitPlace): WaitOutcome {
  const { state, session, nextTurnRawNs } = place;
  if (wait.outcome !== undefined) return wait.outcome;
  const isLast = index === state.waits.length - 1;
  if (wait.closes !== undefined) {
    if (isLast && state.outcome === 'interrupted') return 'interrupted_after';
    return wait.closes.filler === true ? 'filler_only' : 'answered';
  }
  if (state.outcome === 'interrupted') return 'interrupted_before';
  if (state.outcome === 'abandoned' || state.outcome === 'failed') return state.outcome;
  if (state.endedAt !== undefined) return 'none';
  if (nextTurnRawNs !== undefined) return 'interrupted_before';
  if (session === 'ended') return 'abandoned';
  return session === 'broken_off' ? 'none' : 'open';
}

/** Where a wait without an answer ends: given up, or as far as anybody knows. */
function cutOf(wait: WaitState, index: number, place: WaitPlace): RawMoment {
  const { state, clock, knownToRawNs, nextTurnRawNs } = place;
  const nextWait = state.waits[index + 1]?.opens;
  const nextWaitNs = nextWait !== undefined && 'at' in nextWait ? nextWait.at : undefined;
  const openedNs = 'at' in wait.opens ? wait.opens.at : state.startedAt;
  const rawNs = state.endedAt ?? nextWaitNs ?? nextTurnRawNs ?? knownToRawNs;
  return {
    name: 'given_up',
    rawNs: Math.max(rawNs, openedNs),
    clock,
    source: 'authority',
    errorNs: 0,
  };
}

function markedMoments(
  { opens, closes }: WaitState,
  { streams, marked, clock }: WaitPlace,
): RawMoment[] {
  const opened: RawMoment[] =
    'at' in opens
      ? [
          {
            name: 'wait_opened',
            rawNs: opens.at,
            clock,
            source: opens.source,
            errorNs: opens.errorNs,
          },
        ]
      : speechEnd(streams.get(opens.stream), opens, { ...marked, isCarried: isCarried(streams) });
  const closed =
    closes === undefined ? [] : firstVoiced(streams.get(closes.stream), closes, marked);
  return [...opened, ...closed];
}

/** A process reports for the carrier what it played. */
const isCarried = (streams: WaitPlace['streams']): boolean =>
  [...streams.values()].some(stream => stream.hops.some(hop => hop.role === 'carrier'));

/** Names of the marked moments: the authority's word for them is not needed. */
const MARKED = /^(speech_end_|first_voiced_)/;
/** Of the waits before, only what may still be under way: a tool outlives the filler. */
const OUTLIVES = new Set(['model_requested', 'tool_started', 'tool_ended']);
const OUTLIVING_MAX = 64;

function recordedMoments(index: number, { state, clock }: WaitPlace): RawMoment[] {
  const discarded = discardedGenerations(state.stages);
  const own = state.waits[index]!.moments.filter(moment => !MARKED.test(moment.name));
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
