import { domainNs, unixNs, type ClockSample } from '@framescope/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import type { StoredFlush } from '../../src/store/store.ts';
import { ClockKeeper } from '../../src/writer/clock-keeper.ts';
import { makeLoop } from '../../src/writer/compose.ts';
import { flush, HERE, MS, NOON, SECOND, turn, voiced } from '../assemble/call.ts';
import { bodyOf, flushJson } from '../support/otlp-bodies.ts';
import { temporaryFolder } from '../support/spans.ts';

const US = 1_000;
const BOOT_A = HERE;
const BOOT_B = { ...HERE, domain: 'b'.repeat(16) };
const CLIENT = { domain: 'd'.repeat(16), epoch: 0, zeroUnixNs: NOON + BigInt(3_700 * MS) };

interface Running {
  /** Flushes arrive, are assembled and told. */
  take(...flushes: readonly StoredFlush[]): void;
  at(seconds: number): void;
  stop(): void;
  readonly store: SqliteReader;
}

/** A collector on a folder; what its wall clock shows at its zero is `offNs` more than noon. */
function run(folder: string, clock: typeof HERE, offNs = 0): Running {
  let nowUnixNs = NOON;
  let nextId = 0;
  const soon: (() => void)[] = [];
  const measured = { ...clock, zeroUnixNs: clock.zeroUnixNs + BigInt(offNs) };
  const loop = makeLoop(
    { folder, maxBytes: 1e9, clock: measured, budgets: { limits: {}, inFile: [] } },
    {
      nowUnixNs: () => nowUnixNs,
      nowNs: () => 0,
      soon: work => void soon.push(work),
      post: () => undefined,
    },
  );
  const store = new SqliteReader(folder);
  onTestFinished(() => store.close());
  const at = (seconds: number): void => {
    nowUnixNs = NOON + BigInt(seconds * SECOND);
    loop.tick();
  };
  return {
    take: (...flushes) => {
      const bytes = bodyOf(...flushes.map(flushJson));
      loop.accept(nextId++, { bytes, encoding: 'json' });
      while (soon.length > 0) soon.shift()!();
    },
    at,
    stop: () => loop.close(),
    store,
  };
}

const summary = async ({ store }: Running) => {
  const [first] = (await store.sessions({ limit: 10 })).items;
  const detail = (await store.session(first!.key))!;
  const client = detail.processes.find(process => process.clock.domain === CLIENT.domain)!;
  return {
    key: first!.key,
    status: detail.status,
    zero: Number(BigInt(detail.zeroUnixNs) - NOON),
    sources: detail.processes.map(process => process.clock.source),
    offsetMs: client.clock.offsetNs! / MS,
    errorMs: client.clock.errorNs! / MS,
  };
};

/** An exchange of the client with boot A's collector; its clock reads the very same as the collector's. */
const sample = (atS: number, upMs: number, downMs: number): ClockSample => ({
  peer: BOOT_A.domain,
  peerEpoch: 0,
  t1: domainNs(atS * SECOND),
  t2: domainNs(atS * SECOND + upMs * MS),
  t3: domainNs(atS * SECOND + upMs * MS),
  t4: domainNs(atS * SECOND + (upMs + downMs) * MS),
});

const client = (
  seq: number,
  samples: readonly ClockSample[],
  more: Partial<Parameters<typeof flush>[0]> = {},
): StoredFlush =>
  flush({ producer: 'client', seq, fromS: seq, toS: seq + 1, clock: CLIENT, samples, ...more });

const ENDED = { authority: true, endedAt: domainNs(5 * SECOND) };
const ANSWERED = turn({
  endsAtMs: 2_000,
  closes: voiced(0),
  endedAtMs: 4_000,
  outcome: 'completed',
});

/** A call that ended, the client's clock known by one lame exchange: up 40 ms, down 160 ms. */
const CALL: readonly StoredFlush[] = [
  client(0, [sample(0.5, 40, 160)], { session: {} }),
  client(1, []),
  client(2, [], { speaksAtMs: 2_500 }),
  flush({
    producer: 'agent',
    seq: 2,
    fromS: 0,
    toS: 3,
    session: ENDED,
    turns: [ANSWERED],
    speaksAtMs: 2_500,
  }),
];

test('started again on the same boot a collector counts from the same zero, whatever it measures', async () => {
  const folder = temporaryFolder();
  const first = run(folder, BOOT_A);
  first.take(...CALL);
  first.at(4);
  const before = await summary(first);
  first.stop();
  const second = run(folder, BOOT_A, 700 * US);
  second.take(client(3, []));
  second.at(5);
  expect(await second.store.collectorClocks()).toHaveLength(1);
  expect(await summary(second)).toEqual(before);
});

