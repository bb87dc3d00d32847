// GET /api/v1/tail/whatif: the percentiles if one part had been shorter.
//
// Each wait falls by what its own dependency graph says (`saves`, ledger.md): shortening what runs
// beside something longer gains nothing. Shorter by x: the wait falls by x, until the other path
// takes over, which is after `saves`: min(x, saves). Where the graph was not asked (a part that came
// twice, one merged with its neighbour) the wait stays as it is and is counted.

import type { WhatIf } from '@framescope/protocol';
import { columnsOf, passingRows, wordsOf } from '../filter/subjects.ts';
import { VALUE_FLAG, type ValueColumn } from '../rollup/wait-codec.ts';
import type { WaitTable } from '../store/store.ts';
import { chooseMeasure, infoOf, type Chosen } from './measure-range.ts';
import type { WhatIfQuery } from './queries.types.ts';
import { rowsWith, sortedOf } from './wait-rows.ts';
import { quantilesOfSorted } from './wait-quantiles.ts';

/** One row a pause of the user that was not taken for the end: its length. */
const PAUSE = 'pause';

export const whatIf: WhatIfQuery = async (context, asked) => {
  const chosen = await chooseMeasure(context, asked);
  if (chosen === undefined) return undefined;
  const { measure } = chosen.measure;
  const table = await context.reader.waits(chosen.range, {
    measures: [measure, 'part.*', PAUSE, ...columnsOf(asked.filter)],
    hasSaves: true,
  });
  const column = table.columns.get(measure);
  const passes = passingRows(table, asked.filter, await wordsOf(asked.filter, context.reader));
  const rows = column === undefined ? new Int32Array(0) : rowsWith(column, passes);
  const info = infoOf(context.budgets, { ...chosen.measure, count: rows.length });
  const before = quantilesOfSorted(sortedOf(column ?? NO_COLUMN, rows));
  const refused = refusalOf(chosen, table, asked);
  const answer = { measure: info, part: asked.part, byNs: asked.byNs, before };
  if (refused !== null || column === undefined)
    return {
      ...answer,
      refused: refused ?? 'there are no waits in this range',
      after: before,
      unknownCount: 0,
      changedCount: 0,
      cutOffs: null,
    };
  const shorter = shortened(column, table.columns.get(`part.${asked.part}`)!, rows, asked.byNs);
  return {
    ...answer,
    refused: null,
    after: quantilesOfSorted(sortedOf(shorter.column, rows)),
    unknownCount: shorter.unknownCount,
    changedCount: shorter.changedCount,
    cutOffs: asked.part === 'endpointing' ? cutOffsOf(table, passes, asked.byNs) : null,
  };
};

const NO_COLUMN: ValueColumn = {
  valueNs: new Float64Array(0),
  flags: new Uint8Array(0),
  savesNs: new Float64Array(0),
};

function refusalOf(
  { measure: { measure, kind } }: Chosen,
  table: WaitTable,
  { part, byNs }: { readonly part: string; readonly byNs: number },
): string | null {
  if (kind === 'frame' || measure.startsWith('part.'))
    return `${measure} has no parts: ask about voice_to_voice or time_to_answer`;
  if (byNs <= 0)
    return 'the graph knows what shortening saves, not what lengthening costs: give byNs above 0';
  if (table.columns.has(`part.${part}`)) return null;
  const known = [...table.columns.keys()]
    .filter(name => name.startsWith('part.'))
    .map(name => name.slice('part.'.length));
  return `no wait here has a part named ${part}; there are ${known.join(', ') || 'none'}`;
}

interface Shortened {
  readonly column: ValueColumn;
  readonly unknownCount: number;
  readonly changedCount: number;
}

function shortened(
  column: ValueColumn,
  part: ValueColumn,
  rows: Int32Array,
  byNs: number,
): Shortened {
  const valueNs = column.valueNs.slice();
  let unknownCount = 0;
  let changedCount = 0;
  for (const row of rows) {
    if (Number.isNaN(part.valueNs[row]!) || (column.flags[row]! & VALUE_FLAG.censored) !== 0)
      continue;
    const savesNs = part.savesNs[row]!;
    if (Number.isNaN(savesNs)) unknownCount++;
    else if (savesNs > 0) {
      valueNs[row]! -= Math.min(byNs, savesNs);
      changedCount++;
    }
  }
  return { column: { ...column, valueNs }, unknownCount, changedCount };
}

/**
 * A pause was let pass by a window longer than itself. The window of a call is taken as the longest
 * pause it let pass or its usual endpointing, whichever is more; shortened, it ends turns at pauses
 * that reach it.
 */
function cutOffsOf(table: WaitTable, passes: Uint8Array, byNs: number): WhatIf['cutOffs'] {
  const pauses = table.columns.get(PAUSE)?.valueNs;
  const endpointing = table.columns.get('part.endpointing')?.valueNs;
  if (pauses === undefined || endpointing === undefined) return null;
  const windows = windowsOf(table, pauses, endpointing);
  const cut = new Set<string>();
  const turns = new Set<string>();
  for (let row = 0; row < table.length; row++) {
    if (passes[row] === 0) continue;
    const session = table.session[row]!;
    const turn = `${session} ${table.tick[row]}`;
    turns.add(turn);
    if (!Number.isNaN(pauses[row]!) && pauses[row]! >= windows[session]! - byNs) cut.add(turn);
  }
  return { turns: cut.size, of: turns.size };
}

function windowsOf(
  table: WaitTable,
  pauses: Float64Array,
  endpointing: Float64Array,
): Float64Array {
  const windows = new Float64Array(table.sessions.length);
  for (let row = 0; row < table.length; row++) {
    const session = table.session[row]!;
    for (const valueNs of [pauses[row]!, endpointing[row]!])
      if (valueNs > windows[session]!) windows[session] = valueNs;
  }
  return windows;
}
