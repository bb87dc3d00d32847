// Services that lie, or say nothing, on their way through a call: in the turn's ledger, in the
// session's ways.

import {
  ATTR,
  domainNs,
  type Attributes,
  type SessionDetail,
  type Wait,
} from '@framescope/protocol';
import { expect, test } from 'vitest';
import type { StoredFlush } from '../../src/store/store.ts';
import { batch, flush, MS, turn, voiced } from './call.ts';
import { AGENT_SESSION, at, engine, only } from './engine-bench.ts';

/** A turn whose model was asked at 1,000 ms and answered at 1,400. */
function asked(...attributes: readonly Attributes[]): { detail: SessionDetail; wait: Wait } {
  const stages = attributes.map((told, i) => ({
    name: 'llm',
    spanId: `${i}`.padStart(16, '4'),
    startedAt: domainNs((1_000 - i) * MS),
    firstAt: domainNs((1_400 - i * 100) * MS),
    endedAt: domainNs(1_450 * MS),
    attributes: told as Readonly<Record<string, string | number | boolean>>,
  }));
  const state = {
    ...turn({
      endsAtMs: 800,
      closes: voiced(0),
      endedAtMs: 1_900,
      moments: {
        turn_decided: 1_000,
        model_requested: 1_000,
        first_speakable: 1_400,
        speech_text_sent: 1_410,
        first_audio: 1_500,
        first_frame_sent: 1_500,
      },
    }),
    stages,
  };
  const flushes = [0, 1].flatMap(s => [
    flush({ producer: 'client', seq: s, fromS: s, toS: s + 1, session: {}, speaksAtMs: 1_500 }),
    flush({
      producer: 'agent',
      seq: s,
      fromS: s,
      toS: s + 1,
      session: AGENT_SESSION,
      speaksAtMs: 1_500,
      ...(s === 1 ? { turns: [state] } : {}),
    }),
  ]);
  const one = engine();
  one.ingest(batch(flushes));
  const rows = only(one.tick(at(3)).derived);
  return { detail: rows.session, wait: rows.turns[0]!.waits[0]! };
}

const inference = (wait: Wait): Wait['parts'][number] =>
  wait.parts.find(part => part.name === 'inference')!;

const HONEST = {
  [ATTR.vendorName]: 'openai',
  [ATTR.vendorRttNs]: 60 * MS,
  [ATTR.vendorProcessingNs]: 320 * MS,
};

test('inference is split by what its stage knows, and the ledger still adds up', () => {
  const { wait, detail } = asked(HONEST);
  expect(inference(wait).split).toEqual({
    vendor: 'openai',
    pieces: [
      { name: 'network', exposedNs: 60 * MS },
      { name: 'compute', exposedNs: 320 * MS },
      { name: 'unknown', exposedNs: 20 * MS },
    ],
    note: null,
  });
  expect(wait.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(wait.waitNs);
  expect(detail.topology?.vendors).toMatchObject([
    { vendor: 'openai', stage: 'llm', requests: 1, silent: 0, unlikely: 0, rtt: { n: 1 } },
  ]);
});

test('a header that lies splits nothing, and the call counts it', () => {
  const { wait, detail } = asked({ ...HONEST, [ATTR.vendorProcessingNs]: 9_000 * MS });
  expect(inference(wait).split?.pieces.map(one => one.name)).toEqual(['network', 'unknown']);
  expect(inference(wait).split?.note).toMatch(
    /says that it took 9000 ms, of a request that took 400 ms/,
  );
  expect(detail.topology?.vendors).toMatchObject([{ unlikely: 1, processing: { n: 0 } }]);
});

test('a service that tells nothing is silent, a stage without any word is not split at all', () => {
  const { wait, detail } = asked({ [ATTR.vendorName]: 'quiet' });
  expect(inference(wait).split).toEqual({
    vendor: 'quiet',
    pieces: [{ name: 'unknown', exposedNs: 400 * MS }],
    note: 'it told nothing of its work',
  });
  expect(detail.topology?.vendors).toMatchObject([{ vendor: 'quiet', silent: 1, unlikely: 0 }]);
  const bare = asked({ 'gen_ai.system': 'openai' });
  expect(inference(bare.wait).split).toBeUndefined();
  expect(bare.detail.topology?.vendors).toEqual([]);
});

test('of several requests the one whose answer was spoken is split', () => {
  const { wait } = asked(HONEST, { ...HONEST, [ATTR.vendorProcessingNs]: 10 * MS });
  expect(inference(wait).split?.pieces).toContainEqual({ name: 'compute', exposedNs: 320 * MS });
});

test('a service that a live call asks is known with the turn that asked, not with the next look at its ways', () => {
  const one = engine();
  const second = (s: number, more: Partial<Parameters<typeof flush>[0]> = {}): StoredFlush[] => [
    flush({ producer: 'client', seq: s, fromS: s, toS: s + 1, commit: s + 1, session: {} }),
    flush({
      producer: 'agent',
      seq: s,
      fromS: s,
      toS: s + 1,
      commit: s + 1,
      session: AGENT_SESSION,
      ...more,
    }),
  ];
  for (let s = 0; s < 20; s++) {
    one.ingest(batch(second(s)));
    one.tick(at(s + 1));
  }
  const stage = {
    name: 'llm',
    spanId: '4'.repeat(16),
    startedAt: domainNs(18_000 * MS),
    firstAt: domainNs(18_400 * MS),
    endedAt: domainNs(18_450 * MS),
    attributes: HONEST,
  };
  const state = {
    ...turn({ endsAtMs: 17_800, closes: voiced(0), endedAtMs: 19_000, moments: {} }),
    stages: [stage],
  };
  one.ingest(batch(second(20, { turns: [state] })));
  const { session, turns } = only(one.tick(at(21)).derived);
  expect(turns).toHaveLength(1);
  expect(session.status).toBe('live');
  expect(session.topology?.vendors).toMatchObject([{ vendor: 'openai', requests: 1 }]);
});
