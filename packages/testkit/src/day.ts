// A simulated day: what a voice product with a deploy at noon, a bad host and an
// evening incident looks like from above. Every call is a scenario with a seed of
// its own; the same seed and end give the same day, down to the IDs.
//
//   load   two humps (late morning, evening), a tenth of that at night
//   place  three regions, each farther from its callers than the one before
//   09:xx  one host of us-east has a slow TTS all day
//   mid    release 2.4.0 → 2.5.0: faster model, longer endpointing
//   3/4    a network incident of twelve minutes in ap-south
//   0.30   for an hour and a half eu-west is answered from us-east (its agents are drained)
//   0.16   a spike: for two minutes a twenty-fifth of the day's calls, all to one host of us-east
//   2/3    the relay of us-east dies without a word; its calls go on over another
//   ever   one call in twelve on a phone changes its network in the middle, and is deaf and mute meanwhile;
//          every call says how it came about, and of the model's service how far it is and what it queues

import { callTruth } from './call-truth.ts';
import { Draws } from './random.ts';
import { type CallTruth } from './truth.ts';
import {
  answerOf,
  type AnswerSpec,
  HOME_LEGS,
  type LegName,
  type LegSpec,
  type Scenario,
  scenarioOf,
  type SetupSpec,
  type TurnSpec,
} from './scenario.ts';

export interface DaySpec {
  readonly seed: number;
  readonly turns: number;
  /** The day ends here: Unix ms. */
  readonly endUnixMs: number;
}

export const SYNTHETIC_LABEL = 'simulated day';
/** Which day a call belongs to: the ISO time of its end. */
export const DAY_END_ATTRIBUTE = 'simulated.until';

/** IDs of a day's calls begin with it. */
export const dayPrefix = (seed: number): string => `day-${seed}-`;

const DAY_MS = 86_400_000;
const DEPLOY_AT = 0.55;
const INCIDENT = { from: 0.76, to: 0.7683, region: 'ap-south' } as const;
const BAD_HOST = 'us-east-agent-3';
const FAR = { from: 0.3, to: 0.36, region: 'eu-west', agents: 'us-east', eachWayMs: 42 } as const;
const SPIKE = {
  from: 0.16,
  to: 0.1614,
  share: 0.04,
  region: 'us-east',
  host: 'us-east-agent-2',
} as const;
/** So many calls, a second apart, are on the relay when it dies, so long after the first began. */
const RESTART = {
  at: 2 / 3,
  calls: 5,
  apartMs: 1_000,
  afterMs: 10_600,
  gapMs: 240,
} as const;
/** A gap in which a turn's speech begins or ends is moved by so much, so often. */
const SHIFT_MS = 260;
const SHIFTS_MAX = 12;
const HOSTS_PER_REGION = 4;
/** A phone that changes its network: so often, for so long, and how late it knows that it has lost one. */
const SWITCH = { share: 1 / 12, gapMs: 900, knownMs: 400, firstMs: 2_600 } as const;
/** The model's service stands in us-east. */
const MODEL_RTT_MS: Readonly<Record<string, number>> = {
  'us-east': 6,
  'eu-west': 38,
  'ap-south': 74,
};
/** Of its own time, what a request waits at it: usually, and in the spike. */
const QUEUE = { usual: 0.03, spike: 0.6 } as const;

interface Region {
  readonly name: string;
  readonly weight: number;
  readonly upMs: number;
  readonly downMs: number;
  readonly jitterMs: number;
}

const REGIONS: readonly Region[] = [
  { name: 'us-east', weight: 5, upMs: 24, downMs: 16, jitterMs: 2 },
  { name: 'eu-west', weight: 3, upMs: 31, downMs: 22, jitterMs: 3 },
  { name: 'ap-south', weight: 2, upMs: 68, downMs: 47, jitterMs: 7 },
];

const WORDS: readonly (readonly [string, string])[] = [
  ['What time do you close today?', 'We close at six.'],
  ['I would like to move my appointment.', 'Of course. Which day suits you?'],
  ['Can I pay by card at the door?', 'Yes, every card is fine.'],
  ['Is my order on its way already?', 'It left this morning.'],
  ['My flight was cancelled.', 'I am sorry. Let me see what else flies today.'],
  ['Do you have a table for four tonight?', 'At half past seven, by the window.'],
];

/** Share of a day's calls, up to which each hour's calls are started: load by the clock. */
const LOAD_BY_HOUR = [
  2, 1, 1, 1, 1, 2, 4, 7, 11, 15, 17, 16, 13, 12, 13, 14, 15, 16, 17, 15, 11, 8, 5, 3,
] as const;

