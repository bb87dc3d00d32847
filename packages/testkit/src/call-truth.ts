// The whole truth of a call, from its scenario alone: turns in order, each where
// the one before left off, then the microphone from the first sample to the last.

import { NS_PER_MS } from '@framescope/protocol';
import { lastTick, utteranceTruth, type UtteranceTruth } from './agent-truth.ts';
import { micTruth, mouthNs, TICKS_PER_MS } from './mic-truth.ts';
import { ceilToFrame, FRAME_MS, ms, noticedAt, spokenOver } from './over-truth.ts';
import { type GreetingSpec, type Scenario, type TurnSpec } from './scenario.ts';
import {
  type AgentAct,
  type CallTruth,
  hopOf,
  type HopTruth,
  passed,
  type TurnTruth,
  type WaitTruth,
} from './truth.ts';
import {
  type AnswerTruth,
  answerTruth,
  partsOf,
  type Speech,
  speechOf,
  understand,
  type Understanding,
} from './turn-truth.ts';
import { startAt, spend } from './wait-truth.ts';

/** Network, buffers and slow hops of one turn take less than this. */
const SLACK_MS = 8_000;
/** From the verdict that the agent is interrupted to its stop. */
const BARGE_IN_CANCEL_MS = 4;

/** Less silence than this inside a turn is no wait. */
const RESUME_SILENCE_MS = 300;
/** Every process hangs up so long after the last frame got where it went. */
const AFTER_LAST_MS = 20;

interface Planned {
  readonly turn: TurnTruth;
  readonly utterances: readonly UtteranceTruth[];
  /** Next free tick of the agent stream. */
  readonly nextTick: number;
  /** Last sound of the turn, or the hang-up. */
  readonly endNs: number;
  /** Where the next turn starts when it has no start of its own. */
  readonly nextStartMs?: number;
  /** When the agent had sent all of its answer. */
  readonly sentNs?: number;
}

/** Computes the truth of a call; runs nothing of the product. */
export function callTruth(given: Scenario): CallTruth {
  const scenario = withGap(given);
  // Planning turns needs microphone frames, and their number is known when the turns are planned.
  const lengthMs = scenario.turns.reduce(
    (sum, turn) => Math.max(sum, turn.startMs ?? 0) + turnMsMax(turn),
    0,
  );
  // Who speaks when is not known yet, and DTX changes no time of what is sent.
  const { dtx: _dtx, ...always } = scenario;
  const mic = micTruth({ ...always, isLean: true }, lengthMs);
  const planned: Planned[] = [];
  if (scenario.greeting !== undefined) planned.push(greeted(scenario, scenario.greeting));
  for (const turn of scenario.turns)
    planned.push(planTurn(scenario, turn, mic.hops, planned.at(-1)));
  const endNs = Math.max(0, ...planned.map(one => one.endNs)) + ms(scenario.tailMs);
  const endMs = Math.floor(endNs / NS_PER_MS / FRAME_MS) * FRAME_MS;
  const spoken = planned.map(
    ({ turn }) => [turn.userStartNs / NS_PER_MS, turn.userEndNs / NS_PER_MS] as const,
  );
  const whole = micTruth(scenario, endMs, spoken);
  const utterances = planned.flatMap(one => one.utterances);
  const hops = [...whole.hops, ...joined(utterances)].flatMap(hop => byRelay(hop, given));
  return {
    sessionId: scenario.id,
    startUnixMs: scenario.startUnixMs,
    endNs: lastMarkNs(hops) + ms(AFTER_LAST_MS),
    turns: planned.map(one => ({ ...one.turn, ...agentSpeech(scenario, one) })),
    hops,
    ranges: [...whole.ranges, ...utterances.flatMap(one => one.ranges)],
  };
}

/** While no relay is there, nothing that is sent to one arrives. */
function withGap(scenario: Scenario): Scenario {
  const { relay, legs } = scenario;
  if (relay === undefined) return scenario;
  const { diesAtMs, gapMs } = relay;
  const incident = { fromMs: diesAtMs, toMs: diesAtMs + gapMs, addMs: 0, loss: 1 };
  const [up, down] = [legs['client>edge'], legs['agent>edge']];
  return {
    ...scenario,
    legs: { ...legs, 'client>edge': { ...up, incident }, 'agent>edge': { ...down, incident } },
  };
}

/** A hop of the relay, parted between the one that died and the one that took over. */
function byRelay(hop: HopTruth, { relay }: Scenario): HopTruth[] {
  if (relay === undefined || hop.host !== 'edge') return [hop];
  const takenNs = ms(relay.diesAtMs + relay.gapMs);
  const part = (isIts: (atNs: number) => boolean): HopTruth => {
    const rows = [...hop.atNs.keys()].filter(row => isIts(hop.atNs[row]!));
    return {
      ...hop,
      startTick: rows.map(row => hop.startTick[row]!),
      endTick: rows.map(row => hop.endTick[row]!),
      atNs: rows.map(row => hop.atNs[row]!),
    };
  };
  return [part(atNs => !(atNs >= takenNs)), { ...part(atNs => atNs >= takenNs), host: 'edge2' }];
}

