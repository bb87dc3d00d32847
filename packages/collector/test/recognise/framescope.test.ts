import { expect, test } from 'vitest';
import { decodeStateMessage, decodeTurnState } from '../../src/recognise/framescope.ts';

const TURN = {
  tick: 16_000,
  stream: 'mic',
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  rev: 3,
  startedAt: 5,
  waits: [
    {
      kind: 'response',
      opens: { stream: 'mic', tick: 32_000, source: 'vad', errorNs: 20_000_000 },
      closes: { stream: 'agent', tick: 480, source: 'energy', errorNs: 0, filler: false },
      moments: [{ name: 'turn_decided', at: 9, source: 'timer', after: ['transcript_final'] }],
    },
    { kind: 'resume', opens: { at: 12, source: 'filler end', errorNs: 0 }, moments: [] },
  ],
  stages: [{ name: 'llm', spanId: 'c'.repeat(16), startedAt: 7, firstAt: 8, attributes: { n: 1 } }],
  words: [{ who: 'user', text: 'hello', at: 6 }],
  bargeIn: { onsetTick: 4 },
};
const MESSAGE = {
  v: 1,
  session: {
    attributes: { region: 'eu', paid: true },
    authority: true,
    startedAt: 0,
    flushNs: 1_000_000_000,
    streams: [{ name: 'mic', sampleRate: 16_000, direction: 'up' }],
  },
  turns: [TURN],
  media: [
    {
      stream: 'agent',
      role: 'client',
      fromAt: 3,
      toAt: 1_000_000_003,
      figures: { jitterBufferNs: 60_000_000, concealedSamples: 480, underrunCount: 1 },
    },
  ],
  lineage: [
    {
      kind: 'segment',
      stream: 'mic',
      role: 'agent',
      hop: 'send',
      nth: 0,
      sample: 480,
      tick: 320,
      samples: 3,
      ticks: 2,
      at: 5,
    },
    {
      kind: 'derived',
      who: 'user',
      stream: 'mic',
      fromTick: 0,
      toTick: 320,
      text: 'so',
      fromChar: 4,
      quality: 'exact',
      at: 6,
    },
  ],
  dropped: { ring_full: 3 },
};

/** The message with one value put at a path such as `turns.0.rev`. */
function changed(path: string, value: unknown): string {
  const copy: unknown = JSON.parse(JSON.stringify(MESSAGE));
  const keys = path.split('.');
  const last = keys.pop()!;
  const at = keys.reduce<unknown>((from, key) => (from as Record<string, unknown>)[key], copy);
  (at as Record<string, unknown>)[last] = value;
  return JSON.stringify(copy);
}

test('what the instrument says comes through unchanged', () => {
  expect(decodeStateMessage(JSON.stringify(MESSAGE), 'state')).toEqual({
    ok: true,
    value: MESSAGE,
  });
  expect(decodeTurnState(JSON.stringify(TURN), 'turn')).toEqual({ ok: true, value: TURN });
});

test('a heart beat says nothing but its version', () => {
  expect(decodeStateMessage('{"v":1}', 'state')).toEqual({ ok: true, value: { v: 1 } });
});

test('a field of a newer sender is left out, not refused', () => {
  const result = decodeStateMessage(changed('turns.0.mood', 'good'), 'state');
  expect(result).toEqual({ ok: true, value: MESSAGE });
});

test.each([
  ['v', 3, 'state.v', 'state version 3, known is 2'],
  [
    'changes',
    [{ tick: 0, stream: 'mic', base: 1, rev: 2 }],
    'state.changes[0].set',
    'got undefined',
  ],
  ['session', [], 'state.session', 'expected an object, got array'],
  ['session.flushNs', -1, 'state.session.flushNs', '-1 is not within 0'],
  ['session.streams.0.sampleRate', 0, 'state.session.streams[0].sampleRate', 'not within 1'],
  [
    'session.attributes',
    { deep: {} },
    'state.session.attributes.deep',
    'expected text, got object',
  ],
  ['turns.0.tick', 1.5, 'state.turns[0].tick', 'expected a whole number'],
  ['turns.0.rev', '3', 'state.turns[0].rev', 'expected a whole number, got string'],
  ['turns.0.traceId', 'A'.repeat(32), 'state.turns[0].traceId', '32 hex digits'],
  ['turns.0.outcome', 'won', 'state.turns[0].outcome', 'expected one of completed'],
  ['turns.0.waits.0.closes.tick', 2 ** 53, 'state.turns[0].waits[0].closes.tick', 'whole number'],
  ['turns.0.waits.0.moments.0.at', null, 'state.turns[0].waits[0].moments[0].at', 'got null'],
  ['turns.0.waits.1.opens', {}, 'state.turns[0].waits[1].opens.source', 'got undefined'],
  ['turns.0.words.0.text', 'x'.repeat(4_001), 'state.turns[0].words[0].text', 'at most 4000'],
  ['media.0.figures.jitterBufferNs', -1, 'state.media[0].figures.jitterBufferNs', 'not within 0'],
  ['media', Array(513).fill(MESSAGE.media[0]), 'state.media', '513 items, at most 512'],
  ['lineage.0.ticks', 0, 'state.lineage[0].ticks', 'not within 1'],
  ['lineage.0.kind', 'bend', 'state.lineage[0].kind', 'expected one of derived'],
  ['lineage.1.quality', 'sure', 'state.lineage[1].quality', 'expected one of exact'],
  ['lineage.1.toTick', 2.5, 'state.lineage[1].toTick', 'expected a whole number'],
  ['turns', Array(1_001).fill(TURN), 'state.turns', '1001 items, at most 1000'],
])('%s = %j is refused with its path', (path, value, at, problem) => {
  const result = decodeStateMessage(changed(path, value), 'state');
  expect(result).toMatchObject({ ok: false, path: at });
  expect(!result.ok && result.problem).toContain(problem);
});

test.each([
  '',
  '{',
  'null',
  '[]',
  '7',
  '{"v":1,"turns":{}}',
  '{"__proto__":{"v":1}}',
  '{"v":1e999}',
])('%j is refused and nothing is thrown', source =>
  expect(decodeStateMessage(source, 'state').ok).toBe(false),
);

test('the last length that is parsed, and the first that is not', () => {
  const padded = (n: number): string => '{"v":1}'.padEnd(n, ' ');
  expect(decodeStateMessage(padded(1_000_000), 'state').ok).toBe(true);
  expect(decodeStateMessage(padded(1_000_001), 'state').ok).toBe(false);
});
