// Turns as they are shown, and their numbers as they are charted.

import type { Attributes, Stage, Turn, Wait, WaitDefinition } from '@framescope/protocol';
import type { KnownBargeIn, KnownSpeech } from '../../recognise/source.types.ts';
import { featureColumns } from '../../rollup/turn-features.ts';
import type { ValueRow } from '../../store/store.ts';
import type { ClockMap } from '../clock/session-clocks.ts';
import { instanceWith } from '../frames/instances.ts';
import type { HopFrames, StreamFrames } from '../frames/stream-frames.ts';
import type { RawMoment } from '../ledger/place.ts';
import { ledgerOf, type WaitLedger } from '../ledger/wait.ts';
import type { TurnFacts } from '../session-data.ts';
import { joinedOf, serverOf } from './joined.ts';
import { reportedOf, withReported } from './reported.ts';
import { withSplits } from './vendor-splits.ts';
import { featuresOf } from './session-features.ts';
import { waitFacts, type WaitPlace } from './wait-facts.ts';

export interface TurnContext {
  readonly sessionKey: string;
  readonly zeroUnixNs: bigint;
  readonly streams: ReadonlyMap<string, StreamFrames>;
  /** By the number that rows carry. */
  readonly clocks: readonly ClockMap[];
  readonly clockOf: (turn: TurnFacts) => ClockMap;
  readonly producerOf: (turn: TurnFacts) => string | undefined;
  /** DomainNs on the turn's clock until which its authority was heard of. */
  readonly knownToRawNs: (turn: TurnFacts) => number;
  readonly session: WaitPlace['session'];
  readonly revision: number;
  readonly budgetOf: (measure: string) => number | null;
  /** Round trip to a service that is traced itself. */
  readonly wayTo: (service: string) => number | undefined;
  /** What came before the first word, where this turn is the session's greeting. */
  readonly setupOf: (turn: TurnFacts) => readonly RawMoment[];
}

export interface BuiltTurn {
  readonly turn: Turn;
  readonly values: readonly ValueRow[];
  readonly faultCount: number;
}

/** In order of time. `next` is the turn after, if there is one. */
export function buildTurn(
  facts: TurnFacts,
  next: TurnFacts | undefined,
  context: TurnContext,
): BuiltTurn {
  const { state } = facts;
  const clock = context.clockOf(facts);
  const place: WaitPlace = {
    state,
    clock,
    streams: context.streams,
    marked: { clocks: context.clocks, authority: serverOf(facts, context) },
    knownToRawNs: context.knownToRawNs(facts),
    source: facts.source,
    joined: joinedOf(facts, context),
    setup: context.setupOf(facts),
    nextTurnRawNs: next?.clock === facts.clock ? next.state.startedAt : undefined,
    session: context.session,
    revision: context.revision,
  };
  const ledgers = state.waits.map((_, i) => ledgerOf(waitFacts(i, place)));
  const turn = turnOf({ facts, clock, ledgers, next, context });
  return {
    turn,
    values: valuesOf(turn, ledgers, context),
    faultCount: ledgers.reduce((sum, one) => sum + (one?.faultCount ?? 0), 0),
  };
}

interface Parts {
  readonly facts: TurnFacts;
  readonly clock: ClockMap;
  readonly ledgers: readonly (WaitLedger | undefined)[];
  readonly next: TurnFacts | undefined;
  readonly context: TurnContext;
}

function turnOf({ facts, clock, ledgers, next, context }: Parts): Turn {
  const { state } = facts;
  const at = (rawNs: number): number => clock.toSession(rawNs);
  const waits = ledgers.flatMap((one, i) =>
    one === undefined ? [] : [withReported(one, reportedOf(facts, i))],
  );
  const isOver = context.session !== 'open';
  const stages = stagesOf(facts, context, isOver);
  const features = featuresOf(facts);
  return {
    sessionKey: context.sessionKey,
    source: facts.source,
    tick: state.tick,
    traceId: state.traceId,
    spanId: state.spanId,
    startNs: at(state.startedAt),
    endNs: state.endedAt === undefined ? null : at(state.endedAt),
    outcome: state.outcome ?? (isOver ? 'broken_off' : 'open'),
    user: userSpeech(facts, waits, context),
    agent: agentSpeech(facts, waits, next, context),
    words: state.words.map(({ who, text, at: rawNs, cut }) => ({
      who,
      text,
      atNs: at(rawNs),
      cut: cut === true,
    })),
    waits: waits.map(wait => withSplits(wait, stages, context.wayTo)),
    stages,
    bargeIn: bargeInOf(facts, clock, context),
    ...(features && { features }),
  };
}

