// Minutes of a session's frames, and which of them are news.

import type { HopFigures } from '../rollup/hop-totals.ts';
import type { Minutes } from '../rollup/minutes.ts';
import type { RollupRow } from '../store/store.ts';
import type { Flow } from './frames/flow.ts';
import type { HopFrames, StreamFrames } from './frames/stream-frames.ts';
import type { SessionData } from './session-data.ts';
import type { Sealing } from './sealing.ts';

export interface RolledUp {
  /** Of every hop. */
  readonly figures: ReadonlyMap<HopFrames, HopFigures>;
  /** Of every measure, minutes that may have changed. */
  readonly rows: readonly RollupRow[];
}

/** Each instance has figures of its own; the measure is that of all who stood at its hop. */
export function rolledUp(
  streams: readonly StreamFrames[],
  flows: ReadonlyMap<string, readonly Flow[]>,
  { sealing, sessionKey }: { readonly sealing: Sealing; readonly sessionKey: string },
): RolledUp {
  const figures = new Map<HopFrames, HopFigures>();
  const rows: RollupRow[] = [];
  const add = (measure: string, minutes: Minutes): void => {
    for (const row of minutes.rows({ sessionKey, measure })) rows.push(row);
  };
  for (const stream of streams) {
    const sealed = sealing.of(stream.name)!;
    const byMeasure = new Map<string, Minutes>();
    for (const hop of stream.hops) {
      const minutes = sealed.minutesOf(hop);
      figures.set(hop, sealed.figuresOf(hop, minutes));
      const same = byMeasure.get(hop.bareKey);
      if (same === undefined) byMeasure.set(hop.bareKey, minutes);
      else same.merge(minutes);
    }
    for (const [bareKey, minutes] of byMeasure) add(`frame.${bareKey}`, minutes);
    for (const flow of flows.get(stream.name) ?? []) add(flow.measure, sealed.flowMinutesOf(flow));
  }
  return { figures, rows };
}

/** First voiced ticks of the answers that were told on a stream, ascending. */
export function answersOn(stream: string, data: SessionData): number[] {
  const closes = [...data.turns.values()].flatMap(({ state }) =>
    state.waits.flatMap(({ closes: its }) =>
      its !== undefined && 'stream' in its && its.stream === stream ? [its.tick] : [],
    ),
  );
  return closes.toSorted((a, b) => a - b);
}

type ToldRow = Pick<
  RollupRow,
  'minute' | 'count' | 'lostCount' | 'lateCount' | 'concealedCount' | 'sumNs'
>;

/** Latencies count from other hops of the stream: a minute may change when those become known. */
const MEAN_MOVE_NS = 1_000_000;

/** What was told of each row. */
export class ToldRollups {
  readonly #rows = new Map<string, ToldRow>();

  /** All is to be told again. */
  clear(): void {
    this.#rows.clear();
  }

  /** Those that are not as they were told; they count as told from now on. */
  untold(rows: readonly RollupRow[]): RollupRow[] {
    return rows.filter(row => {
      const { measure, minute, count, lostCount, lateCount, concealedCount, sumNs } = row;
      const id = `${measure} ${minute}`;
      const told = this.#rows.get(id);
      if (told !== undefined && isAsTold(row, told)) return false;
      this.#rows.set(id, { minute, count, lostCount, lateCount, concealedCount, sumNs });
      return true;
    });
  }

  /** Minutes that will not change. */
  forgetBefore(minute: number): void {
    for (const [id, row] of this.#rows) if (row.minute < minute) this.#rows.delete(id);
  }
}

const isAsTold = (row: RollupRow, told: ToldRow): boolean =>
  row.count === told.count &&
  row.lostCount === told.lostCount &&
  row.lateCount === told.lateCount &&
  row.concealedCount === told.concealedCount &&
  Math.abs(row.sumNs - told.sumNs) <= MEAN_MOVE_NS * row.count;

export const unixOfMinute = (minute: number): string => String(BigInt(minute) * 60_000_000_000n);