function agentSpeech(
  { frameMs }: Scenario,
  { turn, utterances }: Planned,
): Pick<TurnTruth, 'agentSpeech'> {
  const startNs = turn.waits.find(wait => wait.voicedTick !== undefined)?.closeNs;
  if (startNs === undefined) return {};
  const playedNs = utterances
    .flatMap(one => hopOf(one, 'agent.client/playout').atNs)
    .filter(atNs => !Number.isNaN(atNs));
  return { agentSpeech: { startNs, endNs: Math.max(...playedNs) + ms(frameMs.playout) } };
}

/** When the last frame of the call was last seen. */
function lastMarkNs(hops: readonly HopTruth[]): number {
  let lastNs = 0;
  for (const { atNs } of hops) for (const at of atNs) if (at > lastNs) lastNs = at;
  return lastNs;
}

/** No turn with these figures is longer. */
function turnMsMax(turn: TurnSpec): number {
  const answers = [turn.answer, ...(turn.tool === undefined ? [] : [turn.tool.answer])];
  const work = answers.flatMap(({ text: _text, ...lengths }) => Object.values(lengths));
  const own = [turn.gapMs ?? 0, turn.speechMs, turn.endpointingMs, turn.transcriptionMs];
  const rest = [turn.detectorMs ?? 0, turn.tool?.toolMs ?? 0, SLACK_MS];
  return [...work, ...own, ...rest].reduce((sum, one) => sum + one, 0);
}

/** Utterances one after the other on the agent's media axis. */
function joined(utterances: readonly UtteranceTruth[]): HopTruth[] {
  const first = utterances[0];
  if (first === undefined) return [];
  return first.hops.map((hop, at) => {
    const all = utterances.map(one => one.hops[at]!);
    return {
      ...hop,
      startTick: all.flatMap(one => one.startTick),
      endTick: all.flatMap(one => one.endTick),
      atNs: all.flatMap(one => one.atNs),
      lostCount: all.reduce((sum, one) => sum + one.lostCount, 0),
    };
  });
}

function planTurn(
  scenario: Scenario,
  turn: TurnSpec,
  mic: readonly HopTruth[],
  before: Planned | undefined,
): Planned {
  const afterNs = before?.endNs ?? 0;
  const startMs =
    turn.startMs ?? before?.nextStartMs ?? ceilToFrame(afterNs / NS_PER_MS + (turn.gapMs ?? 600));
  const speech = speechOf(startMs, turn.speechMs, tick => ({
    // The sample was spoken when the media clock says, however late the callback that took it ran.
    capturedNs: mouthNs(tick + 1),
    receivedNs: passed(hopOf({ hops: mic }, 'mic.agent/receive'), tick),
  }));
  if (Number.isNaN(speech.receivedNs) || Number.isNaN(speech.heardNs))
    throw new Error(
      `${scenario.id}: the frame that ends (or starts) a turn's speech is lost; use another seed`,
    );
  const start: TurnStart = {
    scenario,
    turn,
    speech,
    mic,
    fromTick: before?.nextTick ?? 0,
    ...(turn.waitsForFloor === true && before?.sentNs !== undefined
      ? { floorNs: before.sentNs }
      : {}),
  };
  const knows = understand(turn, speech);
  if (turn.abandonedAfterMs !== undefined) return abandoned(start, knows, turn.abandonedAfterMs);
  return turn.tool === undefined ? answered(start, knows) : answeredByTool(start, knows, turn.tool);
}

interface TurnStart {
  readonly scenario: Scenario;
  readonly turn: TurnSpec;
  readonly speech: Speech;
  readonly mic: readonly HopTruth[];
  readonly fromTick: number;
  /** Until then the agent is still saying what it said before. */
  readonly floorNs?: number;
}

function firstAnswer(start: TurnStart, knows: Understanding, isFiller: boolean): AnswerTruth {
  const { scenario, turn } = start;
  return answerTruth(scenario, turn.answer, {
    name: 'first',
    fromTick: start.fromTick,
    ready: knows.ready,
    ...(turn.preemptive === true ? { gate: knows.decided } : {}),
    ...(turn.discardedAfterMs === undefined ? {} : { generation: 'spoken' }),
    ...(start.floorNs === undefined
      ? {}
      : { floor: { fromNs: start.speech.capturedNs, toNs: start.floorNs } }),
    isFiller,
  });
}