/** Its own, and those that a framework tells of the same turn and it does not. */
function stagesOf(facts: TurnFacts, context: TurnContext, isOver: boolean): Stage[] {
  const names = new Set(facts.state.stages.map(stage => stage.name));
  return [facts, ...(facts.joined ?? [])].flatMap((told, i) => {
    const clock = context.clockOf(told);
    const untilRawNs = isOver ? context.knownToRawNs(told) : undefined;
    return told.state.stages
      .filter(stage => i === 0 || !names.has(stage.name))
      .map(stage => stageOf(stage, rawNs => clock.toSession(rawNs), untilRawNs));
  });
}

function stageOf(
  stage: TurnFacts['state']['stages'][number],
  at: (rawNs: number) => number,
  truncatedAtRawNs: number | undefined,
): Stage {
  const isTruncated = stage.endedAt === undefined && truncatedAtRawNs !== undefined;
  const endRawNs = stage.endedAt ?? truncatedAtRawNs;
  const attributes: Attributes = {
    ...stage.attributes,
    ...(stage.error === undefined ? {} : { 'error.message': stage.error }),
    ...(stage.generation === undefined ? {} : { 'framescope.stage.generation': stage.generation }),
  };
  return {
    name: stage.name,
    spanId: stage.spanId,
    startNs: at(stage.startedAt),
    firstNs: stage.firstAt === undefined ? null : at(stage.firstAt),
    endNs: endRawNs === undefined ? null : at(Math.max(endRawNs, stage.startedAt)),
    discarded: stage.discarded === true,
    truncated: isTruncated,
    attributes,
  };
}

/** Session time at which a tick passed the hop nearest to the mouth or the ear. */
function timeAt(hop: HopFrames | undefined, tick: number): number | undefined {
  const row = hop?.rows.rowOf(tick) ?? -1;
  return row < 0 ? undefined : hop!.atNs[row]!;
}

function userSpeech(facts: TurnFacts, waits: readonly Wait[], context: TurnContext): Turn['user'] {
  const known = knownSpeech(facts.state.user, facts, context);
  if (known !== null) return known;
  const response = waits.find(wait => wait.kind === 'response');
  if (response === undefined) return null;
  const stream = context.streams.get(facts.state.stream);
  const hops = stream?.hops ?? [];
  const startNs = timeAt(instanceWith(hops, hops[0], facts.state.tick), facts.state.tick);
  if (startNs === undefined) return null;
  return { startNs, endNs: Math.max(startNs, response.startNs) };
}

/** Speech as a framework saw it, where nobody saw its samples. */
function knownSpeech(
  speech: KnownSpeech | undefined,
  facts: TurnFacts,
  context: TurnContext,
): Turn['user'] {
  if (speech === undefined) return null;
  const clock = context.clockOf(facts);
  const startNs = clock.toSession(speech.startsAt);
  return { startNs, endNs: Math.max(startNs, clock.toSession(speech.endsAt)) };
}

/** From its first voiced sample to the last of its frames before the next turn's. */
function agentSpeech(
  facts: TurnFacts,
  waits: readonly Wait[],
  next: TurnFacts | undefined,
  context: TurnContext,
): Turn['agent'] {
  const index = facts.state.waits.findIndex(wait => wait.closes !== undefined);
  const known = knownSpeech(facts.state.agent, facts, context);
  const closes = facts.state.waits[index]?.closes;
  const startNs = waits[index]?.endNs ?? null;
  if (closes === undefined || startNs === null || 'at' in closes) return known;
  const stream = context.streams.get(closes.stream);
  const hop = instanceWith(stream?.hops ?? [], stream?.hops.at(-1), closes.tick);
  if (stream === undefined || hop === undefined) return null;
  const nextTick = nextUtteranceTick(stream, closes.stream, facts, next);
  const nextStartNs =
    next === undefined ? Infinity : context.clockOf(next).toSession(next.state.startedAt);
  let endNs = startNs;
  for (let row = Math.max(0, hop.rows.rowOf(closes.tick)); row < hop.rows.length; row++) {
    if (nextTick !== undefined && hop.rows.endTick[row]! > nextTick) break;
    if (nextTick === undefined && hop.atNs[row]! > nextStartNs + OVERLAP_NS) break;
    const lengthNs =
      ((hop.rows.endTick[row]! - hop.rows.startTick[row]!) / stream.sampleRate) * 1e9;
    endNs = Math.max(endNs, Math.round(hop.atNs[row]! + lengthNs));
  }
  return { startNs, endNs };
}

/** A pause at the source longer than this parts two utterances. */
const PAUSE_NS = 300_000_000;

/**
 * Where the next turn's audio starts: its first voiced tick, back over the silence that was sent
 * with it. Looked for at the first hop, where a stall further down has not torn anything apart.
 */
