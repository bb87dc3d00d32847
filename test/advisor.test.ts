// What the advisor says of a jitter buffer that was not there, beside what that buffer does: the
// demo's own code, given the same arrivals. Limits: 5 ms of delay, a tenth of the underruns.

import { expect, test } from 'vitest';
import { JitterBuffer } from '../examples/voice-agent/src/client/jitter-buffer.ts';
import { exponentialMs, randomFrom } from '../examples/voice-agent/src/common/random.ts';
import {
  replayBuffer,
  type Arrival,
  type Policy,
} from '../packages/collector/src/query/places/replay-buffer.ts';

const MS = 1e6;
const FRAME_MS = 20;
const PHASE_MS = 7;

/** Spurts of 1 to 4 s over a line with a heavy tail, in order as over TCP, some of it lost. */
function line(seed: number): Arrival[] {
  const random = randomFrom(seed, 'line');
  const arrivals: Arrival[] = [];
  let startMs = 100;
  let lastMs = 0;
  for (let spurt = 0; spurt < 40; spurt++) {
    const count = 50 + Math.floor(random() * 150);
    for (let i = 0; i < count; i++) {
      const sentMs = startMs + Math.max(0, i - 3) * FRAME_MS;
      const burstMs = random() < 0.01 ? 30 + exponentialMs(random, 60) : 0;
      lastMs = Math.max(lastMs, sentMs + 25 + exponentialMs(random, 6) + burstMs);
      arrivals.push({
        sentNs: sentMs * MS,
        arrivedNs: random() < 0.003 ? Number.NaN : lastMs * MS,
        isSpurtEnd: i === count - 1,
      });
    }
    startMs += count * FRAME_MS + 800 + random() * 2_000;
  }
  return arrivals;
}

/** The demo's buffer and a device that pulls every 20 ms. */
function really(arrivals: readonly Arrival[], depthMs: number | undefined): Figures {
  const buffer = new JitterBuffer(depthMs);
  const order = arrivals
    .map((one, sequence) => ({ ...one, sequence }))
    .filter(one => !Number.isNaN(one.arrivedNs))
    .toSorted((a, b) => a.arrivedNs - b.arrivedNs);
  const endMs = order.at(-1)!.arrivedNs / MS + 2_000;
  const delaysMs: number[] = [];
  let next = 0;
  for (let nowMs = PHASE_MS; nowMs < endMs; nowMs += FRAME_MS) {
    for (; order[next] !== undefined && order[next]!.arrivedNs / MS <= nowMs; next++) {
      const { sequence, sentNs, arrivedNs, isSpurtEnd } = order[next]!;
      const packet = {
        sequence,
        sentMs: sentNs / MS,
        isSpurtStart: false,
        isSpurtEnd,
        opus: new Uint8Array(1),
      };
      buffer.push(packet, arrivedNs / MS);
    }
    const pulled = buffer.pull(nowMs);
    if (pulled.kind === 'frame') delaysMs.push(nowMs - pulled.packet.sentMs);
  }
  return figures(delaysMs, buffer.counts.late);
}

interface Figures {
  readonly meanMs: number;
  readonly p95Ms: number;
  readonly underruns: number;
}

function figures(delaysMs: readonly number[], underruns: number): Figures {
  const sorted = delaysMs.toSorted((a, b) => a - b);
  return {
    meanMs: delaysMs.reduce((sum, one) => sum + one, 0) / delaysMs.length,
    p95Ms: sorted[Math.ceil(0.95 * sorted.length) - 1]!,
    underruns,
  };
}

function predicted(arrivals: readonly Arrival[], policy: Policy): Figures {
  const device = { periodNs: FRAME_MS * MS, phaseNs: PHASE_MS * MS };
  const { delaysNs, underruns } = replayBuffer(arrivals, policy, device);
  const delaysMs = delaysNs.flatMap(spurt =>
    [...spurt].filter(ns => !Number.isNaN(ns)).map(ns => ns / MS),
  );
  return figures(delaysMs, underruns);
}

const ADAPTIVE: Policy = { kind: 'adaptive', leastNs: 40 * MS, mostNs: 400 * MS };

test.each([20, 40, 60, 80, 120, 160, 200, undefined])(
  'what is predicted for a depth of %s ms is what that buffer does',
  depthMs => {
    for (const seed of [1, 2, 3]) {
      const arrivals = line(seed);
      const policy: Policy =
        depthMs === undefined ? ADAPTIVE : { kind: 'fixed', depthNs: depthMs * MS };
      const [real, said] = [really(arrivals, depthMs), predicted(arrivals, policy)];
      expect(Math.abs(said.meanMs - real.meanMs), 'mean').toBeLessThanOrEqual(5);
      expect(Math.abs(said.p95Ms - real.p95Ms), 'p95').toBeLessThanOrEqual(5);
      const bound = Math.max(1, real.underruns * 0.1);
      expect(Math.abs(said.underruns - real.underruns), 'underruns').toBeLessThanOrEqual(bound);
    }
  },
);

test('the line of this test tells depths apart: the shallow loses, the deep waits', () => {
  const [shallow, deep] = [20, 200].map(depth => really(line(1), depth));
  expect(shallow!.underruns).toBeGreaterThan(10 * Math.max(1, deep!.underruns));
  expect(deep!.meanMs - shallow!.meanMs).toBeGreaterThan(100);
});