/** The calls of the day in the order in which they start; about `turns` turns, never fewer. */
export function* dayOf(spec: DaySpec): Generator<Scenario> {
  const draws = new Draws(spec.seed, 'day');
  const shares: number[] = [];
  const sizes: number[] = [];
  for (let turns = 0; turns < spec.turns; turns += sizes.at(-1)!) {
    const at = 7 * sizes.length;
    const isSpike = draws.uniform(at + 3) < SPIKE.share;
    shares.push(
      isSpike
        ? SPIKE.from + (SPIKE.to - SPIKE.from) * draws.uniform(at + 4)
        : shareOfDay(draws.uniform(at), draws.uniform(at + 1), spec),
    );
    sizes.push(2 + Math.floor(7 * draws.uniform(7 * sizes.length + 2)));
  }
  shares.sort((a, b) => a - b);
  const first = Math.floor(shares.length * RESTART.at);
  const dies = shares[first]! + RESTART.afterMs / DAY_MS;
  for (let i = 1; i < RESTART.calls; i++)
    shares[first + i] = shares[first]! + (i * RESTART.apartMs) / DAY_MS;
  for (const [index, share] of shares.entries()) {
    const isRelayed = index >= first && index < first + RESTART.calls;
    const call = callOf(spec, index, { share, turns: sizes[index]!, isRelayed });
    yield isRelayed ? restarted(call, (dies - share) * DAY_MS) : switched(call);
  }
}

const isIn = (
  share: number,
  { from, to }: { readonly from: number; readonly to: number },
): boolean => share >= from && share < to;

/** Lost frames hold up what comes behind them, and so may fall on the edge of a later turn's speech. */
function isPossible(call: Scenario): boolean {
  try {
    callTruth(call);
    return true;
  } catch {
    return false;
  }
}

/** Ends of the user's speech, in ms of the call. */
const edgesOf = (truth: CallTruth): number[] =>
  truth.turns.flatMap(turn => [turn.userStartNs, turn.userEndNs]).map(ns => ns / 1e6);

/** A phone changes its network: nothing gets through meanwhile, either way. */
function switched(call: Scenario): Scenario {
  const draws = new Draws(call.seed, 'network switch');
  const isPhone = call.attributes['client'] !== 'web';
  if (!isPhone || draws.uniform(0) >= SWITCH.share) return call;
  const { gapMs, knownMs } = SWITCH;
  const truth = callTruth(call);
  const edges = edgesOf(truth);
  for (let shift = 0; shift < SHIFTS_MAX; shift++) {
    const fromMs =
      20 * Math.round((SWITCH.firstMs + 6_000 * draws.uniform(1)) / 20) + shift * SHIFT_MS;
    const toMs = fromMs + gapMs;
    if (toMs + gapMs > truth.endNs / 1e6) return call;
    const incident = { fromMs, toMs, addMs: 0, loss: 1 };
    const cut = (leg: LegName): LegSpec => ({ ...call.legs[leg], incident });
    const changed = {
      ...call,
      legs: { ...call.legs, 'client>edge': cut('client>edge'), 'edge>client': cut('edge>client') },
      setup: [
        ...(call.setup ?? []),
        { host: 'client', name: 'connection_lost', atMs: fromMs + knownMs },
        { host: 'client', name: 'connection_restored', atMs: toMs },
      ] as const,
    };
    const isClear = edges.every(at => at < fromMs - 200 || at > toMs + 200);
    if (isClear && isPossible(changed)) return changed;
  }
  return call;
}

/** A call of the relay that dies goes on over the next one. */
function restarted(call: Scenario, intoMs: number): Scenario {
  const truth = callTruth(call);
  const endMs = truth.endNs / 1e6 - 2 * RESTART.gapMs;
  const edges = edgesOf(truth);
  for (let shift = 0; shift < SHIFTS_MAX; shift++) {
    const diesAtMs = intoMs + shift * SHIFT_MS;
    if (diesAtMs > endMs) return call;
    const isClear = edges.every(
      at => at < diesAtMs - RESTART.gapMs || at > diesAtMs + 2 * RESTART.gapMs,
    );
    const relayed = { ...call, relay: { diesAtMs, gapMs: RESTART.gapMs } };
    if (isClear && isPossible(relayed)) return relayed;
  }
  return call;
}

/** A draw from the load curve, as a share of the day that ends at `endUnixMs`. */
function shareOfDay(whichHour: number, within: number, spec: DaySpec): number {
  const total = LOAD_BY_HOUR.reduce((sum, load) => sum + load, 0);
  let rest = whichHour * total;
  const hour = LOAD_BY_HOUR.findIndex(load => (rest -= load) < 0);
  const clockMs = (Math.max(hour, 0) + within) * 3_600_000;
  const endClockMs = spec.endUnixMs % DAY_MS;
  // No call may still run at the day's end: the last two minutes stay free.
  return Math.min(((clockMs - endClockMs + DAY_MS) % DAY_MS) / DAY_MS, 1 - 120_000 / DAY_MS);
}