test('after a reboot a session of before keeps its clocks and its place, and a new one has its own', async () => {
  const folder = temporaryFolder();
  const first = run(folder, BOOT_A);
  first.take(...CALL);
  first.at(4);
  const before = await summary(first);
  expect(before.sources.toSorted()).toEqual(['probe', 'same host']);
  first.stop();
  const second = run(folder, BOOT_B, 3_600 * SECOND);
  second.take(client(3, []));
  second.at(3_605);
  expect(await summary(second)).toEqual(before);
  expect((await second.store.collectorClocks()).map(one => [one.domain, one.sinceCommit])).toEqual([
    [BOOT_A.domain, 0],
    [BOOT_B.domain, 1],
  ]);
});

test('a wall clock that was set is the zero of sessions that begin afterwards, and of no others', () => {
  let nowNs = 0;
  let setNs = 0n;
  const noted: { sinceCommit: number; zeroUnixNs: bigint }[] = [];
  const keeper = new ClockKeeper({
    store: {
      collectorClocks: () => [],
      noteCollectorClock: clock => {
        noted.push({ sinceCommit: 7 * noted.length, zeroUnixNs: clock.zeroUnixNs });
        return { ...clock, sinceCommit: 7 * (noted.length - 1) };
      },
    },
    measured: BOOT_A,
    measureZero: () => NOON + setNs,
    nowNs: () => nowNs,
    // Milliseconds, rounded down, as the platform tells it.
    nowUnixNs: () => ((NOON + setNs + BigInt(nowNs)) / BigInt(MS)) * BigInt(MS),
  });
  const lookAt = (seconds: number): number => {
    nowNs = seconds * SECOND + 999_999;
    keeper.look();
    return noted.length;
  };
  expect([lookAt(11), lookAt(22)]).toEqual([1, 1]);
  setNs = BigInt(-40 * MS);
  expect([lookAt(23), lookAt(33), lookAt(44)]).toEqual([1, 2, 2]);
  const zeroAt = (commit: number): number =>
    Number(unixNs(keeper.book.at(commit)[0]!.zeroUnixNs) - NOON) / MS;
  expect([zeroAt(1), zeroAt(7), zeroAt(8)]).toEqual([0, 0, -40]);
});

test('a better offset that comes after the end repairs a session that was let go, and its rollups', async () => {
  const folder = temporaryFolder();
  const one = run(folder, BOOT_A);
  one.take(...CALL);
  one.at(4);
  const before = await summary(one);
  expect([before.status, before.offsetMs, before.errorMs]).toEqual([
    'ended',
    expect.closeTo(3_700 + 60, 0),
    expect.closeTo(100, 0),
  ]);
  const range = { fromUnixNs: NOON - BigInt(SECOND), toUnixNs: NOON + BigInt(60 * SECOND) };
  const told = async () => {
    let frameNs = 0;
    // All calls together: what the heatmap adds up.
    await one.store.scanGroup({
      measure: 'frame.mic.agent/receive',
      range,
      visit: minute => (frameNs = Math.max(frameNs, minute.maxNs)),
      visitSession: minute => (frameNs = Math.max(frameNs, minute.maxNs)),
    });
    const measures = ['voice_to_voice.client', 'part.uplink'];
    const { columns } = await one.store.waits(range, { measures });
    const [waitNs, uplinkNs] = measures.map(name => columns.get(name)!.valueNs[0]!);
    const [turnRow] = (await one.store.turns(before.key, { limit: 1 })).items;
    return {
      frameMs: Math.round(frameNs / MS),
      waitMs: Math.round(waitNs! / MS),
      uplinkMs: Math.round(uplinkNs! / MS),
      revision: turnRow!.waits[0]!.revision,
    };
  };
  const lame = await told();
  // Let go: what comes now is read back from the store.
  one.at(30);
  one.take(client(3, [sample(3.5, 1, 1)], { arrivalS: 31 }));
  one.at(31);
  const { offsetMs, errorMs } = await summary(one);
  expect([offsetMs, errorMs]).toEqual([expect.closeTo(3_700, 0), expect.closeTo(1, 0)]);
  const good = await told();
  expect(good).toEqual({
    frameMs: 30,
    waitMs: lame.waitMs,
    uplinkMs: 30,
    revision: expect.any(Number) as number,
  });
  expect(lame.frameMs - good.frameMs).toBe(60);
  // Of the ledger some was known all the same: an uplink cannot take back what the downlink needs.
  expect(lame.uplinkMs - good.uplinkMs).toBe(20);
  expect(good.revision).toBeGreaterThan(lame.revision);
});
