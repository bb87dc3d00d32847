// Jaeger's JSON (a trace saved in its UI, or an answer of its API) as an OTLP request.

import {
  decoded,
  rejected,
  type AttributeValue,
  type Attributes,
  type Decoded,
  type SpanId,
  type TraceId,
} from '@framescope/protocol';
import type { DecodedSpan } from '../decode/types.ts';
import { SPAN_KINDS } from '../jaeger/jaeger-trace.ts';
import { otlpRequest, type OtlpRequest } from './otlp.ts';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** True for `{"data": [{"traceID": …, "spans": […]}]}`, or one such trace. */
export const isJaegerJson = (json: unknown): boolean =>
  isObject(json) &&
  (Array.isArray(json['data']) || (Array.isArray(json['spans']) && 'processes' in json));

export function otlpOfJaeger(json: unknown): Decoded<OtlpRequest> {
  const traces =
    isObject(json) && Array.isArray(json['data']) ? (json['data'] as unknown[]) : [json];
  const spans: DecodedSpan[] = [];
  for (const [i, trace] of traces.entries()) {
    if (!isObject(trace) || !Array.isArray(trace['spans']))
      return rejected(`data[${i}]`, 'no trace: it has no list of spans');
    const processes = isObject(trace['processes']) ? trace['processes'] : {};
    for (const [j, raw] of (trace['spans'] as unknown[]).entries()) {
      const span = spanOf(raw, processes);
      if (typeof span === 'string') return rejected(`data[${i}].spans[${j}]`, span);
      spans.push(span);
    }
  }
  return decoded(otlpRequest(spans));
}

/** The span, or what is wrong with it. */
function spanOf(raw: unknown, processes: Json): DecodedSpan | string {
  if (!isObject(raw)) return 'expected an object';
  const traceId = idOf(raw['traceID'], 32);
  const spanId = idOf(raw['spanID'], 16);
  if (traceId === undefined) return 'traceID is not 1 to 32 hex digits';
  if (spanId === undefined) return 'spanID is not 1 to 16 hex digits';
  const { startTime, duration } = raw;
  if (!isMicros(startTime) || !isMicros(duration))
    return 'startTime and duration must be whole microseconds';
  const startUnixNs = BigInt(startTime) * 1_000n;
  const process = raw['process'] ?? processes[String(raw['processID'])];
  const parent = parentOf(raw, traceId);
  return {
    traceId: traceId as TraceId,
    spanId: spanId as SpanId,
    ...(parent !== undefined && { parentSpanId: parent as SpanId }),
    name: String(raw['operationName'] ?? ''),
    startUnixNs,
    endUnixNs: startUnixNs + BigInt(duration) * 1_000n,
    ...ofTags(tagsOf(raw['tags'])),
    events: listOf(raw['logs']).map(log => {
      const { event, ...attributes } = tagsOf(log['fields']);
      return {
        name: typeof event === 'string' ? event : '',
        atUnixNs: BigInt(isMicros(log['timestamp']) ? log['timestamp'] : startTime) * 1_000n,
        attributes,
      };
    }),
    links: listOf(raw['references'])
      .filter(one => one['refType'] === 'FOLLOWS_FROM')
      .flatMap(one => {
        const [trace, its] = [idOf(one['traceID'], 32), idOf(one['spanID'], 16)];
        return trace && its ? [{ traceId: trace, spanId: its, attributes: {} }] : [];
      }),
    resource: { attributes: resourceOf(process) },
  };
}

const isMicros = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

function idOf(value: unknown, length: number): string | undefined {
  return typeof value === 'string' && new RegExp(`^[0-9a-f]{1,${length}}$`, 'i').test(value)
    ? value.toLowerCase().padStart(length, '0')
    : undefined;
}

const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : []);

function parentOf(span: Json, traceId: string): string | undefined {
  const parent = listOf(span['references']).find(
    one => one['refType'] === 'CHILD_OF' && idOf(one['traceID'], 32) === traceId,
  );
  return idOf(parent?.['spanID'] ?? span['parentSpanID'], 16);
}

function tagsOf(value: unknown): Record<string, AttributeValue> {
  return Object.fromEntries(listOf(value).map(tag => [String(tag['key']), tagValue(tag['value'])]));
}

const tagValue = (value: unknown): AttributeValue =>
  typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number'
    ? value
    : JSON.stringify(value ?? null);

/** What Jaeger put among the tags goes back to where OTLP has it. */
function ofTags(
  tags: Record<string, AttributeValue>,
): Pick<
  DecodedSpan,
  'attributes' | 'kind' | 'scope' | 'scopeVersion' | 'statusCode' | 'statusMessage'
> {
  const {
    'span.kind': kind,
    'otel.scope.name': scope,
    'otel.scope.version': version,
    'otel.status_code': status,
    'otel.status_description': message,
    error,
    ...attributes
  } = tags;
  const isError = status === 'ERROR' || error === true || error === 'true';
  return {
    attributes,
    kind: Math.max(0, SPAN_KINDS.indexOf(String(kind ?? ''))),
    scope: typeof scope === 'string' ? scope : '',
    ...(typeof version === 'string' && { scopeVersion: version }),
    statusCode: isError ? 2 : status === 'OK' ? 1 : 0,
    statusMessage: typeof message === 'string' ? message : '',
  };
}

function resourceOf(process: unknown): Attributes {
  if (!isObject(process)) return {};
  const name = process['serviceName'];
  return {
    ...tagsOf(process['tags']),
    ...(typeof name === 'string' && name !== '' && { 'service.name': name }),
  };
}
