// OpenTelemetry SDKs of three languages and the Collector's load generator send to us.

import { beforeAll, expect, test } from 'vitest';
import { Framescope, runProgram } from './peers.ts';
import { install } from './install.mjs';

beforeAll(() => install(), 1_200_000);

interface Trace {
  readonly sessionId: string | null;
  readonly durationNs: number;
  readonly spans: readonly {
    readonly spanId: string;
    readonly parentSpanId: string | null;
    readonly name: string;
    readonly service: string;
    readonly kind: number;
    readonly startNs: number;
    readonly durationNs: number;
    readonly status: { readonly code: number; readonly message: string };
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly events: readonly { readonly name: string; readonly atNs: number }[];
  }[];
}

const MS = 1_000_000;

test.each([
  ['javascript', 'http'],
  ['javascript', 'json'],
  ['javascript', 'grpc'],
  ['python', 'http'],
  ['python', 'grpc'],
  ['go', 'http'],
  ['go', 'grpc'],
])('the SDK for %s over %s: its spans are there, whole', async (language, over) => {
  const framescope = await Framescope.start();
  const port = over === 'grpc' ? framescope.grpcPort : new URL(framescope.url).port;
  const traceId = await runProgram(language, [over, `127.0.0.1:${port}`]);
  const trace = (await framescope.get(`/api/v1/traces/${traceId}`)) as Trace;
  const ids = new Map(trace.spans.map(span => [span.spanId, span.name]));
  expect(trace.sessionId).toBe(`interop ${language} ${over}`);
  expect(
    trace.spans.map(span => ({
      name: span.name,
      under: span.parentSpanId && ids.get(span.parentSpanId),
      fromMs: span.startNs / MS,
      lastsMs: span.durationNs / MS,
      service: span.service,
      events: span.events.map(event => `${event.name} ${event.atNs / MS}`),
    })),
  ).toEqual(
    [
      { name: 'turn', under: null, fromMs: 0, lastsMs: 400, events: [] },
      { name: 'llm', under: 'turn', fromMs: 10, lastsMs: 200, events: ['first_token 110'] },
      { name: 'tts', under: 'turn', fromMs: 220, lastsMs: 100, events: [] },
    ].map(span => ({ ...span, service: `interop-${language}` })),
  );
  const [turn, llm] = trace.spans;
  expect(turn?.attributes['turn.number']).toBe(3);
  // OTLP's numbers: kind 3 is a client, status 2 an error.
  expect([llm?.kind, llm?.status]).toEqual([3, { code: 2, message: 'cut off' }]);
  expect(llm?.attributes).toMatchObject({ temperature: 0.5, words: ['a', 'b'] });
});

const COUNT = 200;

/** From each of two runs. A trace of it has two spans; its logs name no trace, its metric is a gauge. */
const TOTALS: Readonly<Record<string, string>> = {
  traces: `^framescope_collector_spans_total ${4 * COUNT}$`,
  logs: `not_kept_total\\{kind="log_without_context"\\} ${2 * COUNT}$`,
  metrics: `not_kept_total\\{kind="metric_gauge"\\} ${2 * COUNT}$`,
};

test.each(['traces', 'logs', 'metrics'])(
  'telemetrygen %s: all of it is taken, over HTTP and gRPC',
  async signal => {
    const framescope = await Framescope.start();
    const http = `127.0.0.1:${new URL(framescope.url).port}`;
    const shared = [
      signal,
      '--otlp-insecure',
      '--rate',
      '0',
      '--workers',
      '2',
      `--${signal}`,
      String(COUNT / 2),
    ];
    await runProgram('telemetrygen', [...shared, '--otlp-http', '--otlp-endpoint', http]);
    await runProgram('telemetrygen', [
      ...shared,
      '--otlp-endpoint',
      `127.0.0.1:${framescope.grpcPort}`,
    ]);
    const metrics = async (): Promise<string> => (await fetch(`${framescope.url}/metrics`)).text();
    const total = new RegExp(TOTALS[signal] ?? '', 'm');
    await expect.poll(metrics, { timeout: 5_000 }).toMatch(total);
    expect(await metrics()).not.toMatch(/^framescope_collector_refused\w+\{/m);
    expect(await metrics()).toMatch(/requests_total\{.*"200".*\} \d+/);
    expect(await metrics()).toMatch(/requests_total\{.*"OK".*\} \d+/);
  },
);
