// `/metrics` in the form that was asked for.

import type { CallMetrics } from './call-metrics.ts';
import { asOpenMetrics } from './call-metrics.ts';
import { NATIVE_TYPE, nativeFamilies } from './native.ts';

export interface Exposition {
  readonly type: string;
  readonly body: string | Buffer;
}

const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Prometheus names what it can read; set to scrape native histograms it names its protobuf. */
export function expose(accept: string | undefined, calls: CallMetrics, health: string): Exposition {
  const asked = (accept ?? '').toLowerCase();
  const isNative =
    asked.includes('io.prometheus.client.metricfamily') && asked.includes('encoding=delimited');
  if (isNative)
    return { type: NATIVE_TYPE, body: nativeFamilies(calls, health + calls.counterText()) };
  if (asked.includes('application/openmetrics-text'))
    return {
      type: OPEN_METRICS_TYPE,
      body: `${asOpenMetrics(health)}${calls.text(true)}# EOF\n`,
    };
  return { type: TEXT_TYPE, body: health + calls.text(false) };
}