const responseOf = (start: TurnStart, answer: AnswerTruth, isFiller: boolean): WaitTruth => ({
  kind: 'response',
  outcome: isFiller ? 'filler_only' : 'answered',
  openNs: start.speech.capturedNs,
  closeNs: answer.audibleNs,
  voicedTick: answer.voicedTick,
  isFiller,
  parts: partsOf(answer.audible, start.speech.capturedNs),
});

function answered(start: TurnStart, knows: Understanding): Planned {
  const answer = firstAnswer(start, knows, false);
  if (start.turn.bargeIn !== undefined)
    return interrupted(start, knows, answer, start.turn.bargeIn);
  const over = spokenOver(start, answer);
  const lastNs = Math.max(answer.sentNs, ...over.acts.map(one => one.atNs + 1_000));
  const end: AgentAct = { atNs: lastNs, act: 'end', outcome: 'completed' };
  const acts = [...knows.acts, ...answer.acts, ...over.acts, end];
  const turn = turnTruth(start, 'completed', [responseOf(start, answer, false)], acts);
  return {
    turn: { ...turn, ...over.truth },
    utterances: [answer.truth],
    nextTick: answer.utterance.fromTick + start.turn.answer.audioMs * TICKS_PER_MS,
    endNs: answer.audibleNs + ms(start.turn.answer.audioMs),
    sentNs: answer.sentNs,
  };
}

/** Nobody was heard and no model asked: the words are there, the voice is not. */
function greeted(scenario: Scenario, { atMs, answer: spec }: GreetingSpec): Planned {
  const openNs = ms(atMs);
  const answer = answerTruth(scenario, spec, {
    name: 'greeting',
    fromTick: 0,
    ready: startAt(openNs),
    isFiller: false,
    isFixed: true,
  });
  const wait: WaitTruth = {
    kind: 'greeting',
    outcome: 'answered',
    openNs,
    closeNs: answer.audibleNs,
    voicedTick: answer.voicedTick,
    isFiller: false,
    parts: partsOf(answer.audible, openNs),
  };
  const acts: AgentAct[] = [
    { atNs: openNs, act: 'greet' },
    ...answer.acts,
    { atNs: answer.sentNs, act: 'end', outcome: 'completed' },
  ];
  return {
    turn: {
      tick: 0,
      userStartNs: openNs,
      userEndNs: openNs,
      outcome: 'completed',
      waits: [wait],
      acts: acts.toSorted((a, b) => a.atNs - b.atNs),
    },
    utterances: [answer.truth],
    nextTick: spec.audioMs * TICKS_PER_MS,
    endNs: answer.audibleNs + ms(spec.audioMs),
    sentNs: answer.sentNs,
  };
}

/** A filler, the tool behind it, and the answer: two waits. */
function answeredByTool(
  start: TurnStart,
  knows: Understanding,
  tool: NonNullable<TurnSpec['tool']>,
): Planned {
  const filler = firstAnswer(start, knows, true);
  const toolNs = filler.textSentNs + 2_000;
  const ready = spend(startAt(toolNs), 'tool', ms(tool.toolMs));
  const answer = answerTruth(start.scenario, tool.answer, {
    name: 'second',
    fromTick: start.fromTick + start.turn.answer.audioMs * TICKS_PER_MS,
    ready,
    isFiller: false,
  });
  const openNs = filler.sentNs;
  if (answer.firstFrameNs < openNs + ms(RESUME_SILENCE_MS))
    throw new Error(`${start.scenario.id}: the tool is done before its filler is over: no wait`);
  const resume: WaitTruth = {
    kind: 'resume',
    outcome: 'answered',
    openNs,
    closeNs: answer.audibleNs,
    voicedTick: answer.voicedTick,
    isFiller: false,
    parts: partsOf(answer.audible, openNs),
  };
  const acts: AgentAct[] = [
    ...knows.acts,
    ...filler.acts,
    { atNs: toolNs, act: 'begin', stage: 'tool', id: 'tool' },
    { atNs: ready.atNs, act: 'finish', stage: 'tool', id: 'tool' },
    { atNs: openNs, act: 'wait' },
    ...answer.acts,
    { atNs: answer.sentNs, act: 'end', outcome: 'completed' },
  ];
  return {
    turn: turnTruth(start, 'completed', [responseOf(start, filler, true), resume], acts),
    utterances: [filler.truth, answer.truth],
    nextTick: answer.utterance.fromTick + tool.answer.audioMs * TICKS_PER_MS,
    endNs: answer.audibleNs + ms(tool.answer.audioMs),
  };
}

