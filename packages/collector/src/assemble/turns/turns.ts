// Turns as they are shown, and their numbers as they are charted.

import type { Attributes, Stage, Turn, Wait } from '@framescope/protocol';
import type { KnownSpeech } from '../../recognise/source.types.ts';
import type { ValueRow } from '../../store/store.ts';
import type { ClockMap } from '../clock/session-clocks.ts';
import { instanceWith, timeAt } from '../frames/instances.ts';
import type { StreamFrames } from '../frames/stream-frames.ts';
import type { RawMoment } from '../ledger/place.ts';
import { ledgerOf, type WaitLedger } from '../ledger/wait.ts';
import type { TurnFacts } from '../session-data.ts';
import { backchannelsOf, bargeInOf, floorTransferOf } from './barge-ins.ts';
import { joinedOf, serverOf } from './joined.ts';
import { reportedOf, withReported } from './reported.ts';
import { withSplits } from './vendor-splits.ts';
import { featuresOf } from './session-features.ts';
import { valuesOf } from './turn-values.ts';
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
  const bargeIn = bargeInOf(facts, next, clock, context);
  const backchannels = backchannelsOf(facts);
  const floorTransferNs = floorTransferOf(facts);
  const features = featuresOf(facts, bargeIn);
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
    bargeIn,
    ...(backchannels > 0 && { backchannels }),
    ...(floorTransferNs !== undefined && { floorTransferNs }),
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
