// The list of traces to take away, as far as it is shown.

import type { TraceSummary } from '@framescope/protocol';
import { exportMenu } from '../ui/export-menu.ts';
import { csvOf, save } from '../ui/save.ts';

export const tracesExports = (shown: () => readonly TraceSummary[]): HTMLElement =>
  exportMenu([
    {
      text: 'Traces shown (CSV)',
      take: () => save('traces.csv', [tracesCsv(shown())], 'text/csv'),
    },
    {
      text: 'Traces shown (JSON)',
      take: () => save('traces.json', [JSON.stringify(shown())], 'application/json'),
    },
  ]);

/** A row a trace; ns. */
export const tracesCsv = (traces: readonly TraceSummary[]): string =>
  csvOf(
    [
      'trace_id',
      'name',
      'service',
      'start_unix_ns',
      'duration_ns',
      'spans',
      'errors',
      'session_key',
    ],
    traces.map(one => [
      one.traceId,
      one.rootName,
      one.service,
      one.startUnixNs,
      one.durationNs,
      one.spanCount,
      one.errorCount,
      one.sessionKey,
    ]),
  );
