// Worlds with a cause, for the question "why are the slow ones slow?": some calls through one
// product, drawn from a seed, and what is true of them, written before anything runs.
//
//   a usual turn   every part log-normal about its median, the same in all calls
//   a slow turn    one turn in ten or so has one part, or two, longer by some hundred ms
//   a bad place    all turns of the calls with one value of an attribute have it
//   a bad call     one call has it, in all of its turns
//   none           nothing but the usual spread, wide or narrow, with attributes that say nothing
//
// Attributes of calls are drawn whatever the cause is, so that there is always something to be
// fooled by. Which part is slow, by how much, how often and where are drawn too.

import { Draws } from './random.ts';
import {
  answerOf,
  type AnswerSpec,
  HOME_LEGS,
  type LegSpec,
  type Scenario,
  scenarioOf,
  type TurnSpec,
  turnOf,
} from './scenario.ts';

/** What is true: the kind that a verdict should have, and what it should name first. */
export interface CauseTruth {
  readonly kind: 'part' | 'attribute' | 'session' | 'none';
  /** Any of these is right: two parts that are slow together are one cause. */
  readonly names: readonly string[];
  /** Of the attribute. */
  readonly value?: string;
  /** All of these must be told, first or beside it. */
  readonly told: readonly string[];
  /** In words, for who reads the list. */
  readonly text: string;
}

export interface CauseWorld {
  readonly name: string;
  readonly truth: CauseTruth;
  readonly calls: readonly Scenario[];
}

export const CAUSE_KINDS = [
  'slow inference',
  'slow synthesis',
  'slow hand-over',
  'slow preparation',
  'slow sentence buffering',
  'slow transcript',
  'late end of turn',
  'silence before speech',
  'failed attempts',
  'slow network',
  'two parts together',
  'two parts apart',
  'bad host',
  'bad release',
  'bad region',
  'bad host in a region',
  'one bad call',
  'none, steady',
  'none, wide',
  'none, many attributes',
] as const;
export type CauseKind = (typeof CAUSE_KINDS)[number];

export interface CauseWorldSpec {
  readonly kind: CauseKind;
  readonly seed: number;
  /** The last call is over by then: Unix ms. */
  readonly endUnixMs: number;
}

const CALLS = 24;
const TURNS = 9;
/** Of the bad call: half of the thirty slowest are to be its. */
const BAD_CALL_TURNS = 26;
const CALL_EVERY_MS = 90_000;
/** Calls of a bad place: a quarter. Of fewer than five nothing may be concluded. */
const BAD_CALLS = CALLS / 4;

/** Longer by so much, in the turns that are slow; NaN where nothing is. */
type Slow = Partial<Record<keyof AnswerSpec, number>> & {
  readonly endpointingMs?: number;
  readonly transcriptionMs?: number;
  /** Each way. */
  readonly networkMs?: number;
};

interface Plan {
  readonly kind: CauseKind;
  readonly truth: CauseTruth;
  /** Standard deviation of the logarithm of each part. */
  readonly spread: number;
  readonly attributes: (call: number) => Readonly<Record<string, string>>;
  readonly host: (call: number) => string;
  readonly slow: (call: number, turn: number) => Slow;
  readonly turnsOf?: (call: number) => number;
}

export function causeWorld({ kind, seed, endUnixMs }: CauseWorldSpec): CauseWorld {
  const plan = planOf(kind, new Draws(seed, `cause ${kind}`), seed);
  const draws = new Draws(seed, `turns of ${kind}`);
  return {
    name: `${kind}, seed ${seed}`,
    truth: plan.truth,
    calls: Array.from({ length: CALLS }, (_, call) =>
      callOf({ plan, draws, seed, endUnixMs }, call),
    ),
  };
}

// ---- what is slow, and what is true of it -------------------------------------------------

const REGIONS = ['eu-west', 'us-east', 'ap-south'];
const part = (names: readonly string[], told: readonly string[], text: string): CauseTruth => ({
  kind: 'part',
  names,
  told,
  text,
});

