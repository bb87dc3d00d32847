import { ATTR, domainNs, tick, type StateMessage } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { Redactor, REDACTED } from '../../src/decode/redact.ts';
import type { DecodedFlush, DecodedSpan } from '../../src/decode/types.ts';
import { flushOf, spanOf } from '../support/spans.ts';

const SECRET = 'my card is 4111';

const redacted = (words: readonly string[], span: DecodedSpan): DecodedSpan =>
  new Redactor(words).redact({ spans: [span], flushes: [], refused: [] }).spans[0]!;

test.each([
  'lk.user_transcript',
  'lk.response.text',
  'lk.chat_ctx',
  'gen_ai.prompt.0.content',
  'gen_ai.input.messages',
  'gen_ai.assistant.message.content',
  'input.value',
  'llm.output_messages.1.message.content',
  'transcript',
  'text',
  'output',
  'tool.arguments',
  'all_messages_events',
])('transcripts: %s is taken out of attributes and events', name => {
  const span = spanOf('a1', {
    attributes: { [name]: SECRET, 'llm.model': 'm' },
    events: [{ name: 'said', atUnixNs: 1n, attributes: { [name]: [SECRET] } }],
  });
  const result = redacted(['transcripts'], span);
  expect(result.attributes).toEqual({ [name]: REDACTED, 'llm.model': 'm' });
  expect(result.events[0]?.attributes).toEqual({ [name]: REDACTED });
});

test('transcripts: figures beside the words stay', () => {
  const attributes = {
    'gen_ai.usage.input_tokens': 7,
    'lk.transcription_delay': 0.2,
    'gen_ai.output.type': 'speech',
    'transcript.is_input': true,
  };
  expect(redacted(['transcripts'], spanOf('a1', { attributes })).attributes).toEqual(attributes);
});

test('transcripts: words of a turn are taken out of its state, wherever it travels', () => {
  const turn = { tick: 5, words: [{ who: 'user', text: SECRET, at: 1 }], waits: [] };
  const span = spanOf('a1', { attributes: { [ATTR.turnState]: JSON.stringify(turn) } });
  const state = { v: 1, turns: [turn] } as unknown as StateMessage;
  const flush: DecodedFlush = flushOf('call', 1, { state });
  const result = new Redactor(['transcripts']).redact({
    spans: [span],
    flushes: [flush],
    refused: [],
  });
  expect(
    JSON.stringify(result, (_, value: unknown) => (typeof value === 'bigint' ? 0 : value)),
  ).not.toContain('4111');
  expect(result.flushes[0]?.state?.turns?.[0]?.words).toEqual([
    { who: 'user', text: REDACTED, at: 1 },
  ]);
  const broken = spanOf('a2', { attributes: { [ATTR.turnState]: `{"words":"${SECRET}` } });
  expect(redacted(['transcripts'], broken).attributes[ATTR.turnState]).toBe(REDACTED);
});

test('transcripts: words that a turn says more of are taken out of what changed', () => {
  const at = domainNs(5);
  const set = {
    words: { 1: { who: 'user', text: 'secret', at }, 2: { text: 'secret too' }, 3: { cut: true } },
    outcome: 'completed',
  };
  const changes = [{ tick: tick(0), stream: 'mic', base: 1, rev: 2, set }];
  const list = [{ ...changes[0]!, set: { words: [{ who: 'user', text: 'secret', at }] } }];
  const flushes = [changes, list].map((told, i) =>
    flushOf('call', i + 1, { state: { v: 2, changes: told } }),
  );
  const result = new Redactor(['transcripts']).redact({ spans: [], flushes, refused: [] });
  expect(JSON.stringify(result.flushes.map(({ state }) => state))).not.toContain('secret');
  expect(result.flushes[0]?.state?.changes?.[0]?.set).toEqual({
    words: { 1: { who: 'user', text: REDACTED, at }, 2: { text: REDACTED }, 3: { cut: true } },
    outcome: 'completed',
  });
});

test('transcripts: a log record loses its text, which is its name too', () => {
  const record = spanOf('a1', {
    name: SECRET,
    attributes: { [ATTR.log]: 'info', [ATTR.logBody]: SECRET },
  });
  expect(redacted(['transcripts'], record)).toMatchObject({
    name: 'log',
    attributes: { [ATTR.log]: 'info', [ATTR.logBody]: REDACTED },
  });
});

test('a name is taken whole, a star stands for anything, a dot for itself', () => {
  const attributes = { card: 1, cards: 2, 'customer.name': 3, 'customer.a.b': 4, customerXname: 5 };
  expect(redacted(['card', 'customer.*'], spanOf('a1', { attributes })).attributes).toEqual({
    card: REDACTED,
    cards: 2,
    'customer.name': REDACTED,
    'customer.a.b': REDACTED,
    customerXname: 5,
  });
});
