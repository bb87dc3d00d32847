// The collector's engine on a hundred calls, in simulated time, under a CPU profile.

import { Session, type Profiler } from 'node:inspector/promises';
import {
  encodeRecord,
  unixNs,
  type FrameBlock,
  type RecordPart,
  type SessionState,
} from '@framescope/protocol';

const CALLS = 100;
const FRAMES_PER_S = 50;
const FRAME_TICKS = 320;
const ZERO = 1_800_000_000_000_000_000n;
const SECOND = 1_000_000_000;
/** Before it is measured: marks of the first ten seconds are not sealed yet. */
const WARM_S = 15;
const CLOCK = { domain: 'c'.repeat(16), epoch: 0, zeroUnixNs: ZERO };
const OUT = new URL('../../../packages/collector/out/', import.meta.url);

/** What is used of the collector's built files. */
interface Engine {
  ingest(batch: object): void;
  tick(nowUnixNs: bigint): { readonly derived: readonly Derived[]; readonly wanted: unknown[] };
}

interface Derived {
  readonly session: { readonly topology?: { readonly legs: readonly unknown[] } };
}

async function makeEngine(): Promise<Engine> {
  const from = async (file: string): Promise<Record<string, unknown>> =>
    (await import(new URL(file, OUT).href)) as Record<string, unknown>;
  const { SessionEngine } = (await from('assemble/engine.js')) as {
    SessionEngine: new (options: object) => Engine;
  };
  const { ClockBook } = (await from('assemble/clock/clock-book.js')) as {
    ClockBook: new (known: readonly object[], here: object) => unknown;
  };
  return new SessionEngine({
    clockBook: new ClockBook([{ ...CLOCK, sinceCommit: 0 }], CLOCK),
    startedUnixNs: ZERO - 3_600_000_000_000n,
    budgets: { voice_to_voice: 800e6, frame: 300e6 },
  });
}

/** Hops of each process: all twelve see each frame. */
const PROCESSES = [
  { role: 'client', up: ['capture', 'send'], down: ['receive', 'playout'] },
  { role: 'edge', up: ['receive', 'send'], down: ['receive', 'send'] },
  { role: 'agent', up: ['receive', 'decode'], down: ['tts', 'send'] },
] as const;

const producerOf = (call: number, process: number): string =>
  (call * PROCESSES.length + process + 1).toString(16).padStart(16, '0');

/** Time under `topologyNow`, in % of one core, while `seconds` of a hundred calls pass. */
export async function topologyPercent(seconds: number): Promise<number> {
  const engine = await makeEngine();
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 1_000 });
  let legs = 0;
  let before = process.cpuUsage();
  for (let second = 0; second < WARM_S + seconds; second++) {
    if (second === WARM_S) {
      await session.post('Profiler.start');
      before = process.cpuUsage();
    }
    legs += pass(engine, second);
  }
  const { user, system } = process.cpuUsage(before);
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  if (legs < CALLS)
    throw new Error(`${legs} ways were found in ${CALLS} calls: nothing was measured`);
  // Samples are of wall time, in which others have the core too: its share is taken of our own CPU time.
  const cpuS = (user + system) / 1e6;
  return ((shareUnder(profile, 'topologyNow') * cpuS) / seconds) * 100;
}

/** A second of every call comes in, and the engine looks; answers the ways that it found. */
function pass(engine: Engine, second: number): number {
  for (let call = 0; call < CALLS; call++) {
    const commit = second * CALLS + call + 1;
    const arrivalUnixNs = ZERO + BigInt((second + 1) * SECOND);
    const key = call.toString().padStart(13, '0');
    engine.ingest({
      commit,
      arrivalUnixNs,
      sessions: [{ key, id: `call ${call}`, incarnation: 0, isNew: second === 0 }],
      spanCount: 0,
      tallies: [],
      spans: [],
      flushes: PROCESSES.map((_, process) => flushOf({ call, process, second, commit, key })),
    });
  }
  const now = ZERO + BigInt((second + 1) * SECOND + SECOND / 2);
  const { derived } = engine.tick(now);
  return derived.reduce((sum, one) => sum + (one.session.topology?.legs.length ?? 0), 0);
}