/** By kind: the scenario's word, the ledger's, and the range its extra ms are drawn from. */
const SLOW_PARTS: Readonly<
  Partial<Record<CauseKind, readonly [keyof Slow, string, readonly [number, number]]>>
> = {
  'slow inference': ['inferenceMs', 'inference', [500, 1_400]],
  'slow synthesis': ['synthesisMs', 'synthesis', [450, 1_100]],
  'slow hand-over': ['deliveryMs', 'delivery', [400, 900]],
  'slow preparation': ['preparationMs', 'preparation', [400, 900]],
  'slow sentence buffering': ['aggregationMs', 'aggregation', [400, 900]],
  // The end of the turn is decided after 250 ms or so: what the transcript takes beyond shows.
  'slow transcript': ['transcriptionMs', 'transcription', [700, 1_300]],
  'late end of turn': ['endpointingMs', 'endpointing', [500, 1_100]],
  'silence before speech': ['leadingSilenceMs', 'leading_silence', [440, 800]],
  'failed attempts': ['failedAttemptMs', 'failed_attempt', [500, 1_100]],
  'slow network': ['networkMs', 'network', [200, 420]],
};

function planOf(kind: CauseKind, draws: Draws, seed: number): Plan {
  const spread = 0.15 + 0.15 * draws.uniform(0);
  const share = 0.1 + 0.05 * draws.uniform(1);
  const callDraws = new Draws(seed, `calls of ${kind}`);
  const pick = (call: number, at: number, values: readonly string[]): string =>
    values[Math.floor(values.length * callDraws.uniform(16 * call + at))]!;
  const attributes = (call: number): Record<string, string> => ({
    region: pick(call, 0, REGIONS),
    release: pick(call, 1, ['2.4.0', '2.5.0']),
    client: pick(call, 2, ['web', 'ios', 'android']),
  });
  const isSlow = (call: number, turn: number): boolean =>
    callDraws.uniform(10_000 + 64 * call + turn) < share;
  const places = dealt(callDraws);
  const byMs = (at: number, [from, to]: readonly [number, number]): number =>
    Math.round((from + (to - from) * draws.uniform(at)) / 40) * 40;
  const none: Plan = {
    kind,
    truth: { kind: 'none', names: [], told: [], text: 'nothing is slow' },
    spread,
    attributes,
    host: call => `agent-${1 + Math.floor(4 * callDraws.uniform(9_000 + call))}`,
    slow: () => ({}),
  };
  const one = SLOW_PARTS[kind];
  if (one) {
    const [word, name, range] = one;
    const slow = { [word]: byMs(2, range) };
    return {
      ...none,
      truth: part(
        [name],
        [name],
        `${name} takes ${slow[word]} ms more in ${Math.round(100 * share)} % of the turns`,
      ),
      // The network is slow for whole calls: a jitter buffer does not forget within a turn.
      slow: (call, turn) =>
        (kind === 'slow network' ? places[call]! < BAD_CALLS : isSlow(call, turn)) ? slow : {},
    };
  }
  const tools = { draws, none, isSlow, pick, byMs, seed, places };
  return { ...none, ...PLANS[kind]?.(tools) };
}

interface PlanTools {
  readonly draws: Draws;
  readonly none: Plan;
  readonly isSlow: (call: number, turn: number) => boolean;
  readonly pick: (call: number, at: number, values: readonly string[]) => string;
  readonly byMs: (at: number, range: readonly [number, number]) => number;
  readonly seed: number;
  /** A place in line for each call: the first `BAD_CALLS` have what is bad. */
  readonly places: readonly number[];
}

/** Calls in an order of chance: what one of them has goes by no rule with what another has. */
function dealt(draws: Draws): number[] {
  const line = Array.from({ length: CALLS }, (_, call) => call).toSorted(
    (a, b) => draws.uniform(20_000 + a) - draws.uniform(20_000 + b),
  );
  const places = Array.from({ length: CALLS }, () => 0);
  line.forEach((call, place) => (places[call] = place));
  return places;
}

