import { domainNs, type ClockSample } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { clockKey, ClockGraph } from '../../../src/assemble/clock/clock-graph.ts';
import {
  clockErrorNs,
  driftPpm,
  SessionClocks,
  WALL_CLOCK_ERROR_NS,
  wallOffsetNs,
} from '../../../src/assemble/clock/session-clocks.ts';

const MS = 1_000_000;
const SECOND = 1_000 * MS;
const A = 'aaaaaaaaaaaaaaaa';
const B = 'bbbbbbbbbbbbbbbb';
const C = 'cccccccccccccccc';

/** A clock that reads `offsetNs + true × (1 + ppm)`; whole ns, as the wire has it. */
interface Skewed {
  readonly offsetNs: number;
  readonly ppm: number;
}
const TRUE_CLOCK: Skewed = { offsetNs: 0, ppm: 0 };
const read = (clock: Skewed, trueNs: number): number =>
  Math.round(trueNs * (1 + clock.ppm * 1e-6) + clock.offsetNs);
/** The true time at which a clock reads `rawNs`. */
const trueOf = (clock: Skewed, rawNs: number): number =>
  (rawNs - clock.offsetNs) / (1 + clock.ppm * 1e-6);

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Path {
  readonly upMs: number;
  readonly downMs: number;
  /** Mean of the exponential queueing delay on top, each way. */
  readonly queueMs: number;
}

interface Exchange {
  readonly own: Skewed;
  readonly peer: Skewed;
  readonly peerName: string;
  readonly path: Path;
  readonly atNs: number;
  readonly random: () => number;
}

function exchange({ own, peer, peerName, path, atNs, random }: Exchange): ClockSample {
  const queue = (): number => -path.queueMs * Math.log(1 - random());
  const sentNs = atNs;
  const arrivedNs = sentNs + (path.upMs + queue()) * MS;
  const answeredNs = arrivedNs + 30_000;
  const backNs = answeredNs + (path.downMs + queue()) * MS;
  return {
    peer: peerName,
    peerEpoch: 0,
    t1: domainNs(read(own, sentNs)),
    t2: domainNs(read(peer, arrivedNs)),
    t3: domainNs(read(peer, answeredNs)),
    t4: domainNs(read(own, backNs)),
  };
}

interface Run {
  readonly own: Skewed;
  readonly path: Path;
  readonly seed: number;
  readonly seconds: number;
}

/** One probe a second against the true clock; then how far each estimate is from the truth. */
function probed({ own, path, seed, seconds }: Run): {
  worstErrorNs: number;
  uncovered: number;
  boundNs: number;
} {
  const graph = new ClockGraph();
  const random = seeded(seed);
  for (let second = 0; second < seconds; second++) {
    const atNs = second * SECOND;
    graph.add(clockKey(A, 0), exchange({ own, peer: TRUE_CLOCK, peerName: C, path, atNs, random }));
  }
  const correction = graph.corrections(clockKey(C, 0)).get(clockKey(A, 0))!;
  let worstErrorNs = 0;
  let uncovered = 0;
  let boundNs = 0;
  for (let atNs = -2 * SECOND; atNs < (seconds + 30) * SECOND; atNs += 130 * MS) {
    const rawNs = read(own, atNs);
    const errorNs = Math.abs(rawNs + correction.offsetNs(rawNs) - trueOf(own, rawNs));
    if (errorNs > correction.boundNs(rawNs)) uncovered++;
    worstErrorNs = Math.max(worstErrorNs, errorNs);
    boundNs = Math.max(boundNs, correction.boundNs(rawNs));
  }
  return { worstErrorNs, uncovered, boundNs };
}

const LAN: Path = { upMs: 0.2, downMs: 0.2, queueMs: 0.1 };
const WAN: Path = { upMs: 20, downMs: 20, queueMs: 2 };
const MOBILE: Path = { upMs: 35, downMs: 20, queueMs: 10 };

test.each([
  ['a LAN', LAN],
  ['a WAN', WAN],
  ['a mobile path, asymmetric', MOBILE],
])('over %s the bound holds the truth always, 40 ppm fast and 3.7 s off', (_, path) => {
  for (let seed = 1; seed <= 20; seed++) {
    const own = { offsetNs: 3_700 * MS, ppm: 40 };
    expect(probed({ own, path, seed, seconds: 60 }).uncovered).toBe(0);
  }
});

