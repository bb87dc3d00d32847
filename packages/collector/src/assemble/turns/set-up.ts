// What came before the first word: moments of the processes that set a call up, for
// the ledger of its greeting; and a ledger of its own for a call that nobody greets.

import type { SetupName, Wait } from '@framescope/protocol';
import type { ClockMap, SessionClocks } from '../clock/session-clocks.ts';
import { ledgerOf } from '../ledger/wait.ts';
import type { RawMoment } from '../ledger/place.ts';
import type { Process, SessionData, TurnFacts } from '../session-data.ts';
import type { ToldSetup } from '../setup-log.ts';

/** In the order in which they are looked for; of each the first counts. */
const BEFORE_SPEECH: readonly SetupName[] = [
  'call_started',
  'signalled',
  'ice_connected',
  'dtls_connected',
  'agent_requested',
  'agent_started',
  'agent_ready',
];

/**
 * Moments of a call's set-up as far as anybody told them; none where nobody said when the call was
 * asked for. `answering`: the process that greets, else the turn authority.
 */
export function setupMoments(data: SessionData, answering: string | undefined): RawMoment[] {
  const { clocks, setup } = data;
  const [asked] = inOrder(setup.named('call_started'), clocks);
  if (asked === undefined) return [];
  const askedNs = sessionNs(asked, clocks);
  const told = BEFORE_SPEECH.flatMap(name => inOrder(setup.named(name), clocks).slice(0, 1));
  const names = new Set(told.map(one => one.name));
  const moments = told.map(one => rawOf(one, clocks));
  const agent = answering === undefined ? undefined : data.processes.get(answering);
  // A page that is its own agent was not sent for.
  if (agent === undefined || agent.producer === asked.producer) return moments;
  const [begun] = setup.named('process_started').filter(one => one.producer === agent.producer);
  // One that ran before anybody called was warm: nothing of its start is part of this wait.
  const isCold = begun !== undefined && sessionNs(begun, clocks) > askedNs;
  if (isCold && !names.has('agent_started'))
    moments.push({ ...rawOf(begun, clocks), name: 'agent_started' });
  const ready = readyOf(agent, clocks);
  if (ready !== undefined && !names.has('agent_ready')) moments.push(ready);
  return moments.filter(one => one.name === 'call_started' || at(one) >= askedNs - ERROR_NS);
}

/** Clocks may put what followed a little before what it followed. */
const ERROR_NS = 250_000_000;

const at = ({ clock, rawNs }: RawMoment): number => clock.toSession(rawNs);

const sessionNs = (one: ToldSetup, clocks: SessionClocks): number =>
  clocks.map(one.clock).toSession(one.at);

const inOrder = (all: readonly ToldSetup[], clocks: SessionClocks): ToldSetup[] =>
  all.toSorted((a, b) => sessionNs(a, clocks) - sessionNs(b, clocks));

const rawOf = (one: ToldSetup, clocks: SessionClocks): RawMoment => ({
  name: one.name,
  rawNs: one.at,
  clock: clocks.map(one.clock),
  source: one.source ?? 'recorded',
  errorNs: 0,
});

function readyOf({ session, clock }: Process, clocks: SessionClocks): RawMoment | undefined {
  if (session === undefined) return undefined;
  const map: ClockMap = clocks.map(clock);
  return {
    name: 'agent_ready',
    rawNs: session.startedAt,
    clock: map,
    source: 'session opened',
    errorNs: 0,
  };
}

/** Of a call that nobody greets: from where it was asked for until it stood. */
export function setupWait(data: SessionData, revision: number): Wait | undefined {
  const moments = setupMoments(data, data.authority()?.producer);
  if (moments.length < 2) return undefined;
  return ledgerOf({ kind: 'greeting', outcome: 'answered', moments, failed: [], revision })?.wait;
}

/** A turn that the agent owed from the start: the first of a session has the set-up before it. */
export const isGreeting = ({ state }: TurnFacts): boolean =>
  state.waits.some(wait => wait.kind === 'greeting');
