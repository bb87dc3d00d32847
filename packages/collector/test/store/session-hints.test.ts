// Which session a span belongs to where several keys name one: `session.id` always counts,
// what frameworks call their calls is a hint.

import { expect, onTestFinished, test } from 'vitest';
import { sessionOf } from '../../src/decode/session-keys.ts';
import type { DecodedSpan } from '../../src/decode/types.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { batchOf, spanOf, temporaryFolder } from '../support/spans.ts';

/** A span with what its attributes say of its session. */
const said = (name: string, attributes: DecodedSpan['attributes'] = {}): DecodedSpan => {
  const session = sessionOf(attributes, {});
  return spanOf(name, {
    attributes,
    ...(session && { sessionId: session.id, sessionRank: session.rank }),
  });
};

/** Session IDs by span, `a1 → call`, of batches that come one after the other. */
function sessionsOf(...batches: readonly (readonly DecodedSpan[])[]): Record<string, string> {
  const writer = new SqliteWriter({ folder: temporaryFolder(), maxBytes: 1e9 });
  onTestFinished(() => writer.close());
  const ids = new Map<string, string>();
  for (const spans of batches) {
    const { committed } = writer.commit(batchOf(spans));
    for (const { key, id } of committed.sessions) ids.set(key, id);
  }
  const found = new Map<string, string>();
  for (const [key, id] of ids)
    for (const span of writer.loadSession(key)?.spans ?? []) found.set(span.name, id);
  return Object.fromEntries([...found].toSorted());
}

/** Assembly is handed whole only what a recogniser wants. */
const PIPECAT = { scope: 'pipecat' };
const told = (name: string, attributes?: DecodedSpan['attributes']): DecodedSpan => ({
  ...said(name, attributes),
  ...PIPECAT,
});

test('an ID that a framework gives names a trace, and what came before it joins', () => {
  expect(
    sessionsOf([told('a1')], [told('a2', { 'conversation.id': 'call' })], [told('a3')]),
  ).toEqual({
    a1: 'call',
    a2: 'call',
    a3: 'call',
  });
});

test('a trace that was named keeps its session, whatever another key calls it', () => {
  expect(
    sessionsOf(
      [told('a1', { 'conversation.id': 'call' })],
      [told('a2', { 'lk.room_name': 'kitchen' }), told('a3', { 'lk.job_id': 'AJ_1' })],
    ),
  ).toEqual({ a1: 'call', a2: 'call', a3: 'call' });
});

test('a framework that goes on in a trace of ours is part of our session', () => {
  expect(
    sessionsOf(
      [told('a1', { 'session.id': 'ours' })],
      [told('a2', { 'conversation.id': 'theirs' })],
    ),
  ).toEqual({ a1: 'ours', a2: 'ours' });
});

test('two calls interleaved in one trace are split by their IDs', () => {
  expect(
    sessionsOf([
      told('a1', { 'conversation.id': 'one' }),
      told('a2', { 'conversation.id': 'two' }),
      told('a3', { 'conversation.id': 'one' }),
    ]),
  ).toEqual({ a1: 'one', a2: 'two', a3: 'one' });
});

test('of several keys in one batch the best names the trace, in whichever order they come', () => {
  const spans = [told('a1', { 'lk.job_id': 'AJ_1' }), told('a2', { 'conversation.id': 'call' })];
  expect(sessionsOf(spans)).toEqual({ a1: 'call', a2: 'call' });
  expect(sessionsOf(spans.toReversed())).toEqual({ a1: 'call', a2: 'call' });
});

test('the root of a Pipecat call comes last with a session.id of its own: one call, not two', () => {
  const root: DecodedSpan = {
    ...said('conversation', { 'conversation.id': 'call', 'session.id': 'mine' }),
    scope: 'pipecat.turn',
  };
  expect(sessionsOf([told('c1', { 'conversation.id': 'call' })], [root])).toEqual({
    c1: 'call',
    conversation: 'call',
  });
  // With all of it in one batch the better key is there in time.
  expect(sessionsOf([told('c1', { 'conversation.id': 'call' }), root])).toEqual({
    c1: 'mine',
    conversation: 'mine',
  });
});

test.each([
  [{ 'session.id': "[Scrubbed due to 'session']", 'conversation.id': 'call' }, 'call'],
  [{ 'conversation.id': '' }, undefined],
  [{ 'conversation.id': 7 }, undefined],
  [{ 'conversation.id': 'x'.repeat(100_000) }, undefined],
  [{ 'session.id': 7, 'conversation.id': 'call' }, '7'],
])('an ID that is none is passed over (case %#)', (attributes, id) => {
  expect(sessionOf(attributes, {})?.id).toBe(id);
});