test('the bound is about half the least round trip, and is met from 50 ppm fast to 50 ppm slow', () => {
  for (const ppm of [-50, -17, 0, 50]) {
    const { uncovered, boundNs } = probed({
      own: { offsetNs: -5 * SECOND, ppm },
      path: WAN,
      seed: 3,
      seconds: 120,
    });
    expect(uncovered).toBe(0);
    expect(boundNs).toBeGreaterThan(20 * MS);
    expect(boundNs).toBeLessThan(25 * MS);
  }
});

test('one exchange is exact to half its round trip and ages by 50 ppm', () => {
  const graph = new ClockGraph();
  const sample = {
    peer: C,
    peerEpoch: 0,
    t1: domainNs(0),
    t2: domainNs(1_010 * MS),
    t3: domainNs(1_010 * MS),
    t4: domainNs(20 * MS),
  };
  expect(graph.add(clockKey(A, 0), sample)).toBe(true);
  const correction = graph.corrections(clockKey(C, 0)).get(clockKey(A, 0))!;
  expect(correction.offsetNs(10 * MS)).toBeCloseTo(1_000 * MS, -1);
  expect(Math.round(correction.boundNs(10 * MS) / 1_000)).toBe(10_001); // 10 ms and 50 ppm of 10 ms
  expect(Math.round(correction.boundNs(100_010 * MS) / MS)).toBe(15); // 10 ms + 50 ppm × 100 s
});

test('a clock that kernels slew by 400 ppm widens the allowance and is still covered', () => {
  const { uncovered } = probed({ own: { offsetNs: 0, ppm: 400 }, path: LAN, seed: 5, seconds: 60 });
  // Beyond the last probe nothing but the allowance is known, and it was widened.
  expect(uncovered).toBe(0);
});

test('a step of the clock cuts the band and counts one fault; both sides stay covered', () => {
  const graph = new ClockGraph();
  const random = seeded(9);
  const before: Skewed = { offsetNs: 0, ppm: 10 };
  const after: Skewed = { offsetNs: 250 * MS, ppm: 10 };
  const clockAt = (atNs: number): Skewed => (atNs < 30 * SECOND ? before : after);
  for (let second = 0; second < 60; second++) {
    const atNs = second * SECOND;
    graph.add(
      clockKey(A, 0),
      exchange({ own: clockAt(atNs), peer: TRUE_CLOCK, peerName: C, path: LAN, atNs, random }),
    );
  }
  const correction = graph.corrections(clockKey(C, 0)).get(clockKey(A, 0))!;
  expect(correction.faultCount).toBe(1);
  for (let atNs = 0; atNs < 60 * SECOND; atNs += 77 * MS) {
    const rawNs = read(clockAt(atNs), atNs);
    const errorNs = Math.abs(rawNs + correction.offsetNs(rawNs) - atNs);
    expect(errorNs).toBeLessThanOrEqual(correction.boundNs(rawNs));
  }
});

test('an exchange that ends before it began is refused', () => {
  const graph = new ClockGraph();
  const sample = {
    peer: C,
    peerEpoch: 0,
    t1: domainNs(10),
    t2: domainNs(10),
    t3: domainNs(10),
    t4: domainNs(9),
  };
  expect(graph.add(clockKey(A, 0), sample)).toBe(false);
  expect(graph.sampleCount).toBe(0);
});

