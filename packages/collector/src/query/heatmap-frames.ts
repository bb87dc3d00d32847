// A heatmap of frames, filled from their minutes.

import { SKETCH_SCALE, type Filter } from '@framescope/protocol';
import { frameGroupValuesOf } from '../filter/subjects.ts';
import { BUCKET_MIN } from '../rollup/minute-codec.ts';
import type { MinuteCursor } from '../rollup/minute-codec.ts';
import { USUAL_DIMENSIONS } from '../store/facets.ts';
import type { FacetSession, StoreReader, UnixRange } from '../store/store.ts';
import { FrameSum } from './frame-columns.ts';
import { isEmpty, walkFrames, walkSessions } from './frame-walk.ts';
import {
  columnWidth,
  gridRows,
  HeatmapGrid,
  zeros,
  type Filled,
  type Grouped,
  type Shape,
} from './heatmap-grid.ts';
import type { Chosen } from './measure-range.ts';

const MINUTE_NS = 60_000_000_000n;

interface Asked extends Shape {
  readonly limitNs: number | null;
  readonly filter?: Filter | undefined;
}

export async function frameHeatmap(
  reader: StoreReader,
  chosen: Chosen,
  asked: Asked,
): Promise<Filled> {
  const filling = new Filling(chosen, asked);
  await walkFrames(reader, {
    measure: chosen.measure.measure,
    range: chosen.range,
    filter: asked.filter,
    visit: (entry, session, sessions) => filling.add(entry, session, sessions),
  });
  return filling.finish(reader);
}

export async function frameHeatmaps(
  reader: StoreReader,
  chosen: Chosen,
  asked: Asked & { readonly group: string },
): Promise<Grouped> {
  const isUnfiltered = asked.filter === undefined || isEmpty(asked.filter);
  if (isUnfiltered && USUAL_DIMENSIONS.includes(asked.group)) {
    const quick = await fromGroups(reader, chosen, asked);
    if (quick !== undefined) return quick;
  }
  const { measure } = chosen.measure;
  const whole = new Filling(chosen, asked);
  const groups = new Map<string | null, Filling>();
  await walkSessions(reader, {
    measure,
    range: chosen.range,
    filter: asked.filter,
    visit: (entry, session) => {
      whole.add(entry, session, 1);
      for (const value of frameGroupValuesOf(session!, asked.group, measure)) {
        let filling = groups.get(value);
        if (filling === undefined) groups.set(value, (filling = new Filling(chosen, asked)));
        filling.add(entry, session, 1);
      }
    },
  });
  return { whole: await whole.finish(reader), groups: await finished(reader, groups) };
}

/** From minutes added up ahead; undefined when some sessions have no value, which none holds. */
async function fromGroups(
  reader: StoreReader,
  chosen: Chosen,
  asked: Asked & { readonly group: string },
): Promise<Grouped | undefined> {
  const whole = await frameHeatmap(reader, chosen, asked);
  const groups = new Map<string | null, Filling>();
  const fillingOf = (value: string): Filling => {
    let filling = groups.get(value);
    if (filling === undefined) groups.set(value, (filling = new Filling(chosen, asked)));
    return filling;
  };
  const { measure } = chosen.measure;
  const values = await reader.groupValues(asked.group);
  for (const [i, value] of values.entries())
    await reader.scanGroup({
      measure,
      range: chosen.range,
      group: { name: asked.group, value },
      visit: (entry, sessions) => fillingOf(value).add(entry, undefined, sessions),
      // Minutes not yet added up come with every group: taken once.
      visitSession: (entry, session) => {
        if (i === 0)
          for (const own of frameGroupValuesOf(session, asked.group, measure))
            if (own !== null) fillingOf(own).add(entry, session, 1);
      },
    });
  const counted = [...groups.values()].reduce((sum, one) => sum + one.count(), 0);
  if (counted !== whole.total.n) return undefined;
  return { whole, groups: await finished(reader, groups) };
}