function nextUtteranceTick(
  stream: StreamFrames,
  name: string,
  facts: TurnFacts,
  next: TurnFacts | undefined,
): number | undefined {
  const ticksOf = (turn: TurnFacts): number[] =>
    turn.state.waits.flatMap(({ closes }) =>
      closes !== undefined && 'tick' in closes && closes.stream === name ? [closes.tick] : [],
    );
  const voicedTick = next && ticksOf(next)[0];
  const source = instanceWith(stream.hops, stream.hops[0], voicedTick ?? -1);
  if (voicedTick === undefined || source === undefined) return voicedTick;
  const { rows, atNs } = source;
  const ownTick = Math.max(...ticksOf(facts));
  for (let row = rows.rowOf(voicedTick); row > 0 && rows.startTick[row]! > ownTick; row--)
    if (atNs[row]! - atNs[row - 1]! > PAUSE_NS) return rows.startTick[row]!;
  return voicedTick;
}

/** After the next turn began the agent may still be heard for a moment: a barge-in takes that long. */
const OVERLAP_NS = 1_500_000_000;

function bargeInOf({ state }: TurnFacts, clock: ClockMap, context: TurnContext): Turn['bargeIn'] {
  const { bargeIn } = state;
  if (bargeIn === undefined) return null;
  if ('onsetAt' in bargeIn) return knownBargeIn(bargeIn, clock);
  const mic = context.streams.get(state.stream);
  const onsetNs =
    mic?.schedule === undefined
      ? timeAt(instanceWith(mic?.hops ?? [], mic?.hops[0], bargeIn.onsetTick), bargeIn.onsetTick)
      : Math.round(mic.schedule.at(bargeIn.onsetTick));
  if (onsetNs === undefined) return null;
  const since = (rawNs: number | undefined): number | null =>
    rawNs === undefined ? null : clock.toSession(rawNs) - onsetNs;
  const heard = lastHeard(state, bargeIn.generatedTick, context);
  const generatedTick = bargeIn.generatedTick;
  return {
    onsetNs,
    detectNs: since(bargeIn.detectedAt),
    stopNs: heard === undefined ? since(bargeIn.cancelledAt) : heard.atNs - onsetNs,
    unheardNs:
      heard === undefined || generatedTick === undefined
        ? null
        : Math.max(0, Math.round(((generatedTick - heard.tick) / heard.sampleRate) * 1e9)),
  };
}

function knownBargeIn(bargeIn: KnownBargeIn, clock: ClockMap): Turn['bargeIn'] {
  const onsetNs = clock.toSession(bargeIn.onsetAt);
  const since = (rawNs: number | undefined): number | null =>
    rawNs === undefined ? null : clock.toSession(rawNs) - onsetNs;
  return {
    onsetNs,
    detectNs: since(bargeIn.detectedAt),
    stopNs: since(bargeIn.stoppedAt),
    unheardNs: null,
  };
}

/** The end of the last frame of the cancelled speech that reached the ear. */
function lastHeard(
  state: TurnFacts['state'],
  limit: number | undefined,
  { streams }: TurnContext,
): { atNs: number; tick: number; sampleRate: number } | undefined {
  const closes = state.waits
    .flatMap(wait => (wait.closes !== undefined && 'tick' in wait.closes ? [wait.closes] : []))
    .at(-1);
  const stream = closes === undefined ? undefined : streams.get(closes.stream);
  const players = stream?.hops.filter(one => one.name === 'playout') ?? [];
  const hop = instanceWith(players, players.at(-1), closes?.tick ?? -1);
  if (stream === undefined || hop === undefined || limit === undefined) return undefined;
  for (let row = hop.rows.length - 1; row >= 0; row--) {
    const tick = hop.rows.endTick[row]!;
    if (tick > limit) continue;
    const lengthNs = ((tick - hop.rows.startTick[row]!) / stream.sampleRate) * 1e9;
    return { atNs: Math.round(hop.atNs[row]! + lengthNs), tick, sampleRate: stream.sampleRate };
  }
  return undefined;
}

// ---- numbers for charts -------------------------------------------------------------------

const CENSORED = new Set(['interrupted_before', 'abandoned', 'failed', 'none']);

function valuesOf(
  turn: Turn,
  ledgers: readonly (WaitLedger | undefined)[],
  context: TurnContext,
): ValueRow[] {
  const measured = ledgers.flatMap((ledger, waitIndex) =>
    ledger === undefined || !ledger.isMeasured || ledger.wait.outcome === 'open'
      ? []
      : [{ ledger, waitIndex }],
  );
  const rows: ValueRow[] = reportedRows(turn, ledgers, context);
  const columns = featureColumns(turn.features ?? {});
  for (const { ledger, waitIndex } of measured) {
    const { wait, figures } = ledger;
    const row = rowMaker(turn, wait, waitIndex, context);
    const family = wait.kind === 'response' ? 'voice_to_voice' : wait.kind;
    for (const { definition, valueNs, errorNs } of figures)
      rows.push(row(`${family}.${definition}`, valueNs, errorNs));
    if (wait.kind === 'response') {
      for (const figure of figures)
        rows.push(
          answerRow(figure.definition, {
            figure,
            wait,
            later: measured.slice(measured.findIndex(one => one.ledger === ledger) + 1),
            row,
            turn,
          }),
        );
    }
    // Of every wait: a tool that outlives its filler is a part of the wait behind it.
    if (!CENSORED.has(wait.outcome)) rows.push(...partRows(wait, row));
    for (const [name, value] of columns) rows.push(row(name, value, 0));
  }
  return rows;
}

