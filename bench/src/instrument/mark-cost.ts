// One mark against one OpenTelemetry span, each with its share of encoding and
// export; and one mark against a bare read of the clock. Both sides in one
// process, in turn, to one stub server in a process of its own; what is
// compared is CPU time of the whole process (collector of garbage and sockets
// included), so that neighbours on the machine count less than on a clock.
//
// The OpenTelemetry side is tuned as its documents advise for load: protobuf,
// a batch of 2,048 (four times the default), a queue that holds a round, keep
// alive, no compression; a context that is not looked up.

import { Framescope, systemClock } from '@framescope/instrument';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { median, startStubServer } from './child.ts';
import { FRAMES_PER_S, jitteredSchedule, markFrame, MARKS_PER_S, startCalls } from './load.ts';
import { recordedClock } from './recorded-clock.ts';

const CALLS = 100;
const SPANS_A_ROUND = 6_000;

export interface MarkCost {
  readonly markNs: number;
  readonly spanNs: number;
  /** Median over the rounds of the ratio within one round. */
  readonly ratio: number;
}

interface Side {
  /** Does its work and returns CPU ns for one of it. */
  round(): Promise<number>;
  stop(): Promise<void>;
}

export async function markAgainstSpan(rounds: number): Promise<MarkCost> {
  const server = await startStubServer();
  const [marks, spans] = [markSide(server.url), spanSide(server.url)];
  const costs: { mark: number; span: number }[] = [];
  // The first rounds warm both sides up.
  for (let i = -3; i < rounds; i++) {
    const cost = { mark: await marks.round(), span: await spans.round() };
    if (i >= 0) costs.push(cost);
  }
  await Promise.all([marks.stop(), spans.stop()]);
  server.stop();
  return {
    markNs: median(costs.map(cost => cost.mark)),
    spanNs: median(costs.map(cost => cost.span)),
    ratio: median(costs.map(cost => cost.span / cost.mark)),
  };
}

/** CPU ns of this process while `work` runs. */
async function cpuNsOf(work: () => Promise<void>): Promise<number> {
  globalThis.gc?.();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1_000;
}

/** A second of a hundred calls, then the flush that follows it, acknowledged. */
function markSide(url: string): Side {
  const clock = recordedClock(systemClock(), jitteredSchedule(20));
  const scope = new Framescope({
    serviceName: 'bench',
    endpoint: url,
    tracerProvider: false,
    clock,
    flushMs: 60_000,
  });
  const calls = startCalls(scope, CALLS);
  const work = async (): Promise<void> => {
    for (let frame = 0; frame < FRAMES_PER_S; frame++) for (const call of calls) markFrame(call);
    await scope.flush();
  };
  return {
    round: async () => (await cpuNsOf(work)) / (CALLS * MARKS_PER_S),
    stop: () => scope.shutdown(),
  };
}

function spanSide(url: string): Side {
  const processor = new BatchSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces` }), {
    maxQueueSize: 2 * SPANS_A_ROUND,
    maxExportBatchSize: 2_048,
    scheduledDelayMillis: 1_000,
  });
  const resource = resourceFromAttributes({ 'service.name': 'bench' });
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  const tracer = provider.getTracer('bench');
  const work = async (): Promise<void> => {
    for (let i = 0; i < SPANS_A_ROUND; i++) {
      const attributes = { 'session.id': 'call-1', 'media.tick': i * 320, 'media.samples': 320 };
      tracer.startSpan('receive', { attributes }, ROOT_CONTEXT).end();
    }
    await provider.forceFlush();
  };
  return {
    round: async () => (await cpuNsOf(work)) / SPANS_A_ROUND,
    stop: () => provider.shutdown(),
  };
}

export interface ClockCost {
  readonly markNs: number;
  readonly readNs: number;
  readonly ratio: number;
}

const MARKS_A_RING = 4_000;

/** A mark against `hrtime.bigint()` stored into a typed array: the barest read that keeps its result. */
export async function markAgainstClock(rounds: number): Promise<ClockCost> {
  const none = { after: () => ({ cancel: () => undefined }) };
  const http = (): Promise<never> => new Promise(() => undefined);
  const scope = new Framescope({ serviceName: 'bench', tracerProvider: false, timers: none, http });
  const times = new BigUint64Array(4_096);
  const costs: { mark: number; read: number }[] = [];
  for (let round = -40; round < rounds; round++) {
    const session = scope.startSession({ id: `clock-${round}` });
    const hop = session.stream('mic').hop('receive');
    const read = nsEach(() => {
      for (let i = 0; i < MARKS_A_RING; i++) times[i & 4_095] = process.hrtime.bigint();
    });
    const mark = nsEach(() => {
      for (let i = 0; i < MARKS_A_RING; i++) hop.mark(320);
    });
    if (round >= 0) costs.push({ mark, read });
    void session.end();
  }
  return {
    markNs: median(costs.map(cost => cost.mark)),
    readNs: median(costs.map(cost => cost.read)),
    ratio: median(costs.map(cost => cost.mark / cost.read)),
  };
}

function nsEach(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / MARKS_A_RING;
}