/** The user talks over the answer: the agent hears it, decides, stops; the client throws the rest away. */
function interrupted(
  start: TurnStart,
  knows: Understanding,
  answer: AnswerTruth,
  { afterMs, echo }: NonNullable<TurnStart['turn']['bargeIn']>,
): Planned {
  const { scenario } = start;
  const { onsetMs, onsetTick, detectedNs, decidedNs } = noticedAt(start, answer, afterMs);
  const cancelledNs = decidedNs + ms(BARGE_IN_CANCEL_MS);
  const { 'agent>edge': down, 'edge>client': air } = scenario.legs;
  const clearNs =
    cancelledNs + ms(2 + down.baseMs + air.baseMs + 8 * (down.jitterMs + air.jitterMs));
  const truth = utteranceTruth(scenario, { ...answer.utterance, cancelNs: cancelledNs, clearNs });
  const played = hopOf(truth, 'agent.client/playout');
  const heardTick = lastTick(played);
  const stopNs = passed(played, heardTick) + ms(scenario.frameMs.playout);
  const generatedTick = hopOf(truth, 'agent.agent/send').endTick.at(-1)!;
  const acts: AgentAct[] = [
    ...knows.acts,
    ...answer.acts.filter(one => one.atNs <= cancelledNs),
    { atNs: detectedNs, act: 'bargeIn', onsetTick },
    { atNs: decidedNs, act: 'bargeInDecided' },
    { atNs: cancelledNs, act: 'bargeInCancelled', generatedTick },
    ...(echo === undefined
      ? []
      : [{ atNs: cancelledNs, act: 'bargeInEcho', correlation: echo } as const]),
    {
      atNs: cancelledNs + 1_000,
      act: 'said',
      text: start.turn.answer.text ?? 'We close',
      cut: true,
    },
    { atNs: cancelledNs + 2_000, act: 'end', outcome: 'interrupted' },
  ];
  const wait: WaitTruth = { ...responseOf(start, answer, false), outcome: 'interrupted_after' };
  const turn = turnTruth(start, 'interrupted', [wait], acts);
  return {
    turn: {
      ...turn,
      bargeIn: {
        onsetNs: mouthNs(onsetTick),
        detectedNs,
        decidedNs,
        outcome: echo === undefined ? 'interrupted' : 'echo',
        cancelled: {
          atNs: cancelledNs,
          stopNs,
          unheardNs: Math.round(((generatedTick - 1 - heardTick) / TICKS_PER_MS) * NS_PER_MS),
        },
      },
    },
    utterances: [truth],
    nextTick: generatedTick,
    endNs: stopNs,
    nextStartMs: onsetMs,
  };
}

/** Nobody answered in time: what was begun is dropped when the hang-up reaches the agent. */
function abandoned(start: TurnStart, knows: Understanding, afterMs: number): Planned {
  const { speech, scenario } = start;
  const hangUpNs = speech.capturedNs + ms(afterMs);
  const { 'client>edge': air, 'edge>agent': up } = scenario.legs;
  const knownNs = hangUpNs + ms(air.baseMs + up.baseMs);
  const answer = firstAnswer(start, knows, false);
  if (answer.audibleNs <= hangUpNs)
    throw new Error(`${scenario.id}: the answer sounds before the user hangs up`);
  if (answer.firstFrameNs <= knownNs)
    throw new Error(
      `${scenario.id}: the answer is on its way when the user hangs up; hang up sooner`,
    );
  const wait: WaitTruth = {
    kind: 'response',
    outcome: 'abandoned',
    openNs: speech.capturedNs,
    closeNs: hangUpNs,
    isFiller: false,
    parts: [],
  };
  const acts: AgentAct[] = [
    ...[...knows.acts, ...answer.acts].filter(one => one.atNs < knownNs),
    { atNs: knownNs, act: 'end', outcome: 'abandoned' },
  ];
  return {
    turn: turnTruth(start, 'abandoned', [wait], acts),
    utterances: [],
    nextTick: start.fromTick,
    endNs: knownNs,
  };
}

function turnTruth(
  start: TurnStart,
  outcome: TurnTruth['outcome'],
  waits: readonly WaitTruth[],
  acts: readonly AgentAct[],
): TurnTruth {
  const { speech } = start;
  return {
    tick: speech.startTick,
    userStartNs: mouthNs(speech.startTick),
    userEndNs: speech.capturedNs,
    outcome,
    waits,
    acts: acts.toSorted((a, b) => a.atNs - b.atNs),
  };
}

/** How much the response wait of `turn` falls when a part of the scenario takes no time: run again. */
export function savesOf(scenario: Scenario, shorter: Scenario, turn = 0): number {
  const waitNs = (one: Scenario): number => {
    const wait = callTruth(one).turns[turn]!.waits[0]!;
    return wait.closeNs - wait.openNs;
  };
  return waitNs(scenario) - waitNs(shorter);
}
