// Which parts make the tail: for each, its mean inside against its mean over all. The differences
// sum exactly to that of the whole wait; percentiles of parts do not, and blame the wrong one.

import type { TailDifference, TailPart } from '@framescope/protocol';
import type { WaitTable } from '../store/store.ts';
import type { WaitSums } from '../store/wait-sums.types.ts';
import { drawsFor, drawWeights, seededRandom, Spread } from './resample.ts';
import { usualLimit } from './usual-range.ts';

/** They absorb each other: judged together, shown with a split. */
export const NETWORK = 'network';
const NETWORK_PARTS: ReadonlySet<string> = new Set(['uplink', 'downlink', 'jitter_buffer']);

export interface Attribution {
  readonly total: TailDifference;
  readonly parts: readonly TailPart[];
  /** What a cause is looked for among: the parts, those of the network as one. Largest difference first. */
  readonly candidates: readonly Candidate[];
  /** Rows inside that have parts. */
  readonly insideRows: number;
}

export interface Candidate extends TailPart {
  /** Rows inside, by number among them, in which it is out of its usual range. */
  readonly unusualRows: ReadonlySet<number>;
  /** Calls that these are of. */
  readonly unusualSessions: number;
}

interface NamedColumn {
  readonly name: string;
  readonly valueNs: Float64Array;
}

/** `isInside` by row of `table`, for the rows of `rows`. */
export function attribute(table: WaitTable, rows: Int32Array, isInside: Uint8Array): Attribution {
  const parts = [...table.columns.keys()]
    .filter(name => name.startsWith('part.'))
    .map(name => ({
      name: name.slice('part.'.length),
      valueNs: table.columns.get(name)!.valueNs,
    }));
  const known = rows.filter(row => parts.some(part => !Number.isNaN(part.valueNs[row]!)));
  const network = networkOf(parts, known);
  const columns = network ? [...parts, network] : parts;
  const places = placesByKey(table);
  const sums = new SessionSums(table.sessions.length, columns.length);
  for (const row of known)
    sums.add(places[table.session[row]!]!, row, columns, {
      isInside: isInside[row] === 1,
      partCount: parts.length,
    });
  const whole = sums.totals();
  const spreads = resampled(sums);
  const total = differenceOf(whole, columns.length, spreads);
  const inside = known.filter(row => isInside[row] === 1);
  const all = columns.map(({ name, valueNs }, i): Candidate => {
    const difference = differenceOf(whole, i, spreads);
    const unusual = unusualOf(table, inside, valueNs, usualLimit(valueNs, known));
    return {
      ...shareOf(name, difference, total),
      unusual: unusual.unusualRows.size,
      ...unusual,
    };
  });
  const found = all.filter(part => part.meanAllNs > 0).toSorted((a, b) => b.deltaNs - a.deltaNs);
  return {
    total,
    parts: found.filter(part => part.name !== NETWORK).map(shown),
    candidates: found.filter(part => part.group === null),
    insideRows: inside.length,
  };
}

/** The same from sums that the engine made; what is unusual cannot be told from sums. */
export function attributeSums({ parts, groups, rows }: WaitSums): Pick<Attribution, 'total'> & {
  readonly parts: readonly Omit<TailPart, 'unusual'>[];
} {
  const sums = new SessionSums(groups, parts.length);
  for (const row of rows) sums.addGroup(row);
  const whole = sums.totals();
  const spreads = resampled(sums);
  const total = differenceOf(whole, parts.length, spreads);
  const all = parts.map((name, i) => shareOf(name, differenceOf(whole, i, spreads), total));
  return {
    total,
    parts: all.filter(part => part.meanAllNs > 0).toSorted((a, b) => b.deltaNs - a.deltaNs),
  };
}

const shareOf = (
  name: string,
  difference: TailDifference,
  total: TailDifference,
): Omit<TailPart, 'unusual'> => ({
  name,
  group: NETWORK_PARTS.has(name) ? NETWORK : null,
  ...difference,
  share: total.deltaNs === 0 ? 0 : difference.deltaNs / total.deltaNs,
});

/** Places of sessions in the order of their keys: a draw is the same whichever store they come from. */
function placesByKey({ sessions }: WaitTable): Int32Array {
  const places = new Int32Array(sessions.length);
  const order = sessions.map((session, i) => ({ key: session.key, i }));
  order.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (const [place, { i }] of order.entries()) places[i] = place;
  return places;
}

const shown = ({ unusualRows: _rows, unusualSessions: _sessions, ...part }: Candidate): TailPart =>
  part;

/** The sum of what the network and the buffer behind it took; undefined where neither is known. */
function networkOf(parts: readonly NamedColumn[], rows: Int32Array): NamedColumn | undefined {
  const legs = parts.filter(part => NETWORK_PARTS.has(part.name));
  if (legs.length === 0) return undefined;
  const valueNs = new Float64Array(legs[0]!.valueNs.length).fill(Number.NaN);
  for (const row of rows) {
    let sumNs = 0;
    for (const leg of legs) sumNs += leg.valueNs[row]! || 0;
    valueNs[row] = sumNs;
  }
  return { name: NETWORK, valueNs };
}

function unusualOf(
  table: WaitTable,
  inside: Int32Array,
  valueNs: Float64Array,
  limitNs: number,
): Pick<Candidate, 'unusualRows' | 'unusualSessions'> {
  const unusualRows = new Set<number>();
  const sessions = new Set<number>();
  inside.forEach((row, i) => {
    if (!(valueNs[row]! > limitNs)) return;
    unusualRows.add(i);
    sessions.add(table.session[row]!);
  });
  return { unusualRows, unusualSessions: sessions.size };
}

interface Totals {
  /** By column, the last one the sum of the parts. */
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

  /** Of `columns` the first `partCount` add up to the wait; the others are sums of some of them. */
  add(
    session: number,
    row: number,
    columns: readonly NamedColumn[],
    { isInside, partCount }: { readonly isInside: boolean; readonly partCount: number },
  ): void {
    const base = session * this.width;
    const last = base + this.width - 1;
    this.#allCount[session]!++;
    if (isInside) this.#insideCount[session]!++;
    for (let part = 0; part < columns.length; part++) {
      const valueNs = columns[part]!.valueNs[row]!;
      if (Number.isNaN(valueNs)) continue;
      this.#all[base + part]! += valueNs;
      if (part < partCount) this.#all[last]! += valueNs;
      if (!isInside) continue;
      this.#inside[base + part]! += valueNs;
      if (part < partCount) this.#inside[last]! += valueNs;
    }
  }

  /** What is known of a group of sessions, which is drawn as one. */
  addGroup({ group, isInside, known, sumNs }: WaitSums['rows'][number]): void {
    const base = group * this.width;
    const last = base + this.width - 1;
    this.#allCount[group]! += known;
    if (isInside) this.#insideCount[group]! += known;
    for (const [part, ns] of sumNs.entries()) {
      this.#all[base + part]! += ns;
      this.#all[last]! += ns;
      if (!isInside) continue;
      this.#inside[base + part]! += ns;
      this.#inside[last]! += ns;
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
