// The promise of the ledger, against a call of which everything is known: the
// real instrumentation of four processes on four wrong clocks, a real collector,
// and its answers over HTTP.

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  answerOf,
  callPicture,
  disagreements,
  HOME_LEGS,
  hopOf,
  LAN_LEGS,
  type Ran,
  runCall,
  type Scenario,
  scenarioOf,
  SKEWED_HOSTS,
  turnOf,
} from '@framescope/testkit';
import { testCollector, type TestCollector } from './collector.ts';

let collector: TestCollector;
beforeAll(async () => {
  collector = await testCollector();
});
afterAll(() => collector.close());

const minutesAgo = (minutes: number): number => Date.now() - minutes * 60_000;
let callCount = 0;

/** Runs a call under an ID of its own. */
function run(
  changes: Partial<Scenario>,
  options: Parameters<typeof runCall>[2] = {},
): Promise<Ran> {
  callCount += 1;
  const scenario = scenarioOf({
    ...changes,
    startUnixMs: changes.startUnixMs ?? minutesAgo(10),
    id: `${changes.id ?? 'call'} ${callCount}`,
  });
  return runCall(collector.api, scenario, options);
}

const wrongIn = ({ truth, answers, problems }: Ran): string[] => [
  ...problems,
  ...disagreements(truth, answers),
];

const TURNS = {
  'an ordinary turn': turnOf(),
  'a preemptive answer': turnOf({ preemptive: true, transcriptionMs: 380 }),
  'a preemptive answer after a discarded one': turnOf({
    preemptive: true,
    discardedAfterMs: 110,
    transcriptionMs: 380,
  }),
  'a slow transcript': turnOf({ transcriptionMs: 900 }),
  'a detector that waits for the transcript': turnOf({
    endpointingMs: 200,
    transcriptionMs: 300,
    detectorMs: 45,
  }),
  'a long endpointing': turnOf({ endpointingMs: 1_500 }),
  'a failed attempt at the model': turnOf({ answer: answerOf({ failedAttemptMs: 640 }) }),
  'a tool behind a filler': turnOf({
    answer: answerOf({ audioMs: 800 }),
    tool: { toolMs: 2_400, answer: answerOf() },
  }),
  'a short word over the answer': turnOf({ spokenOver: { afterMs: 300, as: 'backchannel' } }),
  'a stop that was taken back': turnOf({ spokenOver: { afterMs: 300, as: 'resumed' } }),
} as const;

for (const [name, turn] of Object.entries(TURNS))
  test(`${name} comes back with every part inside its stated error, under its right owner`, async () => {
    expect(wrongIn(await run({ id: name, turns: [turn, turnOf()] }))).toEqual([]);
  });

test('a drawn call with a barge-in comes back as it was drawn', async () => {
  const drawn = callPicture(
    `user   ......aaaaaaaa....................bbbbbbbb
     agent  ............................cccccccccccccccc................dddddddd`,
    { id: 'drawn', startUnixMs: minutesAgo(10) },
  );
  expect(wrongIn(await run(drawn))).toEqual([]);
});

test('a jitter buffer, a slow relay and a re-chunked microphone are told apart', async () => {
  const ran = await run({
    id: 'slow relay',
    jitterBufferMs: 140,
    slowHops: { 'mic.edge/send': 90, 'agent.client/playout': 35 },
    turns: [turnOf(), turnOf()],
  });
  expect(wrongIn(ran)).toEqual([]);
});