async function finished(
  reader: StoreReader,
  groups: ReadonlyMap<string | null, Filling>,
): Promise<Grouped['groups']> {
  const all: { value: string | null; filled: Filled }[] = [];
  for (const [value, filling] of groups) all.push({ value, filled: await filling.finish(reader) });
  return all.toSorted((a, b) => b.filled.total.n - a.filled.total.n);
}

class Filling {
  readonly #measure: string;
  readonly #scale: number;
  readonly #limitNs: number | null;
  readonly #grid: HeatmapGrid;
  readonly #sums: FrameSum[];
  readonly #fromMinute: number;
  readonly #columnMinutes: number;
  readonly #sessions = new Set<number>();
  /** Of minutes added up over calls only this is known: at least so many sessions. */
  #sessionsMost = 0;

  constructor(
    { range, measure: { measure } }: Pick<Chosen, 'range' | 'measure'>,
    { columns, scale, limitNs }: Asked,
  ) {
    this.#measure = measure;
    this.#scale = scale;
    this.#limitNs = limitNs;
    // Whole minutes: from the start of the first one, so that no rollup is cut.
    const fromUnixNs = (range.fromUnixNs / MINUTE_NS) * MINUTE_NS;
    const whole: UnixRange = { fromUnixNs, toUnixNs: range.toUnixNs };
    const width = columnWidth(whole, columns, MINUTE_NS);
    this.#grid = new HeatmapGrid(gridRows('frame', scale), whole, width);
    this.#sums = Array.from({ length: this.#grid.columns }, () => new FrameSum(measure));
    this.#fromMinute = Number(fromUnixNs / MINUTE_NS);
    this.#columnMinutes = Number(width / MINUTE_NS);
  }

  add(entry: MinuteCursor, session: FacetSession | undefined, sessions: number): void {
    const at = Math.floor((entry.minute - this.#fromMinute) / this.#columnMinutes);
    this.#sums[Math.min(Math.max(at, 0), this.#sums.length - 1)]!.add(entry, session);
    if (session !== undefined) this.#sessions.add(session.row);
    else this.#sessionsMost = Math.max(this.#sessionsMost, sessions);
  }

  count(): number {
    return this.#sums.reduce((sum, one) => sum + one.count, 0);
  }

  async finish(reader: StoreReader): Promise<Filled> {
    const grid = this.#grid;
    const total = new FrameSum(this.#measure);
    for (const [column, sum] of this.#sums.entries()) {
      total.merge(sum);
      grid.underflow[column]! += sum.zeroCount;
      const shift = SKETCH_SCALE - this.#scale;
      sum.buckets.forEach((count, i) => {
        if (count > 0) grid.addBucket(column, (i + BUCKET_MIN) >> shift, count);
      });
      await this.#offerWorst(reader, column, sum);
    }
    return {
      grid,
      neverAnswered: zeros(grid.columns),
      lost: this.#sums.map(sum => sum.lostCount),
      quantiles: this.#sums.map(sum => sum.quantiles()),
      total: total.quantiles(),
      intervals: total.intervals(),
      overBudget: this.#sums.map(sum =>
        this.#limitNs === null ? 0 : sum.countOver(this.#limitNs),
      ),
      coverage: {
        covered: total.count,
        of: total.count + total.lostCount,
        sessions: Math.max(this.#sessions.size, this.#sessionsMost),
      },
    };
  }

  async #offerWorst(reader: StoreReader, column: number, sum: FrameSum): Promise<void> {
    const [slowest] = sum.worst;
    if (slowest === undefined) return;
    const session = slowest.of ?? (await reader.facetSession(slowest.session));
    if (session === undefined) return;
    this.#grid.offer({
      column,
      valueNs: slowest.valueNs,
      sessionKey: session.key,
      tick: slowest.ref,
      atUnixNs: String(BigInt(slowest.minute) * MINUTE_NS),
    });
  }
}
