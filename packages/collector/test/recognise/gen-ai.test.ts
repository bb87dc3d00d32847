// The conventions for generative AI with the voice proposals, as their texts have them: nothing
// that sends all of them exists yet. Logfire's spans beside them are those of its SDK.

import { expect, test } from 'vitest';
import type { StoredSpan } from '../../src/store/store.ts';
import { assembled } from '../support/captured.ts';
import { responsesOf } from '../support/pipecat-truth.ts';

const NOON = 1_790_000_000_000_000_000n;
const TRACE = 'ab'.repeat(16) as StoredSpan['traceId'];
let spanCount = 0;

interface Op {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly attributes?: StoredSpan['attributes'];
  readonly parent?: StoredSpan;
  readonly scope?: string;
}

function op({ name, fromMs, toMs, attributes = {}, parent, scope = 'my-agent' }: Op): StoredSpan {
  const spanId = (++spanCount).toString(16).padStart(16, '0') as StoredSpan['spanId'];
  return {
    traceId: TRACE,
    spanId,
    ...(parent && { parentSpanId: parent.spanId }),
    name,
    kind: 1,
    startUnixNs: NOON + BigInt(fromMs) * 1_000_000n,
    endUnixNs: NOON + BigInt(toMs) * 1_000_000n,
    statusCode: 0,
    statusMessage: '',
    attributes: { 'session.id': 'call', 'gen_ai.operation.name': name, ...attributes },
    events: [],
    links: [],
    scope,
    resource: { attributes: { 'service.name': 'agent' } },
    sessionId: 'call',
    sessionKey: '0000000000000',
    commit: 1,
    arrivalUnixNs: NOON,
  };
}

const FIRST = 'gen_ai.response.time_to_first_chunk';

function turn(more: Partial<Op> = {}): StoredSpan[] {
  const parent = op({ name: 'invoke_agent', fromMs: 0, toMs: 4_000, ...more });
  const of = (one: Omit<Op, 'parent'>): StoredSpan => op({ ...more, ...one, parent });
  return [
    parent,
    of({ name: 'user_speech', fromMs: 0, toMs: 1_000 }),
    of({ name: 'speech_to_text', fromMs: 0, toMs: 1_300 }),
    of({
      name: 'chat',
      fromMs: 1_320,
      toMs: 2_400,
      attributes: { [FIRST]: 0.4, 'gen_ai.request.model': 'm', 'gen_ai.usage.output_tokens': 12 },
    }),
    of({
      name: 'text_to_speech',
      fromMs: 1_900,
      toMs: 2_700,
      attributes: { [FIRST]: 0.15, 'gen_ai.speech.voice': 'v' },
    }),
  ];
}

test('an agent’s invocation is a turn; its operations are the parts of a wait that is at least so long', () => {
  const rows = assembled(turn());
  const [wait] = responsesOf(rows.turns);
  expect(rows.turns.length).toBe(1);
  expect(wait?.parts.map(part => [part.name, part.exposedNs / 1e6])).toEqual([
    ['uplink+endpointing+preparation', 20],
    ['inference', 400],
    ['aggregation', 180],
    ['synthesis', 150],
  ]);
  expect(wait?.notSeen[0]).toContain('at least so long');
  // Where speech ended these conventions do not say: no wait of theirs is charted.
  expect(rows.values).toEqual([]);
  expect(rows.turns[0]?.features).toMatchObject({
    'llm.model': 'm',
    'llm.output_tokens': 12,
    'tts.voice': 'v',
  });
  expect(rows.session.sources?.[0]?.name).toBe('gen_ai');
});

test('an agent that calls an agent is one turn', () => {
  const spans = turn();
  const inner = op({ name: 'invoke_agent', fromMs: 1_400, toMs: 2_000, parent: spans[0]! });
  expect(assembled([...spans, inner]).turns.length).toBe(1);
});

test('a first chunk that lies behind its own span is in another unit, and none', () => {
  const spans = turn().map(span => ({
    ...span,
    attributes: { ...span.attributes, ...(FIRST in span.attributes && { [FIRST]: 30 }) },
  }));
  const [wait] = responsesOf(assembled(spans).turns);
  expect(wait?.moments.map(moment => moment.name)).not.toContain('first_speakable');
});

test('operations without an invocation are no turns: nothing is invented', () => {
  const rows = assembled(turn().slice(1));
  expect(rows.turns).toEqual([]);
});

test('Logfire’s copies of spans that begin count for nothing', () => {
  const spans = turn({ scope: 'pydantic-ai' });
  const pending = spans.map(span => ({
    ...span,
    spanId: span.spanId.replace(/^0/, 'f') as StoredSpan['spanId'],
    name: `${span.name} (pending)`,
    attributes: { ...span.attributes, 'logfire.span_type': 'pending_span' },
    endUnixNs: span.startUnixNs,
  }));
  const rows = assembled([...pending, ...spans]);
  expect(rows.turns.length).toBe(1);
  expect(rows.turns[0]?.features?.['llm.calls']).toBe(1);
  expect(rows.session.sources?.[0]?.name).toBe('logfire');
});

test('Pydantic AI’s word for the first chunk: a tool between two requests is no inference', () => {
  const parent = op({ name: 'invoke_agent', fromMs: 0, toMs: 1_200, scope: 'pydantic-ai' });
  const chat = (fromMs: number, toMs: number, firstS: number, reason: string): StoredSpan => {
    const attributes = {
      'gen_ai.client.operation.time_to_first_chunk': firstS,
      'gen_ai.response.finish_reasons': [reason],
    };
    return op({ name: 'chat', fromMs, toMs, attributes, parent, scope: 'pydantic-ai' });
  };
  const spans = [
    parent,
    chat(0, 350, 0.3, 'tool_call'),
    op({ name: 'execute_tool', fromMs: 360, toMs: 560, parent, scope: 'pydantic-ai' }),
    chat(570, 1_100, 0.31, 'stop'),
  ];
  const [wait] = responsesOf(assembled(spans).turns);
  expect(wait?.parts.map(part => [part.name, part.exposedNs / 1e6])).toEqual([
    ['inference', 360],
    ['tool', 200],
    ['preparation', 10],
    ['inference', 310],
  ]);
});