interface Place {
  readonly share: number;
  readonly turns: number;
  /** It is on the relay that dies. */
  readonly isRelayed: boolean;
}

function callOf(spec: DaySpec, index: number, { share, turns, isRelayed }: Place): Scenario {
  const seed = (spec.seed * 1_000_003 + index) | 0;
  const draws = new Draws(seed, 'call');
  const isSpike = isIn(share, SPIKE);
  const drawn = draws.pick(
    0,
    REGIONS.map(one => [one, one.weight] as const),
  );
  const isUs = isSpike || isRelayed;
  const region = isUs ? REGIONS.find(one => one.name === SPIKE.region)! : drawn;
  const isFar = region.name === FAR.region && isIn(share, FAR);
  const agents = isFar ? FAR.agents : region.name;
  const drawnHost = `${agents}-agent-${1 + Math.floor(HOSTS_PER_REGION * draws.uniform(1))}`;
  const host = isSpike ? SPIKE.host : drawnHost;
  const release = share < DEPLOY_AT ? '2.4.0' : '2.5.0';
  const isIncident =
    region.name === INCIDENT.region && share >= INCIDENT.from && share < INCIDENT.to;
  const startUnixMs = Math.round(spec.endUnixMs - DAY_MS + share * DAY_MS);
  const client = draws.pick(2, [
    ['web', 5],
    ['ios', 3],
    ['android', 2],
  ] as const);
  const kind: CallKind = { draws, release, isBadHost: host === BAD_HOST, isIncident, isSpike };
  return scenarioOf({
    id: `${dayPrefix(spec.seed)}${new Date(startUnixMs).toISOString().slice(0, 19)}-${index}`,
    seed,
    startUnixMs,
    attributes: {
      region: region.name,
      host,
      release,
      client,
      codec:
        client === 'web'
          ? 'opus'
          : draws.pick(3, [
              ['opus', 2],
              ['pcmu', 1],
            ] as const),
      'framescope.synthetic': SYNTHETIC_LABEL,
      [DAY_END_ATTRIBUTE]: new Date(spec.endUnixMs).toISOString(),
    },
    hosts: hostsOf(region, { host, agents }, draws),
    legs: legsOf(region, isIncident, isFar),
    slowHops: {},
    turns: Array.from({ length: turns }, (_, at) => dayTurn(kind, at, at === turns - 1)),
    stalls: draws.uniform(4) < 0.02 ? [{ atMs: 2_100, forMs: 400 }] : [],
    vadErrorMs: 20,
    vendor: {
      name: 'voice-llm',
      rttMs: MODEL_RTT_MS[agents]!,
      queueShare: isSpike ? QUEUE.spike : QUEUE.usual,
    },
    setup: setupOf(seed, { region, isSpike }),
    isLean: true,
    flushMs: 5_000,
    tailMs: 2_200,
  });
}

interface SetupPlace {
  readonly region: Region;
  readonly isSpike: boolean;
}

/**
 * From the button to the microphone: as long as ways are, and how busy those are that hand agents out. When
 * both ends know each other the way for the media and the agent are made ready side by side.
 */
function setupOf(seed: number, { region, isSpike }: SetupPlace): readonly SetupSpec[] {
  const draws = new Draws(seed, 'set-up');
  const tripMs = region.upMs + region.downMs;
  const iceMs = tripMs + draws.logNormal(2, 70, 0.5);
  const dtlsMs = iceMs + 2 * tripMs + 15 * draws.uniform(3);
  const startedMs = 5 + draws.logNormal(4, isSpike ? 700 : 60, 0.5);
  const readyMs = startedMs + draws.logNormal(5, 110, 0.4);
  const signalledMs = -(Math.max(dtlsMs, readyMs) + 20 + 30 * draws.uniform(0));
  const calledMs = signalledMs - 2 * tripMs - draws.logNormal(1, 60, 0.4);
  const moment = (
    host: SetupSpec['host'],
    name: SetupSpec['name'],
    afterMs: number,
  ): SetupSpec => ({
    host,
    name,
    atMs: signalledMs + afterMs,
  });
  return [
    { host: 'client', name: 'call_started', atMs: calledMs },
    moment('client', 'signalled', 0),
    moment('client', 'ice_connected', iceMs),
    moment('client', 'dtls_connected', dtlsMs),
    moment('agent', 'agent_requested', 5),
    moment('agent', 'agent_started', startedMs),
    moment('agent', 'agent_ready', readyMs),
  ];
}

interface AgentPlace {
  readonly host: string;
  /** Region of the agents that answer. */
  readonly agents: string;
}

