// Hand-overs: what went missing is known to the frame, and found in the marks alone.

import { domainNs, type Handover } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { batch, flush, MS, SECOND } from './call.ts';
import { AGENT_SESSION, at, engine, only } from './engine-bench.ts';

interface Change {
  /** Frames (20 ms each) that neither agent got. */
  readonly lost: readonly number[];
  /** The old one says that it ends. */
  readonly isTold?: boolean;
}

/** Eight seconds of a call whose agent is replaced after four. */
function handovers({ lost, isTold = false }: Change): readonly Handover[] {
  const one = engine();
  const farewell = isTold ? { endedAt: domainNs(4 * SECOND) } : {};
  const second = (s: number): Parameters<typeof flush>[0] => ({
    producer: 'client',
    seq: s,
    fromS: s,
    toS: s + 1,
  });
  one.ingest(
    batch(
      [0, 1, 2, 3, 4, 5, 6, 7].flatMap(s => [
        flush({ ...second(s), session: {} }),
        flush({
          ...second(s),
          producer: s < 4 ? 'agent' : 'successor',
          lost,
          session: s === 3 ? { ...AGENT_SESSION, ...farewell } : AGENT_SESSION,
        }),
      ]),
    ),
  );
  return only(one.tick(at(8)).derived).session.handovers ?? [];
}

const frames = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

test('frames that went missing while an agent was replaced are counted to the frame', () => {
  for (const gap of [0, 1, 7, 40]) {
    const [one, ...others] = handovers({ lost: frames(200, 200 + gap) });
    expect(others).toEqual([]);
    expect([one?.gapFrames, one?.gapNs], `${gap} frames`).toEqual([gap, gap * 20 * MS]);
  }
});

test('the turn authority is back when the new agent hears the user', () => {
  const [one] = handovers({ lost: frames(190, 215) });
  expect(one).toMatchObject({ role: 'agent', gapFrames: 25 });
  // From the last frame of the old one to the first of the new one.
  expect(one!.authorityNs).toBe(26 * 20 * MS);
});

test('an agent that said goodbye is told from one that was gone', () => {
  expect(handovers({ lost: [], isTold: true })[0]?.wasTold).toBe(true);
  expect(handovers({ lost: [], isTold: false })[0]?.wasTold).toBe(false);
});

test('a call that nobody left has no hand-over, whatever it lost', () => {
  const one = engine();
  const second = (s: number): Parameters<typeof flush>[0] => ({
    producer: 'client',
    seq: s,
    fromS: s,
    toS: s + 1,
  });
  one.ingest(
    batch(
      [0, 1, 2, 3].flatMap(s => [
        flush({ ...second(s), session: {} }),
        flush({ ...second(s), producer: 'agent', lost: frames(60, 120), session: AGENT_SESSION }),
      ]),
    ),
  );
  expect(only(one.tick(at(4)).derived).session.handovers).toEqual([]);
});
