// Three spans of a voice agent's turn, sent by the OpenTelemetry SDK for JavaScript, which stands in
// the folder of packages that the environment names.
//
//   sdk.mjs http|grpc|json host:port      prints the trace's ID

import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(String(process.env['INTEROP_PACKAGES']), 'index.js'));
const sdk = name => require(`@opentelemetry/${name}`);
const { context, trace, SpanKind, SpanStatusCode } = sdk('api');
const { resourceFromAttributes } = sdk('resources');
const { BasicTracerProvider, BatchSpanProcessor } = sdk('sdk-trace-base');

const [over = '', endpoint = ''] = process.argv.slice(2);
const name = { http: 'proto', json: 'http', grpc: 'grpc' }[over];
const { OTLPTraceExporter } = sdk(`exporter-trace-otlp-${name}`);
const url = over === 'grpc' ? `http://${endpoint}` : `http://${endpoint}/v1/traces`;
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'interop-javascript' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url, compression: 'gzip' }))],
});
const tracer = provider.getTracer('interop');
const beginMs = Date.now();
const at = ms => beginMs + ms;
const turn = tracer.startSpan('turn', {
  startTime: at(0),
  attributes: { 'session.id': `interop javascript ${over}`, 'turn.number': 3 },
});
const within = trace.setSpan(context.active(), turn);
const llm = tracer.startSpan(
  'llm',
  {
    startTime: at(10),
    kind: SpanKind.CLIENT,
    attributes: { temperature: 0.5, words: ['a', 'b'] },
  },
  within,
);
llm.addEvent('first_token', at(110));
llm.setStatus({ code: SpanStatusCode.ERROR, message: 'cut off' });
llm.end(at(210));
const tts = tracer.startSpan('tts', { startTime: at(220) }, within);
tts.end(at(320));
turn.end(at(400));
await provider.forceFlush();
await provider.shutdown();
console.log(turn.spanContext().traceId);
