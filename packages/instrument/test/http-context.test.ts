import { context, propagation, trace, type TextMapPropagator } from '@opentelemetry/api';
import { sessionStartSpanId } from '@framescope/protocol';
import { contextHeaders, followContext, readContext } from '@framescope/instrument/http';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { World } from './support/world.ts';

afterEach(() => {
  propagation.disable();
  context.disable();
});

test('a request of no turn is in the session’s trace', () => {
  const call = new World().scope().startSession({ id: 'call' });
  expect(contextHeaders(call)).toEqual({
    traceparent: `00-${call.traceId}-${sessionStartSpanId(call.traceId)}-01`,
    baggage: 'session.id=call',
  });
});

test('the propagator that the user registered is used, and its baggage is kept', () => {
  const theirs: TextMapPropagator = {
    inject: (from, carrier, setter) => {
      const span = trace.getSpanContext(from);
      setter.set(carrier, 'b3', `${span?.traceId}-${span?.spanId}-1`);
      setter.set(carrier, 'baggage', 'tenant=7');
    },
    extract: (from, carrier, getter) => {
      const [traceId = '', spanId = ''] = String(getter.get(carrier, 'b3')).split('-');
      return trace.setSpanContext(from, { traceId, spanId, traceFlags: 1, isRemote: true });
    },
    fields: () => ['b3', 'baggage'],
  };
  propagation.setGlobalPropagator(theirs);
  const call = new World().scope().startSession({ id: 'call' });
  const turn = call.startTurn();
  const headers = contextHeaders(call, { of: turn });
  expect(headers).toEqual({
    b3: `${turn.traceId}-${turn.spanId}-1`,
    baggage: 'tenant=7,session.id=call',
  });
  expect(readContext(headers)).toMatchObject({
    sessionId: 'call',
    parent: { traceId: turn.traceId, spanId: turn.spanId },
  });
});

test('a propagator that throws costs the trace, not the session', () => {
  propagation.setGlobalPropagator({
    inject: () => {
      throw new Error('theirs');
    },
    extract: () => {
      throw new Error('theirs');
    },
    fields: () => [],
  });
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  expect(contextHeaders(call)).toEqual({ baggage: 'session.id=call' });
  expect(world.codes()).toEqual(['propagator_threw']);
});

test('an anchor of another session is told and not followed', () => {
  const world = new World();
  const scope = world.scope();
  const [one, other] = ['one', 'other'].map(id => scope.startSession({ id }));
  const headers = contextHeaders(one!, { stream: one!.stream('mic'), tick: 160 });
  expect(followContext(other!, readContext(headers))).toBeUndefined();
  expect(world.codes()).toEqual(['foreign_anchor']);
  expect(followContext(one!, readContext(headers))?.name).toBe('mic');
});

test('any session ID up to what a header holds comes over, and longer ones are told', () => {
  const world = new World();
  const scope = world.scope();
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), id => {
      const call = scope.startSession({ id });
      expect(readContext(contextHeaders(call)).sessionId).toBe(id);
    }),
    { numRuns: 200 },
  );
  expect(
    readContext(contextHeaders(scope.startSession({ id: 'x'.repeat(4_096) }))).sessionId,
  ).toHaveLength(4_096);
  expect(world.codes()).not.toContain('session_id_too_long');
  expect(contextHeaders(scope.startSession({ id: 'x'.repeat(4_097) }))['baggage']).toBeUndefined();
  expect(world.codes()).toContain('session_id_too_long');
});

test('foreign headers of any kind are read without an exception', () => {
  const call = new World().scope().startSession({ id: 'call' });
  const value = fc.oneof(fc.string(), fc.anything(), fc.constant('00-0-0-00'));
  const headers = fc.oneof(
    fc.anything(),
    fc.record({ traceparent: value, baggage: value, 'framescope-anchor': value, get: value }),
  );
  fc.assert(
    fc.property(headers, fc.anything(), (given, options) => {
      followContext(call, readContext(given as object));
      followContext(call, given as never);
      contextHeaders(call, options as never);
    }),
    { numRuns: 2_000 },
  );
  expect(readContext(new Headers({ baggage: 'a=1, session.id=x%20y;p=1' })).sessionId).toBe('x y');
});

test('without a session, or with an odd one, nothing goes along and nothing is followed', () => {
  for (const session of [undefined, null, 7, {}]) {
    expect(contextHeaders(session as never)).toEqual({});
    expect(followContext(session as never, readContext({}))).toBeUndefined();
  }
});
