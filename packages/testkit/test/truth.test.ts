// The truth itself, checked by hand: if this is wrong, every other test here is.

import { expect, test } from 'vitest';
import { callTruth } from '../src/call-truth.ts';
import { answerOf, LAN_LEGS, scenarioOf, turnOf } from '../src/scenario.ts';

const STILL = Object.fromEntries(
  Object.entries(LAN_LEGS).map(([name, leg]) => [name, { ...leg, jitterMs: 0 }]),
) as typeof LAN_LEGS;

/** Parts of a wait in whole ms, as a line. */
const partsOf = (id: string, turn: Parameters<typeof turnOf>[0], wait = 0): string =>
  callTruth(scenarioOf({ id, legs: STILL, turns: [turnOf(turn)] }))
    .turns[0]!.waits[wait]!.parts.map(
      part => `${part.part} ${Math.round((part.toNs - part.fromNs) / 1e6)}`,
    )
    .join(', ');

test('the worked example of the ledger: a preemptive answer is not endpointing', () => {
  const turn = {
    endpointingMs: 500,
    transcriptionMs: 380,
    preemptive: true,
    answer: answerOf({
      preparationMs: 0,
      inferenceMs: 440,
      aggregationMs: 140,
      synthesisMs: 190,
      deliveryMs: 5,
      leadingSilenceMs: 120,
    }),
  };
  expect(partsOf('preemptive', turn)).toBe(
    'uplink 2, transcription 380, inference 440, aggregation 140, synthesis 190, delivery 5, leading_silence 120, downlink 1, jitter_buffer 60, playout 12',
  );
});

test('a transcript later than the decision owns the stretch both share', () => {
  expect(partsOf('slow stt', { transcriptionMs: 900, endpointingMs: 500 })).toContain(
    'uplink 2, transcription 900, preparation 12',
  );
});

test('a detector that needs the transcript owns only what it adds', () => {
  expect(
    partsOf('smart turn', { transcriptionMs: 300, endpointingMs: 200, detectorMs: 25 }),
  ).toContain('transcription 300, endpointing 25, preparation 12');
});

test('a tool wait opens at the end of the filler and holds the rest of the tool', () => {
  const turn = {
    answer: answerOf({ audioMs: 600 }),
    tool: { toolMs: 2_000, answer: answerOf() },
  };
  // Text out → 150 synthesis, 6 delivery, 600 of filler: 756 of the tool are over.
  expect(partsOf('tool', turn, 1)).toContain('tool 1244, preparation 12, inference 360');
});

test('parts cover their wait without a hole', () => {
  const truth = callTruth(
    scenarioOf({ id: 'whole', turns: [turnOf(), turnOf({ preemptive: true }), turnOf()] }),
  );
  for (const { waits } of truth.turns)
    for (const wait of waits) {
      expect(wait.parts.reduce((sum, part) => sum + part.toNs - part.fromNs, 0)).toBe(
        wait.closeNs - wait.openNs,
      );
    }
});
