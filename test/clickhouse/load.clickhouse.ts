// Spans under load, on two and on three collectors of which one is killed each few seconds: what was
// acknowledged is there, once, and no turn of a call is there twice.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bodyOf, spanJson } from '../../packages/collector/test/support/otlp-bodies.ts';
import { Client } from '../../packages/collector/src/store/clickhouse/client.ts';
import {
  ApiClient,
  collectorTimeOf,
  scenarioOf,
  settledAnswers,
  simulate,
  turnOf,
} from '../../packages/testkit/out/index.js';
import { deal, randomOf } from './dealing.ts';
import { Fleet } from './fleet.ts';
import { ClickHouse, settingsOf } from './server.ts';

const SENDERS = 4;
const SPANS_A_BODY = 25;
const TRACES = 5;
const KILL_EVERY_MS = 3_000;
const KILLS = 4;

let server: ClickHouse;
beforeAll(async () => {
  server = await ClickHouse.start();
});
afterAll(() => server.stop());

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** Bodies of one sender: spans of a few traces, of which every other names a call of its own. */
function bodyAt(sender: number, at: number): { readonly ids: string[]; readonly body: Uint8Array } {
  const spans = Array.from({ length: SPANS_A_BODY }, (_, i) => {
    const trace = i % TRACES;
    const traceId = hex(sender + 1, 8) + hex(at + 1, 8) + hex(trace + 1, 16);
    const spanId = hex(sender + 1, 4) + hex(at + 1, 6) + hex(i + 1, 6);
    const call = { key: 'session.id', value: { stringValue: `load ${sender} ${at % 3}` } };
    return spanJson({
      traceId,
      spanId,
      parentSpanId: undefined,
      attributes: trace % 2 === 0 && i < TRACES ? [call] : [],
    });
  });
  return {
    ids: spans.map(span => `${String(span['traceId'])} ${String(span['spanId'])}`),
    body: bodyOf(...spans),
  };
}

test.each([2, 3])(
  'of %i collectors one is killed each 3 s under load: each acknowledged span is there once, each turn too',
  async count => {
    const storeUrl = server.storeUrl();
    const fleet = await Fleet.start(storeUrl, count);
    const client = new Client(settingsOf(storeUrl));
    onTestFinished(() => client.close());
    const state = { isOver: false };
    const acknowledged: string[] = [];
    const send = async (sender: number): Promise<void> => {
      const random = randomOf(sender);
      for (let at = 0; !state.isOver; at++) {
        const { ids, body } = bodyAt(sender, at);
        const headers = { 'content-type': 'application/json' };
        await deal(fleet, { path: '/v1/traces', headers, body }, random);
        acknowledged.push(...ids);
      }
    };
    const startUnixMs = Date.now() - 60_000;
    const scenario = scenarioOf({
      id: `under load ${count}`,
      startUnixMs,
      turns: [turnOf(), turnOf(), turnOf()],
    });
    const collector = await collectorTimeOf(new ApiClient(fleet.urls[0]!), startUnixMs);
    const { truth, bodies } = await simulate(scenario, { collector });
    const call = async (): Promise<void> => {
      const random = randomOf(99);
      for (const body of bodies) await deal(fleet, body, random);
    };
    const sending = Array.from({ length: SENDERS }, (_, sender) => send(sender));
    const calling = call();
    for (let i = 0; i < KILLS; i++) {
      await sleep(KILL_EVERY_MS);
      await fleet.killOne(i);
    }
    state.isOver = true;
    await Promise.all([...sending, calling]);
    expect(fleet.killCount).toBe(KILLS);
    expect(acknowledged.length).toBeGreaterThan(KILLS * SPANS_A_BODY);

    const stored = await client.rows<{ id: string; n: number }>(
      `SELECT concat(TraceId, ' ', SpanId) AS id, toUInt32(count()) AS n FROM ${client.spans}
       WHERE startsWith(TraceId, '0000000') GROUP BY id`,
    );
    const known = new Set(stored.map(one => one.id));
    expect(acknowledged.filter(id => !known.has(id))).toEqual([]);
    // A body that was stored and not acknowledged is known when it comes again: nothing is written twice.
    expect(stored.filter(one => one.n > 1)).toEqual([]);
    for (const url of fleet.urls) {
      const answers = await settledAnswers(new ApiClient(url), scenario.id);
      const ticks = answers.turns.map(one => one.tick);
      expect(ticks).toEqual([...new Set(ticks)]);
      expect(ticks.length).toBe(truth.turns.length);
    }
  },
);
