// A process that lost its connection and got it back, and what its media stack says of the way.

import { domainNs, durationNs, type Handover, type SetupName } from '@framescope/protocol';
import type { SessionDetail } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { batch, flush, MS } from './call.ts';
import { AGENT_SESSION, at, engine, only } from './engine-bench.ts';

type Told = readonly (readonly [SetupName, number])[];

const frames = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

/** Six seconds of a call whose client tells of its connection; some of its frames arrive nowhere. */
function called(setup: Told, lost: readonly number[], isTraced = true): SessionDetail {
  const one = engine();
  const flushes = frames(0, 6).flatMap(s => [
    flush({
      producer: 'client',
      seq: s,
      fromS: s,
      toS: s + 1,
      session: {},
      ...(s === 5 ? { setup } : {}),
    }),
    ...(isTraced
      ? [
          flush({
            producer: 'agent',
            seq: s,
            fromS: s,
            toS: s + 1,
            lost,
            session: AGENT_SESSION,
          }),
        ]
      : []),
  ]);
  one.ingest(batch(flushes));
  return only(one.tick(at(6)).derived).session;
}

const only1 = (handovers: readonly Handover[] | undefined): Handover => {
  expect(handovers).toHaveLength(1);
  return handovers![0]!;
};

const OUTAGE: Told = [
  ['connection_lost', 2_900],
  ['connection_restored', 3_600],
];

test('a connection that came back is a hand-over of the process to itself, with its gap to the frame', () => {
  for (const gap of [1, 20, 60]) {
    const detail = called(OUTAGE, frames(125, 125 + gap));
    const one = only1(detail.handovers);
    expect(one).toMatchObject({ role: 'client', from: one.to, wasTold: true, atNs: 2_900 * MS });
    expect([one.gapFrames, one.gapNs], `${gap} frames`).toEqual([gap, gap * 20 * MS]);
    expect(one.authorityNs).toBe(gap * 20 * MS);
  }
});

test('an outage that cost no frame is told with none, and one whose end was not told not at all', () => {
  expect(only1(called(OUTAGE, []).handovers)).toMatchObject({ gapFrames: 0, gapNs: 0 });
  expect(called(OUTAGE.slice(0, 1), frames(125, 150)).handovers).toEqual([]);
  expect(called(OUTAGE.slice(1), frames(125, 150)).handovers).toEqual([]);
});

test('several outages are several hand-overs, and each has its own gap', () => {
  const again: Told = [
    ['connection_lost', 500],
    ['connection_restored', 700],
    ...OUTAGE.map(([name, ms]) => [name, ms + 10_000] as const),
  ];
  const detail = called(again, frames(20, 30));
  expect(detail.handovers?.map(one => one.gapFrames)).toEqual([10, 0]);
});

test('an outage that both ends tell of is one, whichever tells first', () => {
  for (const isAgentFirst of [false, true]) {
    const one = engine();
    const toldBy = (producer: 'client' | 'agent', s: number): Told =>
      s === (producer === 'agent' || !isAgentFirst ? 4 : 5) ? OUTAGE : [];
    let last: SessionDetail | undefined;
    for (const s of frames(0, 6)) {
      const both = (['client', 'agent'] as const).map(producer =>
        flush({
          producer,
          seq: s,
          fromS: s,
          toS: s + 1,
          commit: s + 1,
          session: producer === 'agent' ? AGENT_SESSION : {},
          ...(producer === 'agent' && { lost: frames(125, 160) }),
          setup: toldBy(producer, s),
        }),
      );
      one.ingest(batch(both));
      last = only(one.tick(at(s + 1)).derived).session;
    }
    expect(only1(last!.handovers)).toMatchObject({ role: 'client', gapFrames: 35 });
  }
});

test('where the far end is not traced, nothing is claimed of frames that went up', () => {
  const one = only1(called(OUTAGE, [], false).handovers);
  expect(one).toMatchObject({ gapFrames: 0, directions: [], authorityNs: null });
});

test('what a media stack says of the way is a link, and the round trip of a way that nobody probed', () => {
  const figures = {
    rttNs: durationNs(84 * MS),
    jitterNs: durationNs(3 * MS),
    packets: 50,
    packetsLost: 1,
  };
  const one = engine();
  const flushes = frames(0, 3).flatMap(s => {
    const client = flush({ producer: 'client', seq: s, fromS: s, toS: s + 1, session: {} });
    const interval = {
      stream: 'mic',
      role: 'client',
      fromAt: domainNs(s * 1_000 * MS),
      toAt: domainNs((s + 1) * 1_000 * MS),
      figures,
    };
    return [
      { ...client, state: { ...client.state!, media: [interval] } },
      flush({ producer: 'agent', seq: s, fromS: s, toS: s + 1, session: AGENT_SESSION }),
    ];
  });
  one.ingest(batch(flushes));
  const { topology } = only(one.tick(at(3)).derived).session;
  expect(topology?.links).toEqual([
    {
      process: 0,
      stream: 'mic',
      seconds: 3,
      rttNs: 84 * MS,
      jitterNs: 3 * MS,
      packets: 150,
      packetsLost: 3,
    },
  ]);
  expect(topology?.legs.map(leg => leg.rttNs)).toEqual([84 * MS]);
});