test('offsets compose along the path of least error, and the bound still holds the truth', () => {
  const client: Skewed = { offsetNs: 3_700 * MS, ppm: 40 };
  const edge: Skewed = { offsetNs: -80 * SECOND, ppm: -12 };
  const graph = new ClockGraph();
  const random = seeded(4);
  for (let second = 0; second < 40; second++) {
    const atNs = second * SECOND;
    graph.add(
      clockKey(A, 0),
      exchange({
        own: client,
        peer: edge,
        peerName: B,
        path: { upMs: 9, downMs: 4, queueMs: 2 },
        atNs,
        random,
      }),
    );
    graph.add(
      clockKey(B, 0),
      exchange({ own: edge, peer: TRUE_CLOCK, peerName: C, path: LAN, atNs, random }),
    );
    graph.add(
      clockKey(A, 0),
      exchange({ own: client, peer: TRUE_CLOCK, peerName: C, path: MOBILE, atNs, random }),
    );
  }
  const correction = graph.corrections(clockKey(C, 0)).get(clockKey(A, 0))!;
  expect(correction.isIndirect).toBe(true);
  for (let atNs = 0; atNs < 40 * SECOND; atNs += 333 * MS) {
    const rawNs = read(client, atNs);
    expect(Math.abs(rawNs + correction.offsetNs(rawNs) - atNs)).toBeLessThanOrEqual(
      correction.boundNs(rawNs),
    );
    expect(correction.boundNs(rawNs)).toBeLessThan(10 * MS);
  }
});

const COLLECTOR = { domain: C, epoch: 0, zeroUnixNs: 1_800_000_000_000_000_000n };

test('a process on the collector’s host has no offset and no error', () => {
  const clocks = new SessionClocks(COLLECTOR);
  clocks.setZero(COLLECTOR.zeroUnixNs + 5_000_000_000n);
  const map = clocks.map(clocks.note({ ...COLLECTOR, zeroUnixNs: 17n }));
  expect(map.source).toBe('same host');
  expect(map.toSession(5_000_000_123)).toBe(123);
  expect(map.boundNs(5_000_000_123)).toBe(0);
});

test('a clock nobody compared is placed by its own word, and that is said to be unsure', () => {
  const clocks = new SessionClocks(COLLECTOR);
  clocks.setZero(COLLECTOR.zeroUnixNs);
  const lonely = clocks.map(
    clocks.note({ domain: A, epoch: 0, zeroUnixNs: COLLECTOR.zeroUnixNs + 2_000n }),
  );
  const here = clocks.map(clocks.note(COLLECTOR));
  expect(lonely.source).toBe('wall clock');
  expect(lonely.toSession(100)).toBe(2_100);
  expect(clockErrorNs({ map: lonely, rawNs: 0 }, { map: here, rawNs: 0 })).toBe(
    WALL_CLOCK_ERROR_NS,
  );
});

test('clocks joined by echoes alone agree with each other; only their wall clock is one’s word', () => {
  const clocks = new SessionClocks(COLLECTOR);
  clocks.setZero(0n);
  const client: Skewed = { offsetNs: 3_700 * MS, ppm: 0 };
  const a = clocks.note({ domain: A, epoch: 0, zeroUnixNs: 999n });
  const b = clocks.note({ domain: B, epoch: 0, zeroUnixNs: 1_000n });
  clocks.prefer(b);
  const random = seeded(1);
  clocks.addSample(
    a,
    exchange({ own: client, peer: TRUE_CLOCK, peerName: B, path: LAN, atNs: 0, random }),
  );
  expect(clocks.map(b).toSession(500)).toBe(1_500);
  const there = clocks.map(a);
  expect(there.source).toBe('echo');
  expect(Math.abs(there.toSession(read(client, 500)) - 1_500)).toBeLessThan(MS);
  expect(clockErrorNs({ map: there, rawNs: 0 }, { map: clocks.map(b), rawNs: 0 })).toBeLessThan(
    MS + 4_000 * 50_000,
  );
});

test('offset and drift read as a person would say them: 3.7 s ahead, 40 ppm fast', () => {
  const clocks = new SessionClocks(COLLECTOR);
  clocks.setZero(COLLECTOR.zeroUnixNs);
  const own: Skewed = { offsetNs: 0, ppm: 40 };
  const a = clocks.note({ domain: A, epoch: 0, zeroUnixNs: COLLECTOR.zeroUnixNs + 3_700_000_000n });
  const random = seeded(2);
  for (let second = 0; second <= 100; second++)
    clocks.addSample(
      a,
      exchange({ own, peer: TRUE_CLOCK, peerName: C, path: LAN, atNs: second * SECOND, random }),
    );
  const map = clocks.map(a);
  expect(wallOffsetNs(map, 0, COLLECTOR.zeroUnixNs) / MS).toBeCloseTo(3_700, 0);
  expect(driftPpm(map)).toBeGreaterThan(35);
  expect(driftPpm(map)).toBeLessThan(45);
});
