// The simulated day: what is in it, and that a seed makes it the same again.

import { expect, test } from 'vitest';
import { callTruth } from '../src/call-truth.ts';
import { dayOf } from '../src/day.ts';
import { simulate } from '../src/simulate.ts';

const END_UNIX_MS = Date.UTC(2026, 4, 1, 12);
const DAY_MS = 86_400_000;
const day = [...dayOf({ seed: 1, turns: 5_000, endUnixMs: END_UNIX_MS })];

test('a day of 5,000 turns has no fewer, in three regions and two releases, within 24 hours', () => {
  const turns = day.reduce((sum, call) => sum + call.turns.length, 0);
  expect(turns).toBeGreaterThanOrEqual(5_000);
  expect(turns).toBeLessThan(5_010);
  expect(new Set(day.map(call => call.attributes['region'])).size).toBe(3);
  expect([...new Set(day.map(call => call.attributes['release']))]).toEqual(['2.4.0', '2.5.0']);
  for (const { startUnixMs } of day) {
    expect(startUnixMs).toBeGreaterThanOrEqual(END_UNIX_MS - DAY_MS);
    expect(startUnixMs).toBeLessThan(END_UNIX_MS);
  }
});

test('a call of the day has the same ID and turns when its day is made again', () => {
  expect([...dayOf({ seed: 1, turns: 5_000, endUnixMs: END_UNIX_MS })]).toEqual(day);
});

test('another seed is another day', () => {
  const other = dayOf({ seed: 2, turns: 5_000, endUnixMs: END_UNIX_MS }).next().value;
  expect(other?.id).not.toBe(day[0]?.id);
});

test('the afternoon is busier than the night', () => {
  const hourOf = (unixMs: number): number => new Date(unixMs).getUTCHours();
  const between = (from: number, to: number): number =>
    day.filter(call => hourOf(call.startUnixMs) >= from && hourOf(call.startUnixMs) < to).length;
  expect(between(14, 18)).toBeGreaterThan(8 * between(1, 5));
});

test('the day holds abandoned waits, fillers, barge-ins and failed attempts', () => {
  const turns = day.flatMap(call => call.turns);
  const share = (count: number): number => count / turns.length;
  expect(share(turns.filter(turn => turn.abandonedAfterMs !== undefined).length)).toBeGreaterThan(
    0.004,
  );
  expect(share(turns.filter(turn => turn.tool !== undefined).length)).toBeGreaterThan(0.03);
  expect(share(turns.filter(turn => turn.bargeIn !== undefined).length)).toBeGreaterThan(0.03);
  expect(turns.some(turn => turn.answer.failedAttemptMs !== undefined)).toBe(true);
});

test('every tenth call of the day has a truth in which the parts cover the waits', () => {
  for (const call of day.filter((_, index) => index % 10 === 0))
    for (const wait of callTruth(call).turns.flatMap(turn => turn.waits)) {
      if (wait.outcome === 'abandoned') continue;
      const sumNs = wait.parts.reduce((sum, part) => sum + part.toNs - part.fromNs, 0);
      expect(sumNs).toBe(wait.closeNs - wait.openNs);
    }
});

test('a relay of the day dies under several calls, and nobody complains but the dead', async () => {
  const relayed = day.filter(call => call.relay !== undefined);
  expect(relayed.length).toBeGreaterThanOrEqual(3);
  const collector = { domain: 'c'.repeat(16), epoch: 0, atZeroNs: 3.6e12 };
  for (const call of relayed) {
    const { problems, bodies } = await simulate(call, { collector });
    expect(problems).toEqual([]);
    expect(new Set(bodies.map(body => body.host))).toContain('edge2');
  }
});

test('the day has an hour in which eu-west is answered from us-east, and a spike on one host', () => {
  const isFar = (call: (typeof day)[number]): boolean =>
    call.attributes['region'] === 'eu-west' &&
    call.hosts.agent.resource?.['cloud.region'] === 'us-east';
  expect(day.filter(isFar).length).toBeGreaterThanOrEqual(10);
  const minutes = new Map<number, number>();
  for (const { startUnixMs } of day) {
    const minute = Math.floor(startUnixMs / 60_000);
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
  }
  expect(Math.max(...minutes.values())).toBeGreaterThanOrEqual(12);
});

test('calls of the day say how they came about, whom they asked, and that a network was changed', async () => {
  for (const { setup, vendor } of day) {
    expect(setup?.length).toBeGreaterThanOrEqual(7);
    expect(vendor?.name).toBe('voice-llm');
  }
  const switched = day.filter(call =>
    call.setup!.some(({ name }) => name === 'connection_restored'),
  );
  expect(switched.length).toBeGreaterThanOrEqual(15);
  const collector = { domain: 'c'.repeat(16), epoch: 0, atZeroNs: 3.6e12 };
  for (const call of switched.slice(0, 3)) {
    const { problems, truth } = await simulate(call, { collector });
    expect(problems).toEqual([]);
    const heard = truth.hops.find(hop => hop.key === 'mic.edge/receive')!;
    expect(heard.lostCount).toBe(45);
  }
});
