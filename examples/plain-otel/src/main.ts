// A voice agent's turn, traced with OpenTelemetry alone: no package of Framescope.
//
// Two things matter. The exporter points to the collector; and each span carries
// `session.id`, which makes the spans of one call a session.

import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const sessionId = process.env['SESSION_ID'] ?? `plain-otel-${Date.now()}`;
const endpoint = process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? 'http://127.0.0.1:4318';

const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'my-voice-agent' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }))],
});
const tracer = provider.getTracer('my-voice-agent');

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** One stage of the turn; here it only takes time. */
async function stage(name: string, ms: number, attributes: Record<string, string>): Promise<void> {
  const span = tracer.startSpan(
    name,
    { attributes: { 'session.id': sessionId, ...attributes } },
    turnContext,
  );
  await pause(ms);
  span.end();
}

const turn = tracer.startSpan('turn', { attributes: { 'session.id': sessionId } });
const turnContext = trace.setSpan(context.active(), turn);
await stage('stt', 60, { 'gen_ai.request.model': 'some-recogniser' });
await stage('llm', 120, { 'gen_ai.request.model': 'some-model' });
await stage('tts', 80, { 'gen_ai.request.model': 'some-voice' });
turn.setStatus({ code: SpanStatusCode.OK });
turn.end();

await provider.shutdown();
console.log(`Sent. Session ${sessionId}, trace ${turn.spanContext().traceId}: see ${endpoint}`);
