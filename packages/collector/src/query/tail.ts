// GET /api/v1/tail: what is in a cell or a box of the heatmap, slowest first.

import type { Tail, TailItem } from '@framescope/protocol';
import type { RollupRow, ValueRow } from '../store/store.ts';
import { chooseMeasure, type Chosen } from './measure-range.ts';
import type { QueryContext, TailQuery } from './queries.types.ts';

const MINUTE_NS = 60_000_000_000n;

interface Bounds {
  readonly minNs: number;
  readonly maxNs: number;
}

export const tail: TailQuery = async (context, asked) => {
  const chosen = await chooseMeasure(context, asked);
  if (chosen === undefined) return undefined;
  const bounds = { minNs: asked.minNs ?? -Infinity, maxNs: asked.maxNs ?? Infinity };
  if (chosen.measure.kind === 'frame')
    return frameTail(context, chosen, { ...bounds, limit: asked.limit });
  const values = await context.reader.values(chosen.measure.measure, chosen.range);
  const inside = values
    .filter(value => isInside(value.valueNs, bounds) && hasOutcome(value, asked.outcome))
    .sort((a, b) => b.valueNs - a.valueNs);
  return {
    n: inside.length,
    items: await named(context, inside.slice(0, asked.limit).map(turnItem)),
  };
};

/** Like a bucket: the lower bound is outside, the upper one inside. */
const isInside = (valueNs: number, { minNs, maxNs }: Bounds): boolean =>
  valueNs > minNs && valueNs <= maxNs;

/** `censored` names all outcomes that never came to an answer. */
const hasOutcome = (value: ValueRow, outcome: string | undefined): boolean =>
  outcome === undefined || (outcome === 'censored' ? value.isCensored : value.outcome === outcome);

const turnItem = (value: ValueRow): TailItem => ({
  sessionKey: value.sessionKey,
  sessionId: value.sessionKey,
  tick: value.tick,
  hop: null,
  atUnixNs: String(value.atUnixNs),
  valueNs: value.valueNs,
  censored: value.isCensored,
  worstPart:
    value.worstPart === null ? null : { name: value.worstPart, exposedNs: value.worstPartNs ?? 0 },
});

/** Of frames the worst of each session and minute are kept by name; `n` counts those. */
async function frameTail(
  context: QueryContext,
  chosen: Chosen,
  bounds: Bounds & { readonly limit: number },
): Promise<Tail> {
  const rows = await context.reader.rollups(chosen.measure.measure, chosen.range);
  const hop = chosen.measure.measure.slice('frame.'.length);
  const inside = rows
    .flatMap(row => frameItems(row, hop))
    .filter(item => isInside(item.valueNs, bounds))
    .sort((a, b) => b.valueNs - a.valueNs);
  return { n: inside.length, items: await named(context, inside.slice(0, bounds.limit)) };
}

const frameItems = (row: RollupRow, hop: string): TailItem[] =>
  row.worst.map(worst => ({
    sessionKey: row.sessionKey,
    sessionId: row.sessionKey,
    tick: worst.ref,
    hop,
    atUnixNs: String(BigInt(row.minute) * MINUTE_NS),
    valueNs: worst.valueNs,
    censored: false,
    worstPart: null,
  }));

/** Puts in the `session.id` of each; a session that retention took keeps its key. */
async function named(context: QueryContext, items: readonly TailItem[]): Promise<TailItem[]> {
  const ids = new Map<string, string>();
  for (const { sessionKey } of items) {
    if (ids.has(sessionKey)) continue;
    ids.set(sessionKey, (await context.reader.session(sessionKey))?.id ?? sessionKey);
  }
  return items.map(item => ({ ...item, sessionId: ids.get(item.sessionKey) ?? item.sessionKey }));
}