/** Where only the framework says how long a wait was, its word is a figure of its own definition. */
function reportedRows(
  turn: Turn,
  ledgers: readonly (WaitLedger | undefined)[],
  context: TurnContext,
): ValueRow[] {
  const told = ledgers.flatMap((ledger, waitIndex) =>
    ledger === undefined ? [] : [{ ledger, waitIndex }],
  );
  return told.flatMap(({ ledger, waitIndex }, i) => {
    const wait = turn.waits[i]!;
    const [figure] = wait.reported ?? [];
    if (ledger.isMeasured || figure === undefined || wait.kind !== 'response') return [];
    const row = rowMaker(turn, wait, waitIndex, context);
    return [{ ...row('voice_to_voice.framework', figure.valueNs, 0), resolved: 0 }];
  });
}

type MakeRow = (
  measure: string,
  valueNs: number,
  errorNs: number,
  isCensored?: boolean,
) => ValueRow;

function rowMaker(turn: Turn, wait: Wait, waitIndex: number, context: TurnContext): MakeRow {
  const worst = wait.parts.reduce<Wait['parts'][number] | undefined>(
    (most, part) => (most === undefined || part.exposedNs > most.exposedNs ? part : most),
    undefined,
  );
  return (measure, valueNs, errorNs, isCensored = CENSORED.has(wait.outcome)) => {
    const limitNs = context.budgetOf(measure);
    return {
      measure,
      sessionKey: context.sessionKey,
      tick: turn.tick,
      waitIndex,
      atUnixNs: context.zeroUnixNs + BigInt(wait.startNs),
      valueNs,
      isCensored,
      outcome: wait.outcome,
      errorNs,
      resolved: wait.resolved,
      worstPart: worst?.name ?? null,
      worstPartNs: worst?.exposedNs ?? null,
      isOverBudget: limitNs !== null && valueNs > limitNs,
    };
  };
}

/** Exposed time of each part; one that comes twice (inference, tool, inference) is one number. */
function partRows(wait: Wait, row: MakeRow): ValueRow[] {
  const sums = new Map<string, { ns: number; errorNs: number; savesNs: number | null }>();
  for (const { name, exposedNs, errorNs, savesNs } of wait.parts) {
    const sum = sums.get(name);
    // What two stretches of one part save together the graph was not asked.
    if (sum === undefined) sums.set(name, { ns: exposedNs, errorNs, savesNs });
    else
      sums.set(name, {
        ns: sum.ns + exposedNs,
        errorNs: Math.max(sum.errorNs, errorNs),
        savesNs: null,
      });
  }
  return [...sums].map(([name, { ns, errorNs, savesNs }]) => ({
    ...row(`part.${name}`, ns, errorNs),
    savesNs,
  }));
}

interface Answering {
  readonly figure: WaitLedger['figures'][number];
  readonly wait: Wait;
  readonly later: readonly { readonly ledger: WaitLedger }[];
  readonly row: MakeRow;
  readonly turn: Turn;
}

/** `time_to_answer` ends at the first sample that is no filler; without one it is at least so long. */
function answerRow(
  definition: WaitDefinition,
  { figure, wait, later, row, turn }: Answering,
): ValueRow {
  const measure = `time_to_answer.${definition}`;
  if (wait.outcome !== 'filler_only') return row(measure, figure.valueNs, figure.errorNs);
  const startNs = spanOf(wait, definition)?.startNs ?? wait.startNs;
  const answer = later
    .map(one => one.ledger.wait)
    .find(one => one.outcome === 'answered' || one.outcome === 'interrupted_after');
  const endNs =
    answer === undefined ? undefined : (spanOf(answer, definition)?.endNs ?? answer.endNs);
  if (answer !== undefined && endNs != null)
    return row(measure, Math.max(figure.valueNs, endNs - startNs), figure.errorNs + answer.errorNs);
  return row(
    measure,
    Math.max(figure.valueNs, (turn.endNs ?? startNs) - startNs),
    figure.errorNs,
    true,
  );
}

const spanOf = (
  wait: Wait,
  definition: WaitDefinition,
): { readonly startNs: number; readonly endNs: number | null } | undefined =>
  wait.definition === definition
    ? wait
    : wait.alternatives.find(one => one.definition === definition);