/** What makes a plan another than `none`, by kind. */
const PLANS: Readonly<Partial<Record<CauseKind, (tools: PlanTools) => Partial<Plan>>>> = {
  'two parts together': ({ byMs, isSlow }) => {
    const slow = { inferenceMs: byMs(3, [350, 900]), synthesisMs: byMs(4, [350, 900]) };
    return {
      truth: part(
        ['inference', 'synthesis'],
        ['inference', 'synthesis'],
        `inference (${slow.inferenceMs} ms) and synthesis (${slow.synthesisMs} ms) are slow in the same turns`,
      ),
      slow: (call, turn) => (isSlow(call, turn) ? slow : {}),
    };
  },
  'two parts apart': ({ byMs, isSlow }) => {
    const slowMs = byMs(6, [600, 1_100]);
    return {
      truth: part(
        ['inference', 'synthesis'],
        ['inference', 'synthesis'],
        `inference and synthesis are slow by ${slowMs} ms, in different turns`,
      ),
      slow: (call, turn) => {
        if (!isSlow(call, turn)) return {};
        return (call + turn) % 2 === 0 ? { inferenceMs: slowMs } : { synthesisMs: slowMs };
      },
    };
  },
  'bad host': tools => {
    const hostOf = (call: number): string => `agent-${1 + quarter(tools, call)}`;
    return { ...placed(tools, 'host', 'agent-1', hostOf), host: hostOf };
  },
  'bad release': tools => {
    const releaseOf = (call: number): string => (quarter(tools, call) === 0 ? '2.6.0' : '2.5.0');
    return {
      ...placed(tools, 'release', '2.6.0', releaseOf),
      attributes: call => ({ ...tools.none.attributes(call), release: releaseOf(call) }),
    };
  },
  'bad region': tools => {
    const regionOf = (call: number): string =>
      ['ap-south', 'us-east', 'eu-west', 'eu-west'][quarter(tools, call)]!;
    return {
      ...placed(tools, 'region', 'ap-south', regionOf),
      attributes: call => ({ ...tools.none.attributes(call), region: regionOf(call) }),
      // Each host is of one region: the region is the cause, its hosts only lie in it.
      host: call => `${regionOf(call)}-agent-${1 + (tools.places[call]! % 2)}`,
    };
  },
  'bad host in a region': tools => {
    const regionOf = (call: number): string =>
      ['us-east', 'us-east', 'eu-west', 'ap-south'][quarter(tools, call)]!;
    const hostOf = (call: number): string =>
      `${regionOf(call)}-agent-${quarter(tools, call) === 1 ? 2 : 1}`;
    return {
      ...placed(tools, 'host', 'us-east-agent-1', hostOf),
      attributes: call => ({ ...tools.none.attributes(call), region: regionOf(call) }),
      host: hostOf,
    };
  },
  'one bad call': tools => {
    const bad = Math.floor(CALLS * tools.draws.uniform(7));
    const { name, slow } = slowPart(tools);
    return {
      truth: {
        kind: 'session',
        names: [idOf('one bad call', tools.seed, bad)],
        told: [],
        text: `call ${bad} has a slow ${name} throughout`,
      },
      slow: call => (call === bad ? slow : {}),
      turnsOf: call => (call === bad ? BAD_CALL_TURNS : TURNS),
    };
  },
  'none, wide': () => ({ spread: 0.45 }),
  'none, many attributes': ({ none, pick }) => ({
    attributes: call => ({
      ...none.attributes(call),
      ...Object.fromEntries(
        Array.from({ length: 12 }, (_, i) => [
          `attribute.${i}`,
          pick(call, 3 + i, ['a', 'b', 'c', 'd', 'e'].slice(0, 2 + (i % 4))),
        ]),
      ),
    }),
  }),
};

/** Six calls each. */
const quarter = ({ places }: PlanTools, call: number): number =>
  Math.floor(places[call]! / BAD_CALLS);

