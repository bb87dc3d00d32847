// What `frames: 'spans'` costs beside records: CPU and bytes a mark, everything
// but the network. Prints; fails nothing.
//
//   npx tsc -b packages/instrument && node packages/instrument/gates/frames-as-spans.mjs

import { Framescope } from '@framescope/instrument';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const MARKS = 3_000;

/** CPU µs a mark, of the last of three flushes; `bytes` of what would travel. */
async function costOf(frames, serializer) {
  let byteCount = 0;
  let spanCount = 0;
  const exporter = {
    export: (spans, done) => {
      spanCount += spans.length;
      byteCount += serializer.serializeRequest(spans).length;
      done({ code: 0 });
    },
    shutdown: async () => undefined,
    forceFlush: async () => undefined,
  };
  const processor = new BatchSpanProcessor(exporter, { maxQueueSize: 100_000 });
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [processor] });
  const http = async ({ body }) => {
    byteCount += body?.length ?? 0;
    return { status: 200, body: new Uint8Array() };
  };
  const scope = new Framescope({
    serviceName: 'gate',
    frames,
    tracerProvider,
    http,
    flushMs: 60_000,
  });
  const call = scope.startSession({ id: 'a call' });
  const hop = call.stream('mic').hop('receive');
  call.startTurn({ at: 0 });
  let us = 0;
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < MARKS; i++) hop.mark(320);
    const before = process.cpuUsage();
    await scope.flush();
    const { user, system } = process.cpuUsage(before);
    us = (user + system) / MARKS;
  }
  await scope.shutdown();
  const count = frames === 'spans' ? spanCount : 3 * MARKS;
  return `${us.toFixed(2)} µs, ${(byteCount / count).toFixed(0)} B`;
}

process.stdout.write(`spans, protobuf  ${await costOf('spans', ProtobufTraceSerializer)}\n`);
process.stdout.write(`spans, JSON      ${await costOf('spans', JsonTraceSerializer)}\n`);
process.stdout.write(`records          ${await costOf('records', ProtobufTraceSerializer)}\n`);
