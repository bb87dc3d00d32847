// The list of sessions to take away, as far as it is shown.

import type { SessionSummary } from '@framescope/protocol';
import { exportMenu } from '../ui/export-menu.ts';
import { csvOf, save } from '../ui/save.ts';

export const sessionsExports = (sessions: readonly SessionSummary[]): HTMLElement =>
  exportMenu([
    {
      text: 'Sessions shown (CSV)',
      take: () => save('sessions.csv', [sessionsCsv(sessions)], 'text/csv'),
    },
    {
      text: 'Sessions shown (JSON)',
      take: () => save('sessions.json', [JSON.stringify(sessions)], 'application/json'),
    },
  ]);

const HEAD =
  'key,session_id,status,start_unix_ns,end_unix_ns,turns,definition,p50_ns,p95_ns,p99_ns,slowest_ns,over_budget,barge_ins,frames_expected,frames_lost,kept';

/** A row a session; ns. */
export const sessionsCsv = (sessions: readonly SessionSummary[]): string =>
  csvOf(
    HEAD.split(','),
    sessions.map(one => [
      one.key,
      one.id,
      one.status,
      one.startUnixNs,
      one.endUnixNs,
      one.turnCount,
      one.voiceToVoice?.definition ?? null,
      one.voiceToVoice?.p50Ns ?? null,
      one.voiceToVoice?.p95Ns ?? null,
      one.voiceToVoice?.p99Ns ?? null,
      one.worstTurn?.waitNs ?? null,
      one.overBudgetCount,
      one.bargeInCount,
      one.frames.expected,
      one.frames.lost,
      one.pinned === true ? 1 : 0,
    ]),
  );
