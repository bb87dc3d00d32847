import { domainNs } from '@framescope/protocol';
import { expect, test } from 'vitest';
import type { StoredFlush } from '../../src/store/store.ts';
import { batch, flush, SECOND, turn, voiced } from './call.ts';
import { AGENT_SESSION, at, call, engine, measures, only } from './engine-bench.ts';

test('silent for three flush periods is broken off, not a moment earlier; data undoes it', () => {
  expect(statusAt(call(4), 7)).toBe('live');
  expect(statusAt(call(4), 7.001)).toBe('broken_off');
  const one = engine();
  one.ingest(batch(call(4)));
  expect(only(one.tick(at(8)).derived).session.status).toBe('broken_off');
  one.ingest(
    batch([
      flush({ producer: 'agent', seq: 20, fromS: 4, toS: 5, arrivalS: 9, session: AGENT_SESSION }),
    ]),
  );
  expect(only(one.tick(at(9)).derived).session.status).toBe('live');
});

/** The status shown at `seconds`, of a collector that has listened for an hour. */
function statusAt(
  flushes: readonly StoredFlush[],
  seconds: number,
  startedS?: number,
): string | undefined {
  const one = engine(startedS);
  one.ingest(batch(flushes));
  return one.tick(at(seconds)).derived[0]?.session.status;
}

test('a call whose agent was replaced goes on with the one that took over, and both keep their turns', () => {
  const answered = turn({
    endsAtMs: 2_000,
    closes: voiced(0),
    endedAtMs: 3_500,
    outcome: 'completed',
    moments: { turn_decided: 2_300 },
  });
  const second = (s: number, more: Partial<Parameters<typeof flush>[0]> = {}): StoredFlush =>
    flush({ producer: 'successor', seq: s, fromS: s, toS: s + 1, session: AGENT_SESSION, ...more });
  const flushes = [0, 1, 2, 3, 4, 5, 6, 7].flatMap(s => [
    flush({ producer: 'client', seq: s, fromS: s, toS: s + 1, session: {} }),
    ...(s < 4
      ? [flush({ producer: 'agent', seq: s, fromS: s, toS: s + 1, session: AGENT_SESSION })]
      : [second(s)]),
  ]);
  const leaving = flush({
    producer: 'agent',
    seq: 9,
    fromS: 4,
    toS: 4,
    arrivalS: 4,
    speaksAtMs: 2_500,
    turns: [answered],
    session: { ...AGENT_SESSION, endedAt: domainNs(4 * SECOND) },
  });
  const one = engine();
  one.ingest(batch([...flushes.slice(0, 8), leaving, ...flushes.slice(8)]));
  const rows = only(one.tick(at(8)).derived);
  expect(rows.session.status).toBe('live');
  expect(
    rows.session.streams[0]!.hops.map(hop => [hop.key, hop.markCount, hop.frames.lost]),
  ).toEqual([
    ['mic.client/capture', 400, 0],
    [`mic.agent/receive@${'b2'.repeat(8)}`, 200, 0],
    [`mic.agent/receive@${'c3'.repeat(8)}`, 200, 0],
  ]);
  // The turn of the one that left: received and sent by itself, whoever came after it.
  expect(measures(rows).filter(line => line.startsWith('voice_to_voice'))).toEqual([
    'voice_to_voice.server 470',
  ]);
  one.ingest(batch([second(8, { session: { ...AGENT_SESSION, endedAt: domainNs(9 * SECOND) } })]));
  expect(only(one.tick(at(9)).derived).session.status).toBe('ended');
});

test('within three periods of its own start a collector calls nobody broken off', () => {
  expect(statusAt(call(4), 10, 7.5)).toBe('live');
  expect(statusAt(call(4), 10.6, 7.5)).toBe('broken_off');
});

test('a heart beat keeps a call live', () => {
  const beat = flush({ producer: 'agent', seq: 20, fromS: 5, toS: 5, arrivalS: 8 });
  expect(statusAt([...call(4), beat], 10)).toBe('live');
});
