// framescope import: OTLP/JSON, Jaeger's JSON or a voice platform's report of a call, from a file into a
// running collector.

import { readFileSync } from 'node:fs';
import { otlpRequest } from '../files/otlp.ts';
import { spansOfReport } from '../reports/report-spans.ts';
import { reportsOf } from '../reports/reports.ts';
import { isJaegerJson, otlpOfJaeger } from '../files/jaeger-import.ts';
import type { Api } from './api.ts';
import type { Done } from './commands.ts';

/** Spans in one request: far below what a request may hold. */
const SPANS_A_REQUEST = 2_000;

interface ScopeSpans {
  readonly scope?: unknown;
  readonly spans?: readonly unknown[];
}
interface ResourceSpans {
  readonly resource?: unknown;
  readonly scopeSpans?: readonly ScopeSpans[];
}

export async function importFile(api: Api, path: string): Promise<Done> {
  const requests = requestsOf(readJson(path), path);
  let taken = 0;
  const errors: string[] = [];
  for (const { body, count } of requests) {
    const answer = (await api.post('/v1/traces', body)) as {
      partialSuccess?: { rejectedSpans?: string | number; errorMessage?: string };
    };
    const rejected = Number(answer.partialSuccess?.rejectedSpans ?? 0);
    taken += count - rejected;
    if (rejected > 0)
      errors.push(`${rejected} spans were refused: ${answer.partialSuccess?.errorMessage ?? ''}`);
  }
  return {
    lines: [`${taken} spans of ${path} are stored`],
    errors,
    code: errors.length > 0 ? 1 : 0,
  };
}

function readJson(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    // One request a line, as the file exporter of the OpenTelemetry Collector writes.
    const lines = text.split('\n').filter(line => line.trim() !== '');
    try {
      const all = lines.map(line => JSON.parse(line) as { resourceSpans?: unknown[] } | null);
      const isOtlp = all.some(one => Array.isArray(one?.resourceSpans));
      // Events of a voice agent are written down in lines as well.
      return isOtlp ? { resourceSpans: all.flatMap(one => one?.resourceSpans ?? []) } : all;
    } catch {
      throw new Error(`${path} is neither JSON nor one JSON request a line`, { cause });
    }
  }
}

function requestsOf(json: unknown, path: string): { body: string; count: number }[] {
  if (isJaegerJson(json)) {
    const read = otlpOfJaeger(json);
    if (!read.ok) throw new Error(`${path}: ${read.path}: ${read.problem}`);
    return cut(read.value.resourceSpans as readonly ResourceSpans[]);
  }
  const { resourceSpans } = (json ?? {}) as { resourceSpans?: unknown };
  if (!Array.isArray(resourceSpans)) return ofReports(json, path);
  return cut(resourceSpans as readonly ResourceSpans[]);
}

/** Reports of Vapi, Retell and ElevenLabs, events of Deepgram. */
function ofReports(json: unknown, path: string): { body: string; count: number }[] {
  const read = reportsOf(json);
  if (read === undefined)
    throw new Error(
      `${path} holds neither OTLP ("resourceSpans"), nor Jaeger traces ("data"), nor a report of a call by Vapi, Retell, ElevenLabs or Deepgram`,
    );
  if (!read.ok) throw new Error(`${path}: ${read.path}: ${read.problem}`);
  if (read.value.length === 0) throw new Error(`${path} holds events, and no report of a call`);
  return read.value.flatMap(call =>
    cut(otlpRequest(spansOfReport(call)).resourceSpans as readonly ResourceSpans[]),
  );
}

function cut(all: readonly ResourceSpans[]): { body: string; count: number }[] {
  const requests: { body: string; count: number }[] = [];
  for (const { resource, scopeSpans = [] } of all)
    for (const { scope, spans = [] } of scopeSpans)
      for (let at = 0; at < spans.length; at += SPANS_A_REQUEST) {
        const some = spans.slice(at, at + SPANS_A_REQUEST);
        const body = { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: some }] }] };
        requests.push({ body: JSON.stringify(body), count: some.length });
      }
  return requests;
}
