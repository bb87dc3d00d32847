// A user's tracer provider in virtual time: the real OpenTelemetry SDK, whose
// finished spans leave as OTLP bodies when they end. IDs come from the seed, so
// that the same call run twice is the same bytes.

import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { sequence } from './random.ts';
import { type PartyName } from './scenario.ts';
import { type World } from './virtual-host.ts';

/** A code of the SDK's `ExportResult`: stored. */
const SUCCESS = 0;

export class SpanRecorder {
  readonly provider: BasicTracerProvider;

  constructor(world: World, host: PartyName, resource: Readonly<Record<string, string>>) {
    const random = sequence(world.seed, `span ids ${host}`);
    const hex = (digits: number): string =>
      Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
    this.provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ ...resource }),
      sampler: new AlwaysOnSampler(),
      idGenerator: { generateTraceId: () => hex(32), generateSpanId: () => hex(16) },
      spanProcessors: [new SimpleSpanProcessor(exporterOf(world, host))],
    });
  }
}

const exporterOf = (world: World, host: PartyName): SpanExporter => ({
  export: (spans: ReadableSpan[], done) => {
    const body = ProtobufTraceSerializer.serializeRequest(spans);
    if (body !== undefined)
      world.send({
        host,
        atNs: world.time.nowNs,
        path: '/v1/traces',
        headers: { 'content-type': 'application/x-protobuf' },
        body,
      });
    done({ code: SUCCESS });
  },
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
});