function hostsOf(region: Region, { host, agents }: AgentPlace, draws: Draws): Scenario['hosts'] {
  const resource = { 'cloud.region': region.name };
  const off = (at: number, spreadMs: number): number => spreadMs * (draws.uniform(at) - 0.5);
  return {
    client: { offsetMs: off(10, 6_000), driftPpm: off(11, 80), resource: {} },
    edge: {
      offsetMs: off(12, 40),
      driftPpm: off(13, 20),
      resource: { ...resource, 'host.name': `${region.name}-edge` },
    },
    agent: {
      offsetMs: off(14, 10),
      driftPpm: off(15, 10),
      resource: { 'cloud.region': agents, 'host.name': host, 'service.instance.id': host },
    },
    models: { offsetMs: 0, driftPpm: 0, resource },
  };
}

function legsOf(region: Region, isIncident: boolean, isFar: boolean): Scenario['legs'] {
  const air = (baseMs: number): LegSpec => ({
    baseMs: baseMs + (isIncident ? 240 : 0),
    jitterMs: isIncident ? 30 : region.jitterMs,
    loss: 0,
  });
  const ways = { ...HOME_LEGS, 'client>edge': air(region.upMs), 'edge>client': air(region.downMs) };
  if (!isFar) return ways;
  const far: LegSpec = { baseMs: FAR.eachWayMs, jitterMs: 1, loss: 0 };
  return { ...ways, 'edge>agent': far, 'agent>edge': far };
}

interface CallKind {
  readonly draws: Draws;
  readonly release: string;
  readonly isBadHost: boolean;
  readonly isIncident: boolean;
  readonly isSpike: boolean;
}

/** A model with ten times its usual calls. */
const SPIKE_SLOWER = 2.6;

/** Draws of one turn lie so far apart. */
const DRAWS_PER_TURN = 16;

function dayTurn(kind: CallKind, at: number, isLast: boolean): TurnSpec {
  const { draws } = kind;
  const base = 100 + at * DRAWS_PER_TURN;
  const isNew = kind.release === '2.5.0';
  const [asked, said] = WORDS[Math.floor(WORDS.length * draws.uniform(base))]!;
  const turn: TurnSpec = {
    gapMs: 300 + 20 * Math.floor(20 * draws.uniform(base + 1)),
    speechMs: 600 + 20 * Math.floor(45 * draws.uniform(base + 2)),
    endpointingMs: isNew ? 280 : 180,
    transcriptionMs: draws.logNormal(base + 3, 140, 0.35),
    answer: dayAnswer(kind, base, said),
    text: asked,
  };
  const chance = draws.uniform(base + 12);
  if (isLast && chance < (kind.isIncident ? 0.4 : 0.035)) return abandonedTurn(turn, draws, base);
  if (chance < 0.09) return { ...turn, bargeIn: { afterMs: 200 + 300 * draws.uniform(base + 13) } };
  if (chance < 0.15) {
    const filler = { ...turn.answer, audioMs: 800, text: 'Let me check that for you.' };
    // Longer than its filler, whatever the voice takes: a tool that is done sooner leaves no wait.
    const toolMs = filler.synthesisMs + 1_150 + draws.logNormal(base + 14, 600, 0.7);
    return { ...turn, answer: filler, tool: { toolMs, answer: dayAnswer(kind, base + 5, said) } };
  }
  return isNew && chance < 0.6 ? { ...turn, preemptive: true } : turn;
}

/** The model hangs, and so, after a while, does the caller. */
function abandonedTurn(turn: TurnSpec, draws: Draws, base: number): TurnSpec {
  const afterMs = 2_500 + 3_500 * draws.uniform(base + 13);
  return {
    ...turn,
    answer: { ...turn.answer, inferenceMs: 9_000 },
    abandonedAfterMs: afterMs,
  };
}

function dayAnswer(kind: CallKind, base: number, text: string): AnswerSpec {
  const { draws } = kind;
  const isSlow = draws.uniform(base + 4) < 0.02;
  const inferenceMs = draws.logNormal(base + 5, kind.release === '2.5.0' ? 170 : 230, 0.38);
  const synthesisMs = draws.logNormal(base + 6, kind.isBadHost ? 420 : 90, 0.3);
  return {
    ...answerOf({ text }),
    preparationMs: draws.logNormal(base + 7, 11, 0.6),
    inferenceMs: inferenceMs * (isSlow ? 5 : kind.isSpike ? SPIKE_SLOWER : 1),
    aggregationMs: draws.logNormal(base + 8, 40, 0.4),
    synthesisMs,
    deliveryMs: 4 + 4 * draws.uniform(base + 9),
    leadingSilenceMs: 20 * Math.floor(4 * draws.uniform(base + 10)),
    audioMs: 600 + 200 * Math.floor(4 * draws.uniform(base + 11)),
    ...(draws.uniform(base + 15) < 0.01 ? { failedAttemptMs: 700 } : {}),
  };
}
