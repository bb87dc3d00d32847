// GET /api/v1/tail/cutoffs: turns that were ended too early, beside every wish for a shorter window.

import { columnsOf, passingRows, wordsOf } from '../filter/subjects.ts';
import type { CutOffsQuery } from './queries.types.ts';
import { chooseRange } from './measure-range.ts';
import { rowsWith, sessionCount } from './wait-rows.ts';

/** One row a turn: from the decision to the user's going on. */
const CUT_OFF = 'cut_off';

export const cutOffs: CutOffsQuery = async (context, asked) => {
  const range = await chooseRange(context, asked);
  const table = await context.reader.waits(range, {
    measures: [CUT_OFF, 'voice_to_voice.*', ...columnsOf(asked.filter)],
  });
  const passes = passingRows(table, asked.filter, await wordsOf(asked.filter, context.reader));
  const turns = new Set<string>();
  for (let row = 0; row < table.length; row++)
    if (passes[row] === 1) turns.add(`${table.session[row]} ${table.tick[row]}`);
  const column = table.columns.get(CUT_OFF);
  const rows = column === undefined ? new Int32Array(0) : rowsWith(column, passes);
  const items = Array.from(rows.subarray(0, asked.limit), row => ({
    sessionKey: table.sessions[table.session[row]!]!.key,
    tick: table.tick[row]!,
    atUnixNs: String(table.fromUnixNs + BigInt(table.atNs[row]!)),
    gapNs: column!.valueNs[row]!,
  }));
  return { turns: rows.length, of: turns.size, sessions: sessionCount(table, rows), items };
};
