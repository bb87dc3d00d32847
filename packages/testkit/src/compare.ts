// Answers against truth: every sentence in the result is something that the
// collector said and that is not so. An empty list is the promise kept.

import {
  type FramesHop,
  type FramesWindow,
  NS_PER_MS,
  type SessionDetail,
  type Turn,
  type Wait,
} from '@framescope/protocol';
import { mouthNs } from './mic-truth.ts';
import { type CallTruth, type HopTruth, passed, type TurnTruth, type WaitTruth } from './truth.ts';
import { OWNER_OF } from './wait-truth.ts';

/** What was read back over HTTP. */
export interface Answers {
  readonly detail: SessionDetail;
  readonly turns: readonly Turn[];
  /** Neighbouring windows that cover the session. */
  readonly windows: readonly FramesWindow[];
}

export interface CompareOptions {
  /** A bound beyond which "± error" is no answer; default 1 s. */
  readonly errorNsMax?: number;
}

/** Marks are kept to 10 µs: half of that either way belongs to every time read back from one. */
const QUANTUM_NS = 10_000;
/** At most so many sentences about one hop: a shifted hop is wrong 3,000 times. */
const SAID_MAX = 3;

export function disagreements(
  truth: CallTruth,
  answers: Answers,
  options: CompareOptions = {},
): string[] {
  const place = new Place(truth, answers, options.errorNsMax ?? 1e9);
  return [
    ...place.wrong,
    ...turnsWrong(place, answers.turns),
    ...truth.hops.flatMap(hop => hopWrong(place, hop, answers)),
  ];
}

/** The hop that ties the two axes together: of the turn authority, so that turns hang on it. */
const TIE = 'mic.agent/receive';
const EAR = 'agent.client/playout';
/** What the wall clock that a call was placed by may be off from the collector's, under load. */
const WALL_CLOCK_NS = 2e9;

/**
 * True time ↔ the session's time. Where the collector's wall clock stands nobody promises to know, so
 * one constant between the two is taken from the middle of all marks of one hop.
 */
class Place {
  readonly truth: CallTruth;
  readonly errorNsMax: number;
  /** A session that lies nowhere near its call. */
  readonly wrong: readonly string[];
  /** Of times on the session's axis, from the clock of the hop that ties. */
  readonly tieErrorNs: number;
  readonly earErrorNs: number;
  readonly #shiftNs: number;

