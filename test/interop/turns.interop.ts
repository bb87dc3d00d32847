// Turns of simulated calls, by our own instrumentation, as Jaeger shows them: the wait, its parts,
// the frames, and the frames that were worth a span; no records, no words.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { install } from './install.mjs';
import { Framescope, Jaeger, type JaegerSpan } from './peers.ts';

beforeAll(() => install(), 1_200_000);

const LOAD_DAY = fileURLToPath(new URL('../../packages/testkit/out/load-day.js', import.meta.url));

async function loadDay(url: string, turns: number): Promise<void> {
  const child = spawn(process.execPath, [LOAD_DAY, '--url', url, '--turns', String(turns)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
}

interface TraceJson {
  readonly spans: readonly JaegerSpan[];
}

const tagsOf = (span: JaegerSpan): Record<string, unknown> =>
  Object.fromEntries(span.tags.map(tag => [tag.key, tag.value]));

const isUnder = (span: JaegerSpan, root: JaegerSpan): boolean =>
  span.references.some(one => one.refType === 'CHILD_OF' && one.spanID === root.spanID);

test('a turn is found in Jaeger with its wait, parts that sum to it, its stages and its worst frames', async () => {
  const jaeger = await Jaeger.start();
  const url = `otlp+grpc://127.0.0.1:${jaeger.ports.grpc}?delay=3`;
  const framescope = await Framescope.start('--forward', url);
  await loadDay(framescope.url, 40);
  // Idle before it has looked for the first time is not done: something must have been handed on.
  const status = async (): Promise<unknown> => {
    const { items } = (await framescope.get('/api/v1/forward')) as {
      items: { sentSpans: number }[];
    };
    return { ...items[0], hasSent: items[0]!.sentSpans > 0 };
  };
  await expect
    .poll(status, { timeout: 60_000 })
    .toMatchObject({ state: 'idle', lagNs: 0, unreadCommits: 0, rejectedSpans: 0, hasSent: true });
  const services = (await jaeger.get('/api/services')) as { data: string[] };
  const traces: TraceJson[] = [];
  for (const service of services.data) {
    const query = `service=${service}&operation=turn&limit=200&lookback=custom&start=1&end=${Date.now()}999`;
    const found = (await jaeger.get(`/api/traces?${query}`)) as { data: TraceJson[] | null };
    traces.push(...(found.data ?? []));
  }
  const roots = traces.map(trace => ({
    trace,
    root: trace.spans.find(span => span.operationName === 'turn')!,
  }));
  expect(roots.length).toBeGreaterThanOrEqual(30);
  const answered = roots.filter(({ root }) => 'framescope.wait_ns' in tagsOf(root));
  expect(answered.length).toBeGreaterThanOrEqual(30);
  for (const { trace, root } of answered) {
    const tags = tagsOf(root);
    const parts = Object.entries(tags).filter(([key]) => /^framescope\.part\..*_ns$/.test(key));
    const sum = parts.reduce((total, [, ns]) => total + Number(ns), 0);
    expect(sum).toBe(tags['framescope.wait_ns']);
    expect(tags['framescope.wait.resolved']).toBeGreaterThan(0);
    expect(tags['framescope.turn.frames']).toBeGreaterThan(0);
    expect(tags).toHaveProperty(['framescope.clock.offset_ns']);
    expect(Object.keys(tags)).not.toContain('framescope.turn.state');
    expect(trace.spans.filter(span => isUnder(span, root)).length).toBeGreaterThan(1);
  }
  const all = traces.flatMap(trace => trace.spans);
  const frames = all.filter(span => span.operationName.startsWith('frame '));
  expect(frames.length).toBeGreaterThan(answered.length);
  expect(all.filter(span => span.operationName === 'audio.frames')).toEqual([]);
  expect(all.filter(span => 'framescope.record' in tagsOf(span))).toEqual([]);
  const ids = all.map(span => `${span.traceID} ${span.spanID}`);
  expect(new Set(ids).size).toBe(ids.length);
});
