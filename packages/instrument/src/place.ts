// Who this process is, and where it sends: out of what users hand to a scope and
// of the environment. Asked when there is something to send.

import { attributesOf, nameOf } from './coerce.ts';
import type { FramescopeOptions } from './options.ts';
import type { TracerProviderOption } from './otel/make-span-sink.ts';
import type { Http, Platform } from './ports.ts';
import type { Problems } from './problems.ts';

/** Who this process is, and where it sends. */
export interface Place {
  readonly resource: Record<string, string | number | boolean>;
  readonly headers: Readonly<Record<string, string>>;
  /** Base URL of the collector. */
  readonly url: string;
  readonly tracesUrl: string;
}

export function placeOf(
  given: Partial<FramescopeOptions>,
  platform: Platform,
  problems: Problems,
): Place {
  const url = urlOf(given.endpoint, platform.endpoint, problems);
  const own = attributesOf(resourceIn(given.resource), 'resource', problems);
  const named = given.serviceName ?? platform.resource['service.name'];
  const service = nameOf(named, 'unknown_service', 'serviceName', problems);
  const isElsewhere = given.endpoint === undefined && platform.tracesUrl !== undefined;
  return {
    resource: { ...platform.resource, 'service.name': service, ...own },
    headers: { ...platform.headers, ...headersOf(given.headers) },
    url,
    tracesUrl: isElsewhere ? platform.tracesUrl! : `${url}/v1/traces`,
  };
}

/** Attributes, also of an OpenTelemetry Resource. */
function resourceIn(resource: unknown): unknown {
  if (typeof resource !== 'object' || resource === null) return resource;
  const attributes: unknown = Reflect.get(resource, 'attributes');
  return typeof attributes === 'object' && attributes !== null ? attributes : resource;
}

/** `OTEL_SDK_DISABLED` sends nothing, spans for frames nothing of ours; a time limit of the environment holds for what is exported. */
export function httpOf(given: Partial<FramescopeOptions>, platform: Platform): Http {
  const { isDisabled, timeoutMs } = platform;
  if (isDisabled === true || given.frames === 'spans')
    return () => Promise.resolve({ status: 200, body: new Uint8Array() });
  const http = functionOr(given.http, platform.http);
  if (timeoutMs === undefined) return http;
  return request => http(request.method === 'POST' ? { ...request, timeoutMs } : request);
}

/** The user's provider; else none where the environment asks for none. */
export function providerOf(
  given: Partial<FramescopeOptions>,
  { isDisabled, hasSpans }: Platform,
): TracerProviderOption | undefined {
  const isOff = isDisabled === true || hasSpans === false;
  return given.tracerProvider ?? (isOff ? false : undefined);
}

function urlOf(given: unknown, otherwise: string, problems: Problems): string {
  if (given === undefined) return otherwise;
  if (typeof given === 'string' && /^https?:\/\/[^\s]+$/.test(given))
    return given.replace(/\/+$/, '');
  problems.report(
    'bad_argument',
    `endpoint: a URL such as http://127.0.0.1:4318; ${otherwise} is used`,
  );
  return otherwise;
}

function headersOf(given: unknown): Readonly<Record<string, string>> {
  if (typeof given !== 'object' || given === null) return {};
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(given))
    if (typeof value === 'string') out[name.toLowerCase()] = value;
  return out;
}

export const functionOr = <T>(value: T | undefined, otherwise: T): T =>
  typeof value === 'function' ? value : otherwise;
