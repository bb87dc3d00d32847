// What is asked through Jaeger's API, answered from the store in the shapes that Jaeger sends.

import type { DecodedSpan } from '../decode/types.ts';
import { otlpRequest } from '../files/otlp.ts';
import type { QueryContext } from '../query/queries.types.ts';
import { catalogueOf, type Operation } from './catalogue.ts';
import { jaegerTrace } from './jaeger-trace.ts';
import { dependencies, searchTraces, wholeSpans, type JaegerSearch } from './search.ts';

/** One trace after the other, as Jaeger streams them. */
const v3Result = (traces: readonly DecodedSpan[][]): object => ({
  result: { resourceSpans: traces.flatMap(spans => otlpRequest(spans).resourceSpans) },
});

type Version = 'legacy' | 'v3';

const listed = (data: readonly unknown[], total: number): object => ({
  data,
  total,
  limit: 0,
  offset: 0,
  errors: null,
});

export async function jaegerServices(
  { reader }: QueryContext,
  { version }: { readonly version: Version },
): Promise<object> {
  const services = await catalogueOf(reader).services();
  return version === 'v3' ? { services } : listed(services, services.length);
}

/** `names`: the older form, without kinds. */
export async function jaegerOperations(
  { reader }: QueryContext,
  asked: {
    readonly version: Version | 'names';
    readonly service: string;
    readonly spanKind?: string;
  },
): Promise<object> {
  const found = await catalogueOf(reader).operations(asked.service, asked.spanKind);
  if (asked.version === 'v3') return { operations: found };
  const data: readonly (Operation | string)[] =
    asked.version === 'names' ? [...new Set(found.map(one => one.name))] : found;
  return listed(data, data.length);
}

export async function jaegerSearch(
  { reader }: QueryContext,
  { version, search }: { readonly version: Version; readonly search: JaegerSearch },
): Promise<object | undefined> {
  const found = await searchTraces(reader, search);
  if (version === 'legacy') return listed(found.map(jaegerTrace), 0);
  return found.length === 0 ? undefined : v3Result(found);
}

/** Several: legacy search by IDs, those that are there. `undefined`: none is. */
export async function jaegerTraces(
  { reader }: QueryContext,
  { version, traceIds }: { readonly version: Version; readonly traceIds: readonly string[] },
): Promise<object | undefined> {
  const all = await Promise.all(traceIds.map(id => wholeSpans(reader, id)));
  const found = all.filter(spans => spans.length > 0);
  if (found.length === 0) return undefined;
  return version === 'v3' ? v3Result(found) : listed(found.map(jaegerTrace), 0);
}

export async function jaegerDependencies(
  { reader }: QueryContext,
  range: { readonly fromUnixNs: bigint; readonly toUnixNs: bigint },
): Promise<object> {
  return listed(await dependencies(reader, range), 0);
}
