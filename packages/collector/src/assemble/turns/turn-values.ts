// The numbers of a turn: its waits by each definition, their parts, what it was made with, a row each.

import type { Turn, Wait, WaitDefinition } from '@framescope/protocol';
import { featureColumns } from '../../rollup/turn-features.ts';
import type { ValueRow } from '../../store/store.ts';
import type { WaitLedger } from '../ledger/wait.ts';
import type { TurnContext } from './turns.ts';

const CENSORED = new Set(['interrupted_before', 'abandoned', 'failed', 'none']);

export function valuesOf(
  turn: Turn,
  ledgers: readonly (WaitLedger | undefined)[],
  context: TurnContext,
): ValueRow[] {
  const measured = ledgers.flatMap((ledger, waitIndex) =>
    ledger === undefined || !ledger.isMeasured || ledger.wait.outcome === 'open'
      ? []
      : [{ ledger, waitIndex }],
  );
  const rows: ValueRow[] = reportedRows(turn, ledgers, context);
  rows.push(...floorRows(turn, ledgers, context));
  const columns = featureColumns(turn.features ?? {});
  for (const { ledger, waitIndex } of measured) {
    const { wait, figures } = ledger;
    const row = rowMaker(turn, wait, waitIndex, context);
    const family = wait.kind === 'response' ? 'voice_to_voice' : wait.kind;
    for (const { definition, valueNs, errorNs } of figures)
      rows.push(row(`${family}.${definition}`, valueNs, errorNs));
    if (wait.kind === 'response') {
      for (const figure of figures)
        rows.push(
          answerRow(figure.definition, {
            figure,
            wait,
            later: measured.slice(measured.findIndex(one => one.ledger === ledger) + 1),
            row,
            turn,
          }),
        );
    }
    // Of every wait: a tool that outlives its filler is a part of the wait behind it.
    if (!CENSORED.has(wait.outcome)) rows.push(...partRows(wait, row));
    for (const [name, value] of columns) rows.push(row(name, value, 0));
  }
  return rows;
}

/** Where only the framework says how long a wait was, its word is a figure of its own definition. */
function reportedRows(
  turn: Turn,
  ledgers: readonly (WaitLedger | undefined)[],
  context: TurnContext,
): ValueRow[] {
  const told = ledgers.flatMap((ledger, waitIndex) =>
    ledger === undefined ? [] : [{ ledger, waitIndex }],
  );
  return told.flatMap(({ ledger, waitIndex }, i) => {
    const wait = turn.waits[i]!;
    const [figure] = wait.reported ?? [];
    if (ledger.isMeasured || figure === undefined || wait.kind !== 'response') return [];
    const row = rowMaker(turn, wait, waitIndex, context);
    return [{ ...row('voice_to_voice.framework', figure.valueNs, 0), resolved: 0 }];
  });
}

/** Beside its first wait; a turn that was answered before it was done has none, and still has an overlap. */
function floorRows(
  turn: Turn,
  ledgers: readonly (WaitLedger | undefined)[],
  context: TurnContext,
): ValueRow[] {
  const { floorTransferNs: ns } = turn;
  if (ns === undefined) return [];
  const measure = ns < 0 ? 'floor_transfer.overlap' : 'floor_transfer.gap';
  const at = ledgers.findIndex(one => one !== undefined);
  const wait = ledgers[at]?.wait;
  if (wait !== undefined)
    return [rowMaker(turn, wait, at, context)(measure, Math.abs(ns), 0, false)];
  const limitNs = context.budgetOf(measure);
  return [
    {
      measure,
      sessionKey: context.sessionKey,
      tick: turn.tick,
      waitIndex: 0,
      atUnixNs: context.zeroUnixNs + BigInt(turn.startNs),
      valueNs: Math.abs(ns),
      isCensored: false,
      outcome: 'answered',
      errorNs: 0,
      resolved: 0,
      worstPart: null,
      worstPartNs: null,
      isOverBudget: limitNs !== null && Math.abs(ns) > limitNs,
    },
  ];
}

type MakeRow = (
  measure: string,
  valueNs: number,
  errorNs: number,
  isCensored?: boolean,
) => ValueRow;

function rowMaker(turn: Turn, wait: Wait, waitIndex: number, context: TurnContext): MakeRow {
  const worst = wait.parts.reduce<Wait['parts'][number] | undefined>(
    (most, part) => (most === undefined || part.exposedNs > most.exposedNs ? part : most),
    undefined,
  );
  return (measure, valueNs, errorNs, isCensored = CENSORED.has(wait.outcome)) => {
    const limitNs = context.budgetOf(measure);
    return {
      measure,
      sessionKey: context.sessionKey,
      tick: turn.tick,
      waitIndex,
      atUnixNs: context.zeroUnixNs + BigInt(wait.startNs),
      valueNs,
      isCensored,
      outcome: wait.outcome,
      errorNs,
      resolved: wait.resolved,
      worstPart: worst?.name ?? null,
      worstPartNs: worst?.exposedNs ?? null,
      isOverBudget: limitNs !== null && valueNs > limitNs,
    };
  };
}

/** Exposed time of each part; one that comes twice (inference, tool, inference) is one number. */
function partRows(wait: Wait, row: MakeRow): ValueRow[] {
  const sums = new Map<string, { ns: number; errorNs: number; savesNs: number | null }>();
  for (const { name, exposedNs, errorNs, savesNs } of wait.parts) {
    const sum = sums.get(name);
    // What two stretches of one part save together the graph was not asked.
    if (sum === undefined) sums.set(name, { ns: exposedNs, errorNs, savesNs });
    else
      sums.set(name, {
        ns: sum.ns + exposedNs,
        errorNs: Math.max(sum.errorNs, errorNs),
        savesNs: null,
      });
  }
  return [...sums].map(([name, { ns, errorNs, savesNs }]) => ({
    ...row(`part.${name}`, ns, errorNs),
    savesNs,
  }));
}

interface Answering {
  readonly figure: WaitLedger['figures'][number];
  readonly wait: Wait;
  readonly later: readonly { readonly ledger: WaitLedger }[];
  readonly row: MakeRow;
  readonly turn: Turn;
}

/** `time_to_answer` ends at the first sample that is no filler; without one it is at least so long. */
function answerRow(
  definition: WaitDefinition,
  { figure, wait, later, row, turn }: Answering,
): ValueRow {
  const measure = `time_to_answer.${definition}`;
  if (wait.outcome !== 'filler_only') return row(measure, figure.valueNs, figure.errorNs);
  const startNs = spanOf(wait, definition)?.startNs ?? wait.startNs;
  const answer = later
    .map(one => one.ledger.wait)
    .find(one => one.outcome === 'answered' || one.outcome === 'interrupted_after');
  const endNs =
    answer === undefined ? undefined : (spanOf(answer, definition)?.endNs ?? answer.endNs);
  if (answer !== undefined && endNs != null)
    return row(measure, Math.max(figure.valueNs, endNs - startNs), figure.errorNs + answer.errorNs);
  return row(
    measure,
    Math.max(figure.valueNs, (turn.endNs ?? startNs) - startNs),
    figure.errorNs,
    true,
  );
}

const spanOf = (
  wait: Wait,
  definition: WaitDefinition,
): { readonly startNs: number; readonly endNs: number | null } | undefined =>
  wait.definition === definition
    ? wait
    : wait.alternatives.find(one => one.definition === definition);
