// Chooses where turn and stage spans go: the user's provider, none, or our own.

import type { TracerProvider } from '@opentelemetry/api';
import { ATTR } from '@framescope/protocol';
import type { PlacedStart, SpanSink } from '../export/span-sink.ts';
import type { Attributes, Clock } from '../ports.ts';
import type { Problems } from '../problems.ts';
import { noSpans } from './no-spans.ts';
import { OwnSpanSink } from './own-span-sink.ts';
import { ProviderSpanSink } from './provider-span-sink.ts';

export type TracerProviderOption = TracerProvider | false;

export interface SpanSinkFacts {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Attributes;
  readonly clock: Clock;
  readonly problems: Problems;
  /** How long the end of a process may be held up, in ms. */
  readonly endMs: number;
}

/** Attributes of every span of ours: session and clock. */
export const commonOf = (sessionId: string, { domain, epoch, zeroUnixNs }: Clock): Attributes => ({
  [ATTR.sessionId]: sessionId,
  [ATTR.clockDomain]: domain,
  [ATTR.clockEpoch]: epoch,
  [ATTR.clockZeroUnixNs]: String(zeroUnixNs),
});

export function makeSpanSink(
  option: TracerProviderOption | undefined,
  facts: SpanSinkFacts,
): SpanSink {
  const sink = sinkOf(option, facts);
  const { clock } = facts;
  return {
    start: start => {
      const { sessionId, attributes } = start;
      const common = { ...commonOf(sessionId, clock), ...attributes };
      return sink.start({ ...start, common, zeroUnixNs: clock.zeroUnixNs });
    },
    flush: () => sink.flush(),
    shutdown: () => sink.shutdown(),
  };
}

function sinkOf(
  option: TracerProviderOption | undefined,
  facts: SpanSinkFacts,
): SpanSink<PlacedStart> {
  if (option === false) return noSpans;
  if (option === undefined || option === null) return new OwnSpanSink(facts);
  if (typeof option.getTracer === 'function') return new ProviderSpanSink(option, facts.problems);
  facts.problems.report(
    'bad_argument',
    'tracerProvider: an OpenTelemetry TracerProvider, or false',
  );
  return noSpans;
}