interface FlushAt {
  readonly call: number;
  readonly process: number;
  readonly second: number;
  readonly commit: number;
  readonly key: string;
}

function flushOf({ call, process, second, commit, key }: FlushAt): object {
  const { role, up, down } = PROCESSES[process]!;
  const producer = producerOf(call, process);
  const session: SessionState = {
    attributes: {},
    authority: role === 'agent',
    startedAt: 0 as SessionState['startedAt'],
    flushNs: SECOND as SessionState['flushNs'],
    streams: [],
  };
  return {
    sessionId: `call ${call}`,
    sessionKey: key,
    traceId: call.toString(16).padStart(32, '0'),
    spanId: commit.toString(16).padStart(15, '0') + process,
    producer,
    seq: second,
    part: 0,
    clock: CLOCK,
    startUnixNs: ZERO + BigInt(second * SECOND),
    endUnixNs: ZERO + BigInt((second + 1) * SECOND),
    record: encodeRecord(
      recordOf(producer, second, [
        block({ stream: 'mic', direction: 'up', role, names: up, far: process, second }),
        block({ stream: 'agent', direction: 'down', role, names: down, far: 2 - process, second }),
      ]),
    )[0],
    state: { v: 1, session },
    frameCount: 0,
    lostCount: 0,
    resource: { attributes: { 'service.name': role, 'cloud.region': 'eu' } },
    commit,
    arrivalUnixNs: ZERO + BigInt((second + 1) * SECOND),
  };
}

const recordOf = (producer: string, seq: number, blocks: readonly FrameBlock[]): RecordPart =>
  ({
    producer,
    seq,
    domain: CLOCK.domain,
    epoch: 0,
    zeroUnixNs: unixNs(ZERO),
    quantumNs: 10_000,
    blocks,
    clockSamples: [],
  }) as unknown as RecordPart;

interface BlockAt {
  readonly stream: string;
  readonly direction: 'up' | 'down';
  readonly role: string;
  readonly names: readonly string[];
  /** How many processes it has come from its source. */
  readonly far: number;
  readonly second: number;
}

/** A way of 20 ms to each process further on, 2 ms from hop to hop in it, and some jitter. */
function block({ stream, direction, role, names, far, second }: BlockAt): FrameBlock {
  const ticks = Float64Array.from(
    { length: FRAMES_PER_S },
    (_, i) => (second * FRAMES_PER_S + i) * FRAME_TICKS,
  );
  return {
    stream,
    sampleRate: 16_000,
    direction,
    ranges: [],
    columns: names.map((name, hop) => ({
      hop: { role, name, nth: 0 },
      length: ticks.length,
      startTick: ticks,
      endTick: ticks.map(tick => tick + FRAME_TICKS),
      atNs: ticks.map((tick, i) => {
        const jitterNs = ((i * 7919 + second * 104_729 + far * 31) % 5_000) * 1_000;
        return (tick / 16 + 20 + far * 20 + hop * 2) * 1e6 + far * jitterNs;
      }),
      late: [],
    })),
  };
}

/** Of the samples of a profile, the share of those with the function anywhere on their stack. */
function shareUnder(
  { nodes, samples = [], timeDeltas = [] }: Profiler.Profile,
  name: string,
): number {
  const inside = new Set<number>();
  const byId = new Map(nodes.map(node => [node.id, node]));
  const mark = (id: number): void => {
    inside.add(id);
    for (const child of byId.get(id)?.children ?? []) mark(child);
  };
  for (const { id, callFrame } of nodes) if (callFrame.functionName === name) mark(id);
  let [own, all] = [0, 0];
  samples.forEach((id, i) => {
    const us = timeDeltas[i + 1] ?? 0;
    all += us;
    if (inside.has(id)) own += us;
  });
  return all === 0 ? 0 : own / all;
}
