// A dashboard that asks for a name that nothing exports shows an empty panel, and nobody knows why.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CallCounts } from '../../src/metrics/call-counts.ts';
import { CallMetrics } from '../../src/metrics/call-metrics.ts';
import { forwardMetrics } from '../../src/serve/forward-metrics.ts';
import { Health } from '../../src/serve/metrics.ts';
import { derivedOf, NOON_MINUTE, rollupOf, valueOf } from '../support/derived.ts';
import { NOON_NS } from '../support/spans.ts';

const read = (file: string): string =>
  readFileSync(new URL(`../../../../docs/grafana/${file}`, import.meta.url), 'utf8');

/** Every name that a collector with calls, trouble and a target to forward to exposes. */
function exported(): Set<string> {
  const counts = new CallCounts(NOON_NS);
  const late = rollupOf('k', NOON_MINUTE, [1e6]);
  counts.take(
    derivedOf(
      { key: 'k' },
      {
        values: [
          valueOf('k', 1, { isOverBudget: true }),
          valueOf('k', 2, { isCensored: true, outcome: 'none' }),
          valueOf('k', 1, { measure: 'part.inference' }),
        ],
        rollups: [late],
      },
    ),
  );
  const calls = new CallMetrics();
  calls.add(counts.report()!);
  const health = new Health().text({ queuedBytes: 0, dataBytes: 0, listeners: 0 });
  const target = { target: 't', send: ['all'] } as unknown as Parameters<
    typeof forwardMetrics
  >[0][0];
  const text = calls.text(false) + health + forwardMetrics([target], 0);
  // Families without a sample yet still have their TYPE line.
  return new Set([...text.matchAll(/^(?:# TYPE )?(framescope_\w+)/gm)].map(([, name]) => name!));
}

test.each(['framescope-calls.json', 'alerts.yaml'])('%s asks for names that /metrics has', file => {
  const asked = [...read(file).matchAll(/framescope_\w+/g)].map(([name]) => name);
  const known = exported();
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter(name => !known.has(name))).toEqual([]);
});
