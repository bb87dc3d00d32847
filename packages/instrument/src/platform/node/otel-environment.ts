// `OTEL_*` variables mean here what they mean elsewhere.

export interface SharedEndpoint {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly encoding: 'protobuf' | 'json';
}

const DEFAULT_ENDPOINT = 'http://127.0.0.1:4318';

/**
 * Reads `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS` and
 * `OTEL_EXPORTER_OTLP_PROTOCOL` (`http/json`; anything else is protobuf over HTTP). What is
 * malformed is left out.
 */
export function getSharedEndpoint(
  env: Readonly<Record<string, string | undefined>>,
): SharedEndpoint {
  const endpoint = env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  const isUrl = /^https?:\/\/\S+$/.test(endpoint);
  return {
    endpoint: isUrl ? endpoint.replace(/\/+$/, '') : DEFAULT_ENDPOINT,
    headers: headersOf(env['OTEL_EXPORTER_OTLP_HEADERS'] ?? ''),
    encoding: env['OTEL_EXPORTER_OTLP_PROTOCOL'] === 'http/json' ? 'json' : 'protobuf',
  };
}

/** `key=value,key=value`, percent-encoded, as W3C baggage without properties. */
function headersOf(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim().toLowerCase();
    if (equals <= 0 || !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) continue;
    headers[name] = decoded(pair.slice(equals + 1).trim());
  }
  return headers;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