/** The part that is slow where a place or a call is bad. */
function slowPart({ draws, byMs }: PlanTools): { name: string; slow: Slow } {
  const inferenceMs = byMs(3, [350, 900]);
  const synthesisMs = byMs(4, [350, 900]);
  return draws.uniform(5) < 0.5
    ? { name: 'inference', slow: { inferenceMs } }
    : { name: 'synthesis', slow: { synthesisMs } };
}

/** All turns of the calls with `value` have a slow part. */
function placed(
  tools: PlanTools,
  name: string,
  value: string,
  valueOf: (call: number) => string,
): Pick<Plan, 'truth' | 'slow'> {
  const one = slowPart(tools);
  return {
    truth: {
      kind: 'attribute',
      names: [name],
      value,
      told: [name, one.name],
      text: `${name} ${value} has a slow ${one.name}`,
    },
    slow: call => (valueOf(call) === value ? one.slow : {}),
  };
}

// ---- the calls ----------------------------------------------------------------------------

interface CallMaker {
  readonly plan: Plan;
  readonly draws: Draws;
  readonly seed: number;
  readonly endUnixMs: number;
}

const idOf = (kind: CauseKind, seed: number, call: number): string =>
  `cause-${kind.replaceAll(/[^a-z]+/g, '-')}-${seed}-${call}`;

function callOf({ plan, draws, seed, endUnixMs }: CallMaker, call: number): Scenario {
  const first = plan.slow(call, 0);
  const turns = plan.turnsOf?.(call) ?? TURNS;
  return scenarioOf({
    id: idOf(plan.kind, seed, call),
    seed: seed * 1_000 + call,
    startUnixMs: endUnixMs - (CALLS - call + 2) * CALL_EVERY_MS,
    attributes: plan.attributes(call),
    hosts: hostsOf(plan.host(call)),
    legs: legsOf(first.networkMs ?? 0),
    isLean: true,
    flushMs: 5_000,
    tailMs: 2_200,
    turns: Array.from({ length: turns }, (_, turn) =>
      turnWith(plan.slow(call, turn), draws, {
        spread: plan.spread,
        base: (call * 64 + turn) * 16,
      }),
    ),
  });
}

const hostsOf = (host: string): Scenario['hosts'] => {
  const at = { offsetMs: 0, driftPpm: 0 };
  return {
    client: { offsetMs: 1_200, driftPpm: 20, resource: {} },
    edge: { ...at, offsetMs: -80 },
    agent: { offsetMs: 12, driftPpm: -5, resource: { 'host.name': host } },
    models: at,
  };
};

function legsOf(addMs: number): Scenario['legs'] {
  const air = (leg: LegSpec): LegSpec => ({ ...leg, baseMs: leg.baseMs + addMs });
  return {
    ...HOME_LEGS,
    'client>edge': air(HOME_LEGS['client>edge']),
    'edge>client': air(HOME_LEGS['edge>client']),
  };
}

function turnWith(
  slow: Slow,
  draws: Draws,
  { spread, base }: { readonly spread: number; readonly base: number },
): TurnSpec {
  const about = (at: number, ms: number, addMs: number = 0): number =>
    Math.round(draws.logNormal(base + at, ms, spread)) + addMs;
  const leadingMs = 40 * Math.floor(3 * draws.uniform(base + 9)) + (slow.leadingSilenceMs ?? 0);
  return turnOf({
    speechMs: 400,
    gapMs: 300,
    endpointingMs: about(0, 250, slow.endpointingMs),
    transcriptionMs: about(1, 130, slow.transcriptionMs),
    answer: answerOf({
      preparationMs: about(2, 14, slow.preparationMs),
      inferenceMs: about(3, 280, slow.inferenceMs),
      aggregationMs: about(4, 60, slow.aggregationMs),
      synthesisMs: about(5, 140, slow.synthesisMs),
      deliveryMs: about(6, 6, slow.deliveryMs),
      leadingSilenceMs: leadingMs,
      audioMs: 400 + 200 * Math.ceil(leadingMs / 200),
      ...(slow.failedAttemptMs === undefined ? {} : { failedAttemptMs: slow.failedAttemptMs }),
    }),
  });
}