test('parts sum to the wait to the nanosecond, and all of it is resolved', async () => {
  const { answers } = await run({ id: 'sum', turns: Object.values(TURNS) });
  const waits = answers.turns.flatMap(turn => turn.waits);
  expect(waits).toHaveLength(Object.values(TURNS).length + 1);
  for (const wait of waits) {
    expect(wait.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(wait.waitNs);
    expect(wait.resolved).toBe(1);
  }
});

test('lost frames are counted exactly, and only where they were lost', async () => {
  const ran = await run({
    id: 'lossy',
    seed: 5,
    legs: {
      ...HOME_LEGS,
      'client>edge': {
        ...HOME_LEGS['client>edge'],
        incident: { fromMs: 1_900, toMs: 3_600, addMs: 0, loss: 0.3 },
      },
    },
    turns: [turnOf(), turnOf({ gapMs: 1_000 })],
    tailMs: 5_000,
  });
  expect(hopOf(ran.truth, 'mic.edge/receive').lostCount).toBeGreaterThan(10);
  expect(wrongIn(ran)).toEqual([]);
});

/** Start tick → a column of a hop, over all windows. */
function columnOf(ran: Ran, key: string, column: 'atNs' | 'latencyNs'): Map<number, number> {
  const hops = ran.answers.windows.flatMap(one => one.hops.filter(hop => hop.key === key));
  return new Map(
    hops.flatMap(hop => Array.from(hop[column], (ns, row) => [hop.startTick[row]!, ns] as const)),
  );
}

const fourthWorstMs = (valuesNs: readonly number[]): number =>
  valuesNs.toSorted((a, b) => b - a)[3]! / 1e6;

test('with two 400 ms stalls among 3,000 frames the fourth worst is about 420 ms, not 44', async () => {
  const ran = await run({
    id: 'stalls',
    stalls: [
      { atMs: 20_000, forMs: 400 },
      { atMs: 40_000, forMs: 400 },
    ],
    turns: [turnOf({ startMs: 1_000 })],
    tailMs: 60_000 - 4_300,
  });
  const key = 'mic.agent/receive';
  const ages = columnOf(ran, key, 'latencyNs');
  expect(ages.size).toBeGreaterThan(2_900);
  expect(ages.size).toBeLessThan(3_100);
  expect(Math.abs(fourthWorstMs([...ages.values()]) - 420)).toBeLessThan(10);
  // Stamped when the blocked callback ran, the same frames look young.
  const captured = columnOf(ran, 'mic.client/capture', 'atNs');
  const received = columnOf(ran, key, 'atNs');
  const young = [...received].map(([tick, atNs]) => atNs - captured.get(tick)!);
  expect(fourthWorstMs(young)).toBeLessThan(60);
  const hop = ran.answers.detail.streams
    .flatMap(stream => stream.hops)
    .find(one => one.key === key);
  expect(hop!.latency.maxNs! / 1e6).toBeGreaterThan(420);
});

test('an abandoned wait is in the tail, at least as long as the caller waited', async () => {
  const startUnixMs = minutesAgo(10);
  const slow = answerOf({ inferenceMs: 9_000 });
  const ran = await run({
    id: 'abandoned',
    startUnixMs,
    turns: [turnOf(), turnOf({ answer: slow, abandonedAfterMs: 4_000 })],
  });
  expect(wrongIn(ran)).toEqual([]);
  const unixNs = (ms: number): string => `${Math.round(ms)}000000`;
  const tail = await collector.api.tail({
    measure: 'voice_to_voice.client',
    from: unixNs(startUnixMs - 60_000),
    to: unixNs(startUnixMs + 60_000),
  });
  const found = tail.items.find(one => one.sessionId === ran.truth.sessionId && one.censored);
  expect(found?.valueNs).toBeGreaterThanOrEqual(4e9);
});

test('a client clock that leaps a minute opens a new epoch, and both sides of the leap come back right', async () => {
  // Between two flushes and between two checks: marks of both epochs leave in one flush.
  const jump = { atMs: 5_470, byMs: 60_000 };
  const { truth, answers, problems } = await run({
    id: 'leap',
    hosts: { ...SKEWED_HOSTS, client: { ...SKEWED_HOSTS.client, jump } },
    turns: [turnOf(), turnOf({ gapMs: 2_000 })],
  });
  expect(problems).toEqual([expect.stringContaining('client: clock_jumped')]);
  expect(disagreements(truth, answers)).toEqual([]);
  const epochs = answers.detail.processes.map(one => one.clock.epoch);
  expect(epochs.filter(epoch => epoch === 1)).toHaveLength(1);
});

/** Parts that a scenario can shorten, and how. */
const SHORTENED: Readonly<
  Record<string, (turn: ReturnType<typeof turnOf>) => ReturnType<typeof turnOf>>
> = {
  endpointing: turn => ({ ...turn, endpointingMs: 0 }),
  transcription: turn => ({ ...turn, transcriptionMs: 0 }),
  inference: turn => ({ ...turn, answer: { ...turn.answer, inferenceMs: 0 } }),
  aggregation: turn => ({ ...turn, answer: { ...turn.answer, aggregationMs: 0 } }),
  synthesis: turn => ({ ...turn, answer: { ...turn.answer, synthesisMs: 0 } }),
};

const SAVED = {
  'one after the other': turnOf({ endpointingMs: 500, transcriptionMs: 900 }),
  preemptive: turnOf({ preemptive: true, endpointingMs: 900, transcriptionMs: 300 }),
} as const;

for (const [name, turn] of Object.entries(SAVED))
  test(`shortening one part and running again moves the wait by what the part saves (${name})`, async () => {
    const waitOf = (ran: Ran): Ran['answers']['turns'][number]['waits'][number] =>
      ran.answers.turns[0]!.waits[0]!;
    const whole = waitOf(await run({ id: 'whole', turns: [turn] }));
    for (const [part, shorten] of Object.entries(SHORTENED)) {
      const found = whole.parts.find(one => one.name === part);
      const shorter = waitOf(await run({ id: `no ${part}`, turns: [shorten(turn)] }));
      const movedNs = whole.waitNs - shorter.waitNs;
      if (found === undefined) expect(Math.abs(movedNs), part).toBeLessThanOrEqual(100_000);
      else expect(Math.abs(movedNs - found.savesNs!), part).toBeLessThanOrEqual(100_000);
    }
  });

for (const host of ['client', 'edge', 'models'] as const)
  test(`with ${host} silenced the ledger still sums, and makes no number up`, async () => {
    const { answers } = await run(
      { id: `no ${host}`, turns: [turnOf(), turnOf()] },
      { silenced: { [host]: 0 } },
    );
    const waits = answers.turns.flatMap(turn => turn.waits);
    expect(waits).toHaveLength(2);
    for (const wait of waits) {
      expect(wait.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(wait.waitNs);
      if (host !== 'client') continue;
      expect(wait.definition).toBe('server');
      expect(wait.notSeen.length).toBeGreaterThan(0);
      expect(wait.parts.map(part => part.name)).not.toContain('jitter_buffer');
    }
  });

test('with the agent silenced from the start there are frames, and no turn is made up', async () => {
  const { answers } = await run({ id: 'no agent', turns: [turnOf()] }, { silenced: { agent: 0 } });
  expect(answers.turns).toEqual([]);
  expect(answers.detail.streams.flatMap(stream => stream.hops).map(hop => hop.key)).toContain(
    'mic.edge/receive',
  );
});

test('an agent that falls silent within a turn leaves a wait that sums and is not called answered', async () => {
  const turns = [
    turnOf({ startMs: 600 }),
    turnOf({ startMs: 6_000, answer: answerOf({ inferenceMs: 4_000 }) }),
  ];
  const { answers } = await run({ id: 'agent dies', turns }, { silenced: { agent: 8_500 } });
  const waits = answers.turns.flatMap(turn => turn.waits);
  expect(waits).toHaveLength(2);
  expect(waits[1]!.outcome).not.toBe('answered');
  for (const wait of waits)
    expect(wait.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(wait.waitNs);
});

/** So near that the clocks are known to a millisecond or two, and so quiet that VAD is exact. */
const LAN: Partial<Scenario> = { legs: LAN_LEGS, vadErrorMs: 0, turns: [turnOf()] };

test('on one floor the clocks are known so well that every hop is right to two milliseconds', async () => {
  const ran = await run({ id: 'lan', ...LAN });
  expect([...ran.problems, ...disagreements(ran.truth, ran.answers, { errorNsMax: 4e6 })]).toEqual(
    [],
  );
});

test('5 ms put into any one hop are noticed, whichever it is', async () => {
  const { truth, answers } = await run({ id: 'lan', ...LAN });
  expect(disagreements(truth, answers)).toEqual([]);
  expect(truth.hops).toHaveLength(16);
  const unnoticed: string[] = [];
  for (const { key } of truth.hops) {
    const ran = await run({ id: `5 ms in ${key}`, ...LAN }, { shift: { key, byMs: 5 } });
    if (disagreements(ran.truth, ran.answers).length === 0) unnoticed.push(key);
  }
  expect(unnoticed).toEqual([]);
});

test('5 ms put into any one step of the agent are noticed, whichever it is', async () => {
  const steps = [
    'finish stt',
    'finish endpointing',
    'begin llm',
    'first llm',
    'begin tts',
    'first tts',
    'first_frame_sent',
  ];
  const unnoticed: string[] = [];
  for (const act of steps) {
    const turns = [turnOf(act === 'finish stt' ? { transcriptionMs: 900 } : {})];
    const ran = await run({ id: `5 ms in ${act}`, ...LAN, turns }, { shiftAct: { act, byMs: 5 } });
    if (disagreements(ran.truth, ran.answers).length === 0) unnoticed.push(act);
  }
  expect(unnoticed).toEqual([]);
});

const GREETING = {
  atMs: 400,
  answer: answerOf({ preparationMs: 40, synthesisMs: 320, leadingSilenceMs: 40, audioMs: 1_000 }),
};

test('a greeting is a wait of its own, from the moment the call is answered', async () => {
  const ran = await run({
    id: 'greeting',
    greeting: GREETING,
    turns: [turnOf({ startMs: 3_000 }), turnOf()],
  });
  expect(wrongIn(ran)).toEqual([]);
  expect(ran.answers.turns[0]!.waits.map(wait => [wait.kind, wait.parts[0]!.name])).toEqual([
    ['greeting', 'preparation'],
  ]);
});

test('an answer that waits until the agent has finished what it said before is held by the floor', async () => {
  const long = answerOf({ audioMs: 4_000 });
  const ran = await run({
    id: 'floor',
    turns: [
      turnOf({ startMs: 600, answer: long }),
      // Spoken over the answer, which goes on: it sounds from about 3 to 7 s.
      turnOf({ startMs: 4_000, speechMs: 600, waitsForFloor: true }),
      turnOf(),
    ],
  });
  expect(wrongIn(ran)).toEqual([]);
  expect(ran.answers.turns[1]!.waits[0]!.parts[0]).toMatchObject({
    name: 'floor',
    owner: 'policy',
  });
});

test('frames that overtake each other keep their own times, and none is lost', async () => {
  const reorder = { share: 0.05, byMs: 47 };
  const ran = await run({
    id: 'overtaking',
    legs: { ...HOME_LEGS, 'client>edge': { ...HOME_LEGS['client>edge'], reorder } },
    turns: [turnOf(), turnOf()],
  });
  const { atNs } = hopOf(ran.truth, 'mic.edge/receive');
  expect(atNs.filter((at, row) => at > atNs[row + 1]!).length).toBeGreaterThan(10);
  expect(wrongIn(ran)).toEqual([]);
});

test('frames of silence that DTX keeps back are not lost, and turns are timed all the same', async () => {
  const ran = await run({
    id: 'dtx',
    isLean: true,
    dtx: { hangoverMs: 200 },
    turns: [turnOf(), turnOf()],
  });
  const sent = hopOf(ran.truth, 'mic.client/send').atNs.filter(at => !Number.isNaN(at)).length;
  expect(sent).toBeLessThan(hopOf(ran.truth, 'mic.client/capture').atNs.length / 2);
  expect(wrongIn(ran)).toEqual([]);
  expect(ran.answers.detail.frames.lost).toBe(0);
});

test('audio that is resampled on its way stays on the stream’s axis, and words point at their sound', async () => {
  const ran = await run({ id: 'resampled', sttRate: 24_000, turns: [turnOf(), turnOf()] });
  expect(wrongIn(ran)).toEqual([]);
  const mic = ran.answers.detail.streams.find(stream => stream.name === 'mic');
  expect(mic?.lineage?.segments).toMatchObject([
    { role: 'agent', hop: 'stt', sample: 0, tick: 0, samples: 3, ticks: 2 },
  ]);
  expect(mic?.lineage?.derivations.map(one => [one.who, one.quality, one.fromTick])).toEqual(
    ran.truth.turns.map(turn => ['user', 'exact', turn.tick]),
  );
  for (const [i, { userStartNs, userEndNs }] of ran.truth.turns.entries()) {
    const { fromTick, toTick } = mic!.lineage!.derivations[i]!;
    expect([fromTick / 16_000, toTick / 16_000]).toEqual([userStartNs / 1e9, userEndNs / 1e9]);
  }
});

/** Values of a measure by the truth alone: `[n, least, most]` in ms. */
function flowTruth(ran: Ran): Record<string, number[]> {
  const rowsOf = (key: string) => {
    const { startTick, endTick, atNs } = hopOf(ran.truth, key);
    return startTick.map((start, i) => ({ start, end: endTick[i]!, at: atNs[i]! / 1e6 }));
  };
  const passedRows = (key: string) => rowsOf(key).filter(({ at }) => !Number.isNaN(at));
  const played = new Map(passedRows('agent.client/playout').map(row => [row.end, row]));
  const slack = passedRows('agent.client/receive').flatMap(({ start, at }) => {
    const before = played.get(start);
    if (before === undefined) return [];
    const value = before.at + (before.end - before.start) / 16 - at;
    // A pause between two answers.
    return value < -1_000 ? [] : [value];
  });
  const made = passedRows('agent.models/tts');
  const answers = new Set(ran.truth.turns.flatMap(turn => turn.waits.map(wait => wait.voicedTick)));
  const begins = (start: number): boolean =>
    [...answers].some(
      voiced => voiced !== undefined && voiced - start >= 0 && voiced - start < 1_600,
    );
  const gap = made.flatMap(({ start, at }, i) =>
    i === 0 || begins(start) ? [] : [at - made[i - 1]!.at],
  );
  const sum = (values: readonly number[]): number[] => [
    values.length,
    Math.min(...values),
    Math.max(...values),
  ];
  const underrun = slack.filter(one => one < 0).map(one => -one);
  return {
    'slack.agent.client/receive': sum(slack),
    'underrun.agent.client/receive': sum(underrun),
    'gap.agent.models/tts': sum(gap),
  };
}

test('slack, underruns and gaps of the agent’s stream are those of the truth', async () => {
  // An hour that no other call of this file is in.
  const startUnixMs = minutesAgo(600);
  const incident = { fromMs: 3_300, toMs: 3_700, addMs: 90, loss: 0 };
  const ran = await run({
    id: 'flow',
    startUnixMs,
    legs: { ...HOME_LEGS, 'edge>client': { ...HOME_LEGS['edge>client'], incident } },
    turns: [turnOf(), turnOf({ gapMs: 2_000 })],
  });
  const truth = flowTruth(ran);
  expect(truth['underrun.agent.client/receive']![0]).toBeGreaterThan(0);
  for (const [measure, [n, least, most]] of Object.entries(truth)) {
    const map = await collector.api.heatmap({
      measure,
      from: `${startUnixMs - 60_000}000000`,
      to: `${startUnixMs + 600_000}000000`,
    });
    expect([measure, map.total.n]).toEqual([measure, n]);
    // Of slack the worst is the least.
    const worst = measure.startsWith('slack') ? least! : most!;
    expect([measure, Math.abs(map.total.maxNs! / 1e6 - worst) < 0.1]).toEqual([measure, true]);
  }
});