  constructor(truth: CallTruth, answers: Answers, errorNsMax: number) {
    this.truth = truth;
    this.errorNsMax = errorNsMax;
    const startUnixNs = BigInt(truth.startUnixMs) * BigInt(NS_PER_MS);
    const wallNs = Number(BigInt(answers.detail.zeroUnixNs) - startUnixNs);
    this.#shiftNs = shiftOf(truth, answers) ?? wallNs;
    this.tieErrorNs = clockErrorNs(answers, TIE);
    this.earErrorNs = clockErrorNs(answers, EAR);
    const offNs = Math.abs(this.#shiftNs - wallNs);
    this.wrong = offNs < WALL_CLOCK_NS ? [] : [`the session lies ${ms(offNs)} ms from its call`];
  }

  sessionNs(trueNs: number): number {
    return trueNs - this.#shiftNs;
  }

  /** A sentence when `said` is further from `isNs` than its own bound. */
  off(
    what: string,
    said: { readonly ns: number; readonly errorNs: number },
    isNs: number,
  ): string[] {
    const offNs = said.ns - isNs;
    if (said.errorNs > this.errorNsMax) return [`${what}: ± ${ms(said.errorNs)} ms is no answer`];
    if (Math.abs(offNs) <= said.errorNs) return [];
    return [`${what}: said ${ms(said.ns)} ± ${ms(said.errorNs)} ms, is ${ms(isNs)} ms`];
  }
}

/** Median of true minus said over all marks of the hop that ties. */
function shiftOf(truth: CallTruth, answers: Answers): number | undefined {
  const hop = truth.hops.find(one => one.key === TIE);
  if (hop === undefined) return undefined;
  const said = passedIn(answers.windows.flatMap(one => one.hops.filter(({ key }) => key === TIE)));
  const shifts = hop.atNs
    .map((atNs, row) => atNs - (said.get(hop.startTick[row]!)?.atNs ?? Number.NaN))
    .filter(shift => !Number.isNaN(shift))
    .toSorted((a, b) => a - b);
  return shifts[shifts.length >> 1];
}

/** What the clock of a hop's process may be wrong by. */
function clockErrorNs({ detail }: Answers, key: string): number {
  const hop = detail.streams.flatMap(stream => stream.hops).find(one => one.key === key);
  return (hop && detail.processes[hop.process]?.clock.errorNs) ?? 0;
}

const ms = (ns: number): string => (ns / NS_PER_MS).toFixed(3);

function turnsWrong(place: Place, turns: readonly Turn[]): string[] {
  const said = turns.map(turn => turn.tick).toSorted((a, b) => a - b);
  const are = place.truth.turns.map(turn => turn.tick);
  if (said.join() !== are.join()) return [`turns at ticks ${said.join()}, are ${are.join()}`];
  return place.truth.turns.flatMap(turn => {
    const found = turns.find(one => one.tick === turn.tick)!;
    return turnWrong(place, turn, found).map(one => `turn ${turn.tick}: ${one}`);
  });
}

function turnWrong(place: Place, truth: TurnTruth, turn: Turn): string[] {
  if (turn.outcome !== truth.outcome) return [`outcome ${turn.outcome}, is ${truth.outcome}`];
  if (turn.waits.length !== truth.waits.length)
    return [`${turn.waits.length} waits, are ${truth.waits.length}`];
  return [
    ...truth.waits.flatMap((wait, at) =>
      waitWrong(place, wait, turn.waits[at]!).map(one => `wait ${at}: ${one}`),
    ),
    ...bargeInWrong(place, truth, turn),
    ...agentSpeechWrong(place, truth, turn),
  ];
}

/** The bar of the agent's speech: it sounds from the first voiced sample to the last one played. */
function agentSpeechWrong(place: Place, truth: TurnTruth, turn: Turn): string[] {
  const is = truth.agentSpeech;
  const said = turn.agent;
  if (is === undefined) return said === null ? [] : ['an agent that never spoke is drawn speaking'];
  if (said === null) return ['the agent spoke, and is not drawn speaking'];
  const isNs = is.endNs - is.startNs;
  const saidNs = (said.endNs ?? Number.NaN) - said.startNs;
  // Both ends are the client's; the first one is drawn where the ledger puts it between its neighbours.
  const errorNs = (turn.waits[0]?.errorNs ?? 0) + place.earErrorNs + QUANTUM_NS;
  return place.off('agent speech', { ns: saidNs, errorNs }, isNs);
}

function waitWrong(place: Place, truth: WaitTruth, wait: Wait): string[] {
  const problems = wait.kind === truth.kind ? [] : [`kind ${wait.kind}, is ${truth.kind}`];
  if (wait.outcome !== truth.outcome) problems.push(`outcome ${wait.outcome}, is ${truth.outcome}`);
  const sumNs = wait.parts.reduce((sum, part) => sum + part.exposedNs, 0);
  if (wait.parts.length > 0 && sumNs !== wait.waitNs)
    problems.push(`parts sum to ${sumNs} ns, the wait is ${wait.waitNs} ns`);
  if (truth.outcome === 'abandoned') return [...problems, ...abandonedWrong(truth, wait)];
  const isNs = truth.closeNs - truth.openNs;
  problems.push(...place.off('wait', { ns: wait.waitNs, errorNs: wait.errorNs }, isNs));
  if (wait.resolved !== 1) problems.push(`resolved ${wait.resolved}, every hop is instrumented`);
  return [...problems, ...partsWrong(place, truth, wait)];
}

/** "At least so long": never more than the user waited, and not less than until the agent knew. */
function abandonedWrong(truth: WaitTruth, wait: Wait): string[] {
  const isNs = truth.closeNs - truth.openNs;
  const slackNs = wait.errorNs + 200 * NS_PER_MS;
  return Math.abs(wait.waitNs - isNs) <= slackNs
    ? []
    : [`abandoned after ${ms(wait.waitNs)} ms, is ${ms(isNs)} ms`];
}

function partsWrong(place: Place, truth: WaitTruth, wait: Wait): string[] {
  const said = wait.parts.map(part => part.name).join(' ');
  const are = truth.parts.map(part => part.part).join(' ');
  if (said !== are) return [`parts "${said}", are "${are}"`];
  return truth.parts.flatMap((part, at) => {
    const found = wait.parts[at]!;
    const owner = OWNER_OF[part.part];
    const exposed = { ns: found.exposedNs, errorNs: found.errorNs };
    return [
      ...(found.owner === owner ? [] : [`${part.part} owned by ${found.owner}, is ${owner}`]),
      ...place.off(part.part, exposed, part.toNs - part.fromNs),
    ];
  });
}

function bargeInWrong(place: Place, truth: TurnTruth, turn: Turn): string[] {
  const is = truth.bargeIn;
  const said = turn.bargeIn;
  const backchannels = turn.backchannels ?? 0;
  if (backchannels !== (truth.backchannels ?? 0))
    return [`${backchannels} backchannels, are ${truth.backchannels ?? 0}`];
  if (is === undefined) return said === null ? [] : ['a barge-in that was none'];
  if (said === null) return ['no barge-in, the user spoke over the agent'];
  const errorNs = 60 * NS_PER_MS;
  const check = (what: string, ns: number | null, isNs: number): string[] =>
    ns === null ? [`barge-in: no ${what}`] : place.off(`barge-in ${what}`, { ns, errorNs }, isNs);
  const { cancelled } = is;
  const ofEnd =
    cancelled === undefined
      ? []
      : [
          ...check('cancel', said.cancelNs, cancelled.atNs - is.onsetNs),
          ...check('stop', said.stopNs, cancelled.stopNs - is.onsetNs),
          ...check('unheard', said.unheardNs, cancelled.unheardNs),
        ];
  return [
    ...(said.outcome === is.outcome ? [] : [`barge-in ${said.outcome}, is ${is.outcome}`]),
    ...check('detect', said.detectNs, is.detectedNs - is.onsetNs),
    ...check('decide', said.decideNs, is.decidedNs - is.onsetNs),
    ...ofEnd,
  ];
}

function hopWrong(place: Place, truth: HopTruth, answers: Answers): string[] {
  const detail = answers.detail.streams
    .flatMap(stream => stream.hops)
    .find(hop => hop.key === truth.key);
  const pieces = answers.windows.flatMap(window =>
    window.hops.filter(hop => hop.key === truth.key),
  );
  if (detail === undefined || pieces.length === 0) return [`${truth.key}: not there`];
  const lost =
    detail.frames.lost === truth.lostCount
      ? []
      : [`${truth.key}: ${detail.frames.lost} lost, are ${truth.lostCount}`];
  const errorNs = clockErrorNs(answers, truth.key) + place.tieErrorNs;
  return [...lost, ...timesWrong(place, truth, { pieces, clockErrorNs: errorNs })];
}

interface Passed {
  readonly atNs: number;
  /** Null where none is known. */
  readonly latencyNs: number | null;
  /** Of the latency: what the clocks between here and where it counts from may be wrong by. */
  readonly errorNs: number;
}

/** Every frame that passed, by its start tick. A frame may be in two windows, never twice in time. */
function passedIn(pieces: readonly FramesHop[]): Map<number, Passed> {
  const found = new Map<number, Passed>();
  for (const piece of pieces)
    for (let row = 0; row < piece.length; row += 1)
      found.set(piece.startTick[row]!, {
        atNs: piece.atNs[row]!,
        latencyNs: piece.latencyNs[row]!,
        errorNs: piece.errorNs + 2 * QUANTUM_NS,
      });
  return found;
}

/**
 * From where a latency counts: the mouth (up), or where the frame was first sent (down). Undefined for
 * hops before that: the agent's voice is made ahead of time, and its age means nothing yet.
 */
function originNs(truth: CallTruth, hop: HopTruth, endTick: number): number | undefined {
  if (hop.stream === 'mic') return mouthNs(endTick);
  const path = truth.hops.filter(one => one.stream === hop.stream);
  const sentAt = path.findIndex(one => one.name === 'send');
  return path.indexOf(hop) < sentAt ? undefined : passed(path[sentAt]!, endTick - 1);
}

interface HopAnswers {
  readonly pieces: readonly FramesHop[];
  /** Of a time on the session's axis: what the clock of the hop's process may be wrong by. */
  readonly clockErrorNs: number;
}

function timesWrong(
  place: Place,
  truth: HopTruth,
  { pieces, clockErrorNs: ownErrorNs }: HopAnswers,
): string[] {
  const rowOf = passedIn(pieces);
  const wrong: string[] = [];
  let passedCount = 0;
  for (const [at, trueNs] of truth.atNs.entries()) {
    if (Number.isNaN(trueNs)) continue;
    passedCount += 1;
    const what = `${truth.key} tick ${truth.startTick[at]}`;
    const found = rowOf.get(truth.startTick[at]!);
    if (found === undefined) {
      wrong.push(`${what}: not there`);
      continue;
    }
    const absolute = { ns: found.atNs, errorNs: ownErrorNs + QUANTUM_NS };
    wrong.push(...place.off(`${what}: time`, absolute, place.sessionNs(trueNs)));
    const fromNs = originNs(place.truth, truth, truth.endTick[at]!);
    if (fromNs === undefined) {
      if (found.latencyNs) wrong.push(`${what}: a latency before it was sent`);
      continue;
    }
    const latency = { ns: found.latencyNs ?? Number.NaN, errorNs: found.errorNs };
    wrong.push(...place.off(`${what}: latency`, latency, trueNs - fromNs));
  }
  if (rowOf.size !== passedCount)
    wrong.push(`${truth.key}: ${rowOf.size} frames passed, are ${passedCount}`);
  if (wrong.length <= SAID_MAX) return wrong;
  return [...wrong.slice(0, SAID_MAX), `${truth.key}: and ${wrong.length - SAID_MAX} more`];
}
