// Who had the floor, and who took it (rules 8 and 9 of the ledger): speech over the agent from its onset to
// the last sample that was heard, what came of it, and floor transfers where nobody tells turns.

import type { BargeInOutcome, BargeInState, Turn } from '@framescope/protocol';
import type { KnownBargeIn } from '../../recognise/source.types.ts';
import type { ClockMap } from '../clock/session-clocks.ts';
import { instanceWith, timeAt } from '../frames/instances.ts';
import type { TurnFacts } from '../session-data.ts';
import type { TurnContext } from './turns.ts';

/** Envelopes this alike are of one sound. */
const ECHO_MIN = 0.9;

/** Noticed, let pass, and the answer went on to its end: it changed nothing. */
const isBackchannel = ({ bargeIn, outcome }: TurnFacts['state']): boolean =>
  bargeIn !== undefined &&
  !('onsetAt' in bargeIn) &&
  bargeIn.decidedAt === undefined &&
  bargeIn.cancelledAt === undefined &&
  outcome === 'completed';

export function backchannelsOf({ state }: TurnFacts): number {
  return (state.backchannels ?? 0) + (isBackchannel(state) ? 1 : 0);
}

export function bargeInOf(
  { state }: TurnFacts,
  next: TurnFacts | undefined,
  clock: ClockMap,
  context: TurnContext,
): Turn['bargeIn'] {
  const { bargeIn } = state;
  if (bargeIn === undefined || isBackchannel(state)) return null;
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
    decideNs: since(bargeIn.decidedAt),
    cancelNs: since(bargeIn.cancelledAt),
    stopNs: heard === undefined ? since(bargeIn.cancelledAt) : heard.atNs - onsetNs,
    unheardNs:
      heard === undefined || generatedTick === undefined
        ? null
        : Math.max(0, Math.round(((generatedTick - heard.tick) / heard.sampleRate) * 1e9)),
    outcome: bargeInOutcome(bargeIn, next),
  };
}

/** What was said over the agent is the next turn's: an echo has no words. */
function bargeInOutcome(
  { resumedAt, echo }: BargeInState,
  next: TurnFacts | undefined,
): BargeInOutcome {
  const hasWords = next?.state.words.some(one => one.who === 'user' && one.text !== '') === true;
  if (echo !== undefined && echo >= ECHO_MIN && !hasWords) return 'echo';
  return resumedAt === undefined ? 'interrupted' : 'resumed';
}

function knownBargeIn(bargeIn: KnownBargeIn, clock: ClockMap): Turn['bargeIn'] {
  const onsetNs = clock.toSession(bargeIn.onsetAt);
  const since = (rawNs: number | undefined): number | null =>
    rawNs === undefined ? null : clock.toSession(rawNs) - onsetNs;
  return {
    onsetNs,
    detectNs: since(bargeIn.detectedAt),
    decideNs: null,
    cancelNs: null,
    stopNs: since(bargeIn.stoppedAt),
    unheardNs: null,
    outcome: 'interrupted',
  };
}

const FLOOR_TRANSFER = 'framescope.floor_transfer_ns';

/** Told by who listens to both streams at one place, where nobody tells turns. */
export function floorTransferOf({ state }: TurnFacts): number | undefined {
  for (const { attributes } of state.stages) {
    const ns = attributes?.[FLOOR_TRANSFER];
    if (typeof ns === 'number' && Number.isFinite(ns)) return Math.round(ns);
  }
  return undefined;
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
