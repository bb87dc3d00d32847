// GET /api/v1/tail: what is in a cell or a box of the heatmap, slowest first.

import type { Filter, Tail, TailItem } from '@framescope/protocol';
import { columnsOf, passingRows, wordsOf } from '../filter/subjects.ts';
import { OUTCOMES, VALUE_FLAG, type ValueColumn } from '../rollup/wait-codec.ts';
import type { StoreReader, WaitTable } from '../store/store.ts';
import { hopOfMeasure } from './measure-info.ts';
import { FrameSum, type WorstFrame } from './frame-columns.ts';
import { walkFrames } from './frame-walk.ts';
import { chooseMeasure, type Chosen } from './measure-range.ts';
import type { FilteredRange, TailQuery } from './queries.types.ts';
import { rowsWith } from './wait-rows.ts';

const MINUTE_NS = 60_000_000_000n;

interface Bounds {
  readonly minNs: number;
  readonly maxNs: number;
  readonly limit: number;
}

export const tail: TailQuery = async (context, asked) => {
  const chosen = await chooseMeasure(context, asked);
  if (chosen === undefined) return undefined;
  const bounds = {
    minNs: asked.minNs ?? -Infinity,
    maxNs: asked.maxNs ?? Infinity,
    limit: asked.limit,
  };
  return chosen.measure.kind === 'frame'
    ? frameTail(context.reader, chosen, { ...bounds, filter: asked.filter })
    : waitTail(context.reader, chosen, { ...bounds, ...asked });
};

async function waitTail(
  reader: StoreReader,
  { measure: { measure }, range }: Chosen,
  asked: Bounds & FilteredRange & { readonly outcome?: string },
): Promise<Tail> {
  const parts = ['part.*'];
  const table = await reader.waits(range, {
    measures: [measure, ...parts, ...columnsOf(asked.filter)],
  });
  const column = table.columns.get(measure);
  if (column === undefined) return { n: 0, items: [] };
  const rows = rowsWith(
    column,
    passingRows(table, asked.filter, await wordsOf(asked.filter, reader)),
  ).filter(
    row => isInside(column.valueNs[row]!, asked) && hasOutcome(table, column, row, asked.outcome),
  );
  const slowest = rows.sort((a, b) => column.valueNs[b]! - column.valueNs[a]! || a - b);
  return {
    n: rows.length,
    items: Array.from(slowest.subarray(0, asked.limit), row => turnItem(table, column, row)),
  };
}

/** Like a bucket: the lower bound is outside, the upper one inside. */
export const isInside = (
  valueNs: number,
  { minNs, maxNs }: Pick<Bounds, 'minNs' | 'maxNs'>,
): boolean => valueNs > minNs && valueNs <= maxNs;

/** `censored` names all outcomes that never came to an answer. */
function hasOutcome(
  table: WaitTable,
  column: ValueColumn,
  row: number,
  outcome: string | undefined,
): boolean {
  if (outcome === undefined) return true;
  if (outcome === 'censored') return (column.flags[row]! & VALUE_FLAG.censored) !== 0;
  return OUTCOMES[table.outcome[row]!] === outcome;
}

function turnItem(table: WaitTable, column: ValueColumn, row: number): TailItem {
  const session = table.sessions[table.session[row]!]!;
  const worst = table.partName(table.worst[row]!);
  const worstNs = table.columns.get(`part.${worst}`)?.valueNs[row];
  return {
    sessionKey: session.key,
    sessionId: session.id,
    tick: table.tick[row]!,
    hop: null,
    atUnixNs: String(table.fromUnixNs + BigInt(table.atNs[row]!)),
    valueNs: column.valueNs[row]!,
    censored: (column.flags[row]! & VALUE_FLAG.censored) !== 0,
    worstPart:
      worst === null
        ? null
        : {
            name: worst,
            exposedNs: worstNs === undefined || Number.isNaN(worstNs) ? 0 : worstNs,
          },
  };
}

/** `n` counts all frames inside; by name the worst of each minute are kept. */
async function frameTail(
  reader: StoreReader,
  { measure: { measure }, range }: Chosen,
  asked: Bounds & { readonly filter: Filter | undefined },
): Promise<Tail> {
  const sum = new FrameSum();
  let kept: WorstFrame[] = [];
  let leastKept = -Infinity;
  await walkFrames(reader, {
    measure,
    range,
    filter: asked.filter,
    visit: (entry, session) => {
      sum.add(entry, session);
      if (entry.maxNs <= asked.minNs || entry.maxNs <= leastKept) return;
      for (const one of entry.worst())
        if (isInside(one.valueNs, asked) && one.valueNs > leastKept)
          kept.push({ ...one, minute: entry.minute, of: session });
      if (kept.length < 4 * asked.limit) return;
      kept = slowest(kept, asked.limit);
      leastKept = kept.at(-1)!.valueNs;
    },
  });
  const items: TailItem[] = [];
  for (const one of slowest(kept, asked.limit)) {
    const session = one.of ?? (await reader.facetSession(one.session));
    if (session !== undefined)
      items.push({
        sessionKey: session.key,
        sessionId: session.id,
        tick: one.ref,
        hop: hopOfMeasure(measure),
        atUnixNs: String(BigInt(one.minute) * MINUTE_NS),
        valueNs: one.valueNs,
        censored: false,
        worstPart: null,
      });
  }
  return { n: sum.countBetween(asked.minNs, asked.maxNs), items };
}

const slowest = (frames: readonly WorstFrame[], limit: number): WorstFrame[] =>
  frames.toSorted((a, b) => b.valueNs - a.valueNs).slice(0, limit);
