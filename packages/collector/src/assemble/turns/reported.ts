// A framework's own figure of a wait, kept beside ours, with the difference explained:
// how much of ours lies before and after the two moments between which theirs is taken.

import type { Wait } from '@framescope/protocol';
import type { ReportedFigure, SourceName } from '../../recognise/source.types.ts';
import type { WaitLedger } from '../ledger/wait.ts';
import type { TurnFacts } from '../session-data.ts';

interface Reported extends ReportedFigure {
  readonly source: SourceName;
}

export function reportedOf(facts: TurnFacts, index: number): Reported[] {
  const { kind } = facts.state.waits[index]!;
  const nth = facts.state.waits.slice(0, index).filter(wait => wait.kind === kind).length;
  return [facts, ...(facts.joined ?? [])].flatMap(({ state, source }) =>
    (state.waits.filter(wait => wait.kind === kind)[nth]?.reported ?? []).map(figure => ({
      ...figure,
      source,
    })),
  );
}

/** How far ours and theirs are apart, and how much of it lies where they do not measure. */
export function withReported(
  { wait, isMeasured }: Pick<WaitLedger, 'wait' | 'isMeasured'>,
  reported: readonly Reported[],
): Wait {
  if (reported.length === 0) return wait;
  const find = (name: string): number | undefined =>
    wait.moments.find(moment => moment.name === name)?.atNs;
  const fromNs = find('speech_end_received');
  const toNs = find('first_frame_sent');
  const endNs = wait.startNs + wait.waitNs;
  const outsideNs =
    fromNs === undefined || toNs === undefined ? null : fromNs - wait.startNs + (endNs - toNs);
  return {
    ...wait,
    reported: reported.map(({ name, source, valueNs, meaning }) => ({
      name,
      source,
      valueNs,
      meaning,
      differenceNs: isMeasured ? wait.waitNs - valueNs : null,
      outsideNs,
    })),
  };
}
