// What Find shows, to take away: calls and slowest turns, or what was found.

import type { SearchHit, SessionSummary, TailItem } from '@framescope/protocol';
import { exportMenu } from '../ui/export-menu.ts';
import { csvOf, save } from '../ui/save.ts';
import { sessionsCsv } from './sessions-exports.ts';

/** What stands on the page when it is asked: live calls move. */
export interface FindShown {
  readonly calls: readonly SessionSummary[];
  readonly slowest: readonly TailItem[];
}

export const tileExports = (shown: () => FindShown): HTMLElement =>
  exportMenu([
    {
      text: 'Calls shown (CSV)',
      take: () => save('calls.csv', [sessionsCsv(shown().calls)], 'text/csv'),
    },
    {
      text: 'Slowest turns (CSV)',
      take: () => save('slowest.csv', [slowestCsv(shown().slowest)], 'text/csv'),
    },
    {
      text: 'Everything shown (JSON)',
      take: () => save('find.json', [JSON.stringify(shown())], 'application/json'),
    },
  ]);

export const hitExports = (q: string, hits: readonly SearchHit[]): HTMLElement =>
  exportMenu([
    {
      text: 'What was found (CSV)',
      take: () => save(`find ${q}.csv`, [hitsCsv(hits)], 'text/csv'),
    },
    {
      text: 'What was found (JSON)',
      take: () => save(`find ${q}.json`, [JSON.stringify(hits)], 'application/json'),
    },
  ]);

/** A row a turn, slowest first; a wait that ended unanswered is at least `value_ns`. */
export const slowestCsv = (items: readonly TailItem[]): string =>
  csvOf(
    [
      'session_key',
      'session_id',
      'tick',
      'at_unix_ns',
      'value_ns',
      'unanswered',
      'worst_part',
      'worst_part_ns',
    ],
    items.map(one => [
      one.sessionKey,
      one.sessionId,
      one.tick,
      one.atUnixNs,
      one.valueNs,
      one.censored ? 1 : 0,
      one.worstPart?.name ?? null,
      one.worstPart?.exposedNs ?? null,
    ]),
  );

export const hitsCsv = (hits: readonly SearchHit[]): string =>
  csvOf(
    ['kind', 'title', 'detail', 'session_key', 'tick', 'trace_id'],
    hits.map(one => [one.kind, one.title, one.detail, one.sessionKey, one.tick, one.traceId]),
  );
