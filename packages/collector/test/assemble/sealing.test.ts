// Counting marks for good as a call goes on comes to what one look at all of its
// data gives: in any order of arrival, with restarts in between, whatever comes late.

import fc from 'fast-check';
import { domainNs, tick } from '@framescope/protocol';
import { expect, test } from 'vitest';
import type { StoredFlush } from '../../src/store/store.ts';
import { flush, HERE, MS, NOON, SECOND, turn, voiced } from './call.ts';
import { AGENT_SESSION, Assembled, at } from './engine-bench.ts';

const CLIENT = { domain: 'd'.repeat(16), epoch: 0, zeroUnixNs: NOON + BigInt(3_700 * MS) };
const SECONDS = 70;

/** A probe of the client's clock against the collector's, better with each one. */
const sample = (s: number) => ({
  peer: HERE.domain,
  peerEpoch: 0,
  t1: domainNs(s * SECOND),
  t2: domainNs(s * SECOND + Math.round((40 / (s + 1)) * MS)),
  t3: domainNs(s * SECOND + Math.round((40 / (s + 1)) * MS)),
  t4: domainNs(s * SECOND + Math.round((70 / (s + 1)) * MS)),
});

/** Two turns, one at the start and one at 50 s; frames are lost all along. */
function callOf(producer: 'client' | 'agent'): StoredFlush[] {
  const answered = turn({
    endsAtMs: 2_000,
    closes: voiced(0),
    endedAtMs: 4_000,
    outcome: 'completed',
    moments: { turn_decided: 2_530 },
  });
  const second = { ...turn({ endsAtMs: 50_000, endedAtMs: 52_000, outcome: 'completed' }) };
  const later = { ...second, tick: tick(784_000), startedAt: domainNs(49_000 * MS) };
  return Array.from({ length: SECONDS }, (_, s) => {
    const isLast = producer === 'agent' && s === SECONDS - 1;
    const session = {
      ...(producer === 'agent' ? AGENT_SESSION : {}),
      ...(isLast ? { endedAt: domainNs(SECONDS * SECOND) } : {}),
    };
    return flush({
      producer,
      seq: s,
      fromS: s,
      toS: s + 1,
      session,
      lost: [7, 500, 501, 1_499, 2_600],
      ...(s === 3 ? { speaksAtMs: 2_900 } : {}),
      ...(producer === 'agent' && s === 4 ? { turns: [answered] } : {}),
      ...(producer === 'agent' && s === 52 ? { turns: [later] } : {}),
      ...(producer === 'client' ? { clock: CLIENT, samples: s % 4 === 0 ? [sample(s)] : [] } : {}),
    });
  });
}

const CALLS = { client: callOf('client'), agent: callOf('agent') };
const inTurn: readonly StoredFlush[] = CALLS.client.flatMap((one, s) => [one, CALLS.agent[s]!]);

/** Each arrives half a second after the one before, and is looked at. */
function run(flushes: readonly StoredFlush[], restarts: readonly number[] = []): Assembled {
  const one = new Assembled();
  flushes.forEach((each, i) => {
    const nowUnixNs = at(1 + i / 2);
    one.take({ ...each, arrivalUnixNs: nowUnixNs });
    one.tick(nowUnixNs);
    if (restarts.includes(i)) one.restart();
  });
  return one;
}

/** The same, seen once in the end, whole. */
function atOnce(running: Assembled): Assembled {
  const one = new Assembled();
  for (const each of running.flushes) one.take(each);
  return one;
}

/** All are silent for so long that it is over, even if the word of its end was taken back. */
const END = at(1 + SECONDS + 12);

test('while a call goes on, what was counted for good is what a look at all of it counts', () => {
  const running = run(inTurn.slice(0, 116));
  const whole = atOnce(running);
  running.tick(at(59));
  whole.tick(at(59));
  expect(running.rereads).toBeLessThanOrEqual(1);
  // Of 6,000: those since the turn that is not settled.
  expect(running.heldMarks()).toBeLessThan(2_000);
  const facts = (one: Assembled): unknown =>
    one.rollups().map(row => [row.measure, row.minute, row.count, row.lostCount, row.lateCount]);
  expect(facts(running)).toEqual(facts(whole));
  const sums = (one: Assembled): number[] => one.rollups().map(row => row.sumNs / row.count / MS);
  // Offsets were known less well when the first of them were counted: within what was told then.
  sums(running).forEach((meanMs, i) => expect(Math.abs(meanMs - sums(whole)[i]!)).toBeLessThan(15));
});

test('when it is over everything stored of it is what one look at all its data gives', () => {
  const running = run(inTurn);
  running.tick(END);
  const whole = atOnce(running);
  whole.tick(END);
  expect(running.shown()).toEqual(whole.shown());
});

test('a call whose beginning retention took while it went on keeps what was counted of it', () => {
  const running = run(inTurn.slice(0, 110));
  running.loseFirst(60);
  for (const [i, each] of inTurn.slice(110).entries()) {
    running.take({ ...each, arrivalUnixNs: at(56 + i / 2) });
    running.tick(at(56 + i / 2));
  }
  running.tick(END);
  const untouched = run(inTurn);
  untouched.tick(END);
  const counts = (one: Assembled): unknown =>
    one.rollups().map(row => [row.measure, row.minute, row.count, row.lostCount]);
  expect(counts(running)).toEqual(counts(untouched));
});

test('in whatever order it arrives and however often the collector is started again', () => {
  const moved = fc.tuple(fc.nat(inTurn.length - 1), fc.nat(inTurn.length - 1));
  fc.assert(
    fc.property(
      fc.array(moved, { maxLength: 12 }),
      fc.array(fc.nat(inTurn.length - 1), { maxLength: 3 }),
      fc.boolean(),
      (moves, restarts, isCutOff) => {
        // Cut off: the client is heard after all of the agent.
        const order = isCutOff ? [...CALLS.agent, ...CALLS.client] : [...inTurn];
        for (const [from, to] of moves) order.splice(to, 0, ...order.splice(from, 1));
        const running = run(order, restarts);
        running.tick(END);
        const whole = atOnce(running);
        whole.tick(END);
        expect(running.shown()).toEqual(whole.shown());
      },
    ),
    { numRuns: 25 },
  );
}, 60_000);

test('a stream that starts over and over is read again ever more seldom', () => {
  const one = new Assembled();
  for (let i = 0; i < 120; i++) {
    const producer = 'agent';
    const { toS, ...rest } = { producer, seq: i, fromS: i, toS: i + 1, session: {} } as const;
    const now = at(i + 1);
    one.take({ ...flush({ ...rest, toS }), arrivalUnixNs: now });
    // A mark of the first second comes again and again.
    if (i > 30)
      one.take({ ...flush({ ...rest, seq: 1_000 + i, fromS: 0, toS: 1 }), arrivalUnixNs: now });
    one.tick(now);
  }
  expect(one.rereads).toBeGreaterThan(0);
  expect(one.rereads).toBeLessThan(15);
});
