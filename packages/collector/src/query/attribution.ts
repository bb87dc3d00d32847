// Which parts make the tail: for each, its mean inside against its mean over all. The differences
// sum exactly to that of the whole wait; percentiles of parts do not, and blame the wrong one.

import type { TailDifference, TailPart } from '@framescope/protocol';
import type { WaitTable } from '../store/store.ts';
import { drawsFor, drawWeights, seededRandom, Spread } from './resample.ts';

/** They absorb each other: shown together, with a split. */
const NETWORK: ReadonlySet<string> = new Set(['uplink', 'downlink', 'jitter_buffer']);

export interface Attribution {
  readonly total: TailDifference;
  readonly parts: readonly TailPart[];
  /** Rows inside that have parts. */
  readonly insideRows: number;
}

/** `isInside` by row of `table`, for the rows of `rows`. */
export function attribute(table: WaitTable, rows: Int32Array, isInside: Uint8Array): Attribution {
  const names = [...table.columns.keys()].filter(name => name.startsWith('part.'));
  const columns = names.map(name => table.columns.get(name)!.valueNs);
  const sums = new SessionSums(table.sessions.length, names.length);
  for (const row of rows) {
    if (columns.some(column => !Number.isNaN(column[row]!)))
      sums.add(table.session[row]!, row, columns, isInside[row] === 1);
  }
  const whole = sums.totals();
  const spreads = resampled(sums);
  const total = differenceOf(whole, names.length, spreads);
  const parts = names
    .map((name, i): TailPart => {
      const difference = differenceOf(whole, i, spreads);
      const part = name.slice('part.'.length);
      return {
        name: part,
        group: NETWORK.has(part) ? 'network' : null,
        ...difference,
        share: total.deltaNs === 0 ? 0 : difference.deltaNs / total.deltaNs,
      };
    })
    .filter(part => part.meanAllNs > 0)
    .toSorted((a, b) => b.deltaNs - a.deltaNs);
  return { total, parts, insideRows: whole.insideCount };
}

interface Totals {
  /** By part, the last one their sum. */
  readonly inside: Float64Array;
  readonly all: Float64Array;
  readonly insideCount: number;
  readonly allCount: number;
}

class SessionSums {
  readonly sessions: number;
  readonly width: number;
  readonly #inside: Float64Array;
  readonly #all: Float64Array;
  readonly #insideCount: Float64Array;
  readonly #allCount: Float64Array;

  constructor(sessions: number, parts: number) {
    this.sessions = sessions;
    this.width = parts + 1;
    this.#inside = new Float64Array(sessions * this.width);
    this.#all = new Float64Array(sessions * this.width);
    this.#insideCount = new Float64Array(sessions);
    this.#allCount = new Float64Array(sessions);
  }

  add(session: number, row: number, columns: readonly Float64Array[], isInside: boolean): void {
    const base = session * this.width;
    const last = base + this.width - 1;
    this.#allCount[session]!++;
    if (isInside) this.#insideCount[session]!++;
    for (let part = 0; part < columns.length; part++) {
      const valueNs = columns[part]![row]!;
      if (Number.isNaN(valueNs)) continue;
      this.#all[base + part]! += valueNs;
      this.#all[last]! += valueNs;
      if (!isInside) continue;
      this.#inside[base + part]! += valueNs;
      this.#inside[last]! += valueNs;
    }
  }

  /** Summed over sessions, each as often as its weight says. */
  totals(weights?: Uint16Array): Totals {
    const inside = new Float64Array(this.width);
    const all = new Float64Array(this.width);
    let insideCount = 0;
    let allCount = 0;
    for (let session = 0; session < this.sessions; session++) {
      const weight = weights === undefined ? 1 : weights[session]!;
      if (weight === 0) continue;
      insideCount += weight * this.#insideCount[session]!;
      allCount += weight * this.#allCount[session]!;
      const base = session * this.width;
      const hasInside = this.#insideCount[session]! > 0;
      for (let part = 0; part < this.width; part++) {
        all[part]! += weight * this.#all[base + part]!;
        if (hasInside) inside[part]! += weight * this.#inside[base + part]!;
      }
    }
    return { inside, all, insideCount, allCount };
  }
}

interface Spreads {
  readonly draws: number;
  readonly of: readonly Spread[];
}

function resampled(sums: SessionSums): Spreads {
  const draws = drawsFor(sums.sessions);
  const of = Array.from({ length: sums.width }, () => new Spread());
  const random = seededRandom(1);
  const weights = new Uint16Array(sums.sessions);
  for (let draw = 0; draw < draws; draw++) {
    drawWeights(weights, sums.sessions, random);
    const { inside, all, insideCount, allCount } = sums.totals(weights);
    of.forEach((spread, part) => spread.add(inside[part]! / insideCount - all[part]! / allCount));
  }
  return { draws, of };
}

function differenceOf(
  { inside, all, insideCount, allCount }: Totals,
  part: number,
  { draws, of }: Spreads,
): TailDifference {
  const mean = (sum: number, n: number): number => (n === 0 ? 0 : sum / n);
  const meanInNs = mean(inside[part]!, insideCount);
  const meanAllNs = mean(all[part]!, allCount);
  const deltaNs = meanInNs - meanAllNs;
  const bounds = of[part]!.around(deltaNs, draws);
  return {
    meanInNs,
    meanAllNs,
    meanOutNs: mean(all[part]! - inside[part]!, allCount - insideCount),
    deltaNs,
    lowNs: bounds?.lowNs ?? null,
    highNs: bounds?.highNs ?? null,
  };
}
