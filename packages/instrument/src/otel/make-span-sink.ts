// Chooses where turn and stage spans go: the user's provider, none, or our own.

import type { TracerProvider } from '@opentelemetry/api';
import type { SpanSink } from '../export/span-sink.ts';
import type { Attributes } from '../ports.ts';
import type { Problems } from '../problems.ts';
import { noSpans } from './no-spans.ts';
import { OwnSpanSink } from './own-span-sink.ts';
import { ProviderSpanSink } from './provider-span-sink.ts';

export type TracerProviderOption = TracerProvider | false;

export interface SpanSinkFacts {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Attributes;
  readonly problems: Problems;
  /** How long the end of a process may be held up, in ms. */
  readonly endMs: number;
}

export function makeSpanSink(
  option: TracerProviderOption | undefined,
  facts: SpanSinkFacts,
): SpanSink {
  if (option === false) return noSpans;
  if (option === undefined || option === null) return new OwnSpanSink(facts);
  if (typeof option.getTracer === 'function') return new ProviderSpanSink(option, facts.problems);
  facts.problems.report(
    'bad_argument',
    'tracerProvider: an OpenTelemetry TracerProvider, or false',
  );
  return noSpans;
}
