// Processes that lie: whatever passes the door, assembling does not fall over it.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SessionEngine } from '../../src/assemble/engine.ts';
import { decodeStateMessage } from '../../src/recognise/framescope.ts';
import { batch, BOOK, flush, NOON, SECOND } from './call.ts';

const TIME = fc.oneof(
  fc.integer({ min: 0, max: 6_000 }).map(ms => ms * 1e6),
  fc.constantFrom(0, -1, 2 ** 52, -(2 ** 51)),
);
const TICK = fc.oneof(
  fc.integer({ min: 0, max: 100_000 }),
  fc.constantFrom(-5, Number.MAX_SAFE_INTEGER),
);
const STREAM = fc.constantFrom('mic', 'agent', 'nobody', '__proto__');
const NAME = fc.constantFrom(
  'turn_decided',
  'transcript_final',
  'model_requested',
  'first_speakable',
  'tool_started',
  'tool_ended',
  'speech_text_sent',
  'first_audio',
  'first_frame_sent',
  'first_voiced_sent',
  'speech_end_captured',
  'wait_opened',
  'given_up',
  'constructor',
  'x',
);
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
const moment = fc.record({
  name: NAME,
  at: TIME,
  source: optional(fc.constantFrom('timer', 'realtime', '')),
  errorNs: optional(fc.nat()),
  after: optional(fc.array(NAME, { maxLength: 3 })),
  generation: optional(fc.constantFrom('a', 'b')),
});
const wait = fc.record({
  kind: fc.constantFrom('response', 'greeting', 'resume'),
  opens: fc.oneof(
    fc.record({ stream: STREAM, tick: TICK, source: fc.constant('vad'), errorNs: fc.nat() }),
    fc.record({ at: TIME, source: fc.constant('x'), errorNs: fc.nat() }),
  ),
  closes: optional(
    fc.record({
      stream: STREAM,
      tick: TICK,
      source: fc.constant('x'),
      errorNs: fc.nat(),
      filler: fc.boolean(),
    }),
  ),
  moments: fc.array(moment, { maxLength: 10 }),
  outcome: optional(
    fc.constantFrom('interrupted_after', 'interrupted_before', 'abandoned', 'failed', 'none'),
  ),
});
const stage = fc.record({
  name: fc.constantFrom('llm', 'tts', 'stt', 'endpointing', 'tool', 'toString'),
  spanId: fc.constant('3'.repeat(16)),
  startedAt: TIME,
  endedAt: optional(TIME),
  error: optional(fc.constant('no')),
  generation: optional(fc.constantFrom('a', 'b')),
  discarded: optional(fc.boolean()),
});
const turn = fc.record({
  tick: TICK,
  stream: STREAM,
  traceId: fc.constant('1'.repeat(32)),
  spanId: fc.constant('2'.repeat(16)),
  rev: fc.nat({ max: 3 }),
  startedAt: TIME,
  endedAt: optional(TIME),
  outcome: optional(fc.constantFrom('completed', 'interrupted', 'abandoned', 'failed')),
  waits: fc.array(wait, { maxLength: 3 }),
  stages: fc.array(stage, { maxLength: 4 }),
  words: fc.constant([]),
  bargeIn: optional(
    fc.record({ onsetTick: TICK, detectedAt: optional(TIME), generatedTick: optional(TICK) }),
  ),
});

test('any turns that pass the door have ledgers that sum, in a session that is told', () => {
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 3 }), fc.boolean(), (turns, isEnded) => {
      const state = decodeStateMessage(JSON.stringify({ v: 1, turns }), 'state');
      if (!state.ok) throw new Error(`${state.path}: ${state.problem}`);
      const engine = new SessionEngine({ clockBook: BOOK, startedUnixNs: 0n, budgets: {} });
      engine.ingest(
        batch([
          flush({ producer: 'client', seq: 0, fromS: 0, toS: 2, speaksAtMs: 900 }),
          flush({
            producer: 'agent',
            seq: 0,
            fromS: 0,
            toS: 2,
            speaksAtMs: 900,
            turns: state.value.turns!,
            session: isEnded ? {} : { authority: true },
          }),
        ]),
      );
      for (const seconds of [2, 60]) {
        const [rows] = engine.tick(NOON + BigInt(seconds * SECOND)).derived;
        for (const { waits } of rows?.turns ?? [])
          for (const { parts, waitNs, resolved } of waits) {
            expect(parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(waitNs);
            expect(resolved >= 0 && resolved <= 1).toBe(true);
          }
        for (const value of rows?.values ?? [])
          expect(Number.isInteger(value.valueNs) && value.valueNs >= 0).toBe(true);
        JSON.stringify(rows?.session);
      }
    }),
    { numRuns: 300 },
  );
  // Three hundred calls assembled: seconds on an idle core, and more beside other tests.
}, 60_000);
