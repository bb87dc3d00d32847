// `OTEL_*` variables mean here what they mean elsewhere. What is malformed is
// left out, as OpenTelemetry asks; what the program itself says wins.

import type { Attributes, SharedSettings } from '../../ports.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_ENDPOINT = 'http://127.0.0.1:4318';
const TRACES_PATH = '/v1/traces';
const TIMEOUT_MS_MAX = 600_000;
const RESOURCE_MAX = 64;

/**
 * Reads `OTEL_SDK_DISABLED`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_EXPORTER`
 * (`none`), and of `OTEL_EXPORTER_OTLP_…` and `OTEL_EXPORTER_OTLP_TRACES_…` `ENDPOINT`, `HEADERS`,
 * `TIMEOUT` (ms) and `PROTOCOL` (`http/json`; anything else is protobuf over HTTP).
 */
export function otelSettings(env: Environment): SharedSettings {
  const traces = (name: string): string | undefined =>
    valueOf(env, `OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? valueOf(env, `OTEL_EXPORTER_OTLP_${name}`);
  const timeoutMs = Number(traces('TIMEOUT') ?? Number.NaN);
  const hasTimeout = Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= TIMEOUT_MS_MAX;
  return {
    ...endpointsOf(env),
    headers: {
      ...headersOf(env['OTEL_EXPORTER_OTLP_HEADERS'] ?? ''),
      ...headersOf(env['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? ''),
    },
    encoding: traces('PROTOCOL') === 'http/json' ? 'json' : 'protobuf',
    resource: resourceOf(env),
    isDisabled: /^true$/i.test(valueOf(env, 'OTEL_SDK_DISABLED') ?? ''),
    hasSpans: valueOf(env, 'OTEL_TRACES_EXPORTER') !== 'none',
    ...(hasTimeout ? { timeoutMs } : {}),
  };
}

/** An empty variable counts as unset. */
function valueOf(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === '' ? undefined : value;
}

const urlIn = (value: string | undefined): string | undefined =>
  value !== undefined && /^https?:\/\/[^\s/]\S*$/.test(value) && URL.canParse(value)
    ? value.replace(/\/+$/, '')
    : undefined;

/** The endpoint of traces is used as it is; where it is the usual one, it says the base as well. */
function endpointsOf(env: Environment): Pick<SharedSettings, 'endpoint' | 'tracesUrl'> {
  const base = urlIn(valueOf(env, 'OTEL_EXPORTER_OTLP_ENDPOINT'));
  const traces = urlIn(valueOf(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'));
  if (traces === undefined) return { endpoint: base ?? DEFAULT_ENDPOINT };
  if (traces.endsWith(TRACES_PATH)) return { endpoint: traces.slice(0, -TRACES_PATH.length) };
  return { endpoint: base ?? new URL(traces).origin, tracesUrl: traces };
}

/** `service.name` of its own variable wins over the one among the attributes. */
function resourceOf(env: Environment): Attributes {
  const resource: Record<string, string> = {};
  for (const [name, value] of pairsOf(env['OTEL_RESOURCE_ATTRIBUTES'] ?? '').slice(0, RESOURCE_MAX))
    resource[name] = value;
  const service = valueOf(env, 'OTEL_SERVICE_NAME');
  return service === undefined ? resource : { ...resource, 'service.name': service };
}

function headersOf(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of pairsOf(text)) {
    const header = name.toLowerCase();
    if (/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(header)) headers[header] = value;
  }
  return headers;
}

/** `key=value,key=value`, percent-encoded, as W3C baggage without properties. */
function pairsOf(text: string): [name: string, value: string][] {
  return text.split(',').flatMap(pair => {
    const equals = pair.indexOf('=');
    const name = decoded(pair.slice(0, Math.max(0, equals)).trim());
    const isName = name !== '' && name !== '__proto__';
    return isName ? [[name, decoded(pair.slice(equals + 1).trim())] as [string, string]] : [];
  });
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
