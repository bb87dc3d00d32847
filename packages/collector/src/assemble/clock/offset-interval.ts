// What is known of the offset between two clocks: an interval, at any time.
//
// Each four-stamp exchange proves two inequalities and nothing more:
//
//   own    t1 ─────────────────────────▶ t4        offset = peer − own
//             ╲                       ╱            offset at t1 ≤ t2 − t1
//   peer       t2 ──────────────▶ t3               offset at t4 ≥ t3 − t4
//
// Two clocks part by at most the drift allowance, so an inequality proved at
// one time still holds at another, weaker by allowance × distance. All of them
// together are a band: the estimate is its middle, the bound half its width.
// That is the least RTT in a window and the intersection of intervals in one:
// a slow exchange proves little and cannot hurt, so nothing has to be averaged
// or thrown away (the first probe of a cold connection neither).
//
//   offset │ ╲   ╱╲    ╱   upper: min of (t2 − t1) + allowance × |t − t1|
//          │  ╲_╱  ╲__╱
//          │   _    _      lower: max of (t3 − t4) − allowance × |t − t4|
//          │ _╱ ╲__╱ ╲_
//          └──────────────▶ own time
//
// A slew (kernels do, up to 500 ppm) shows as an empty band, but late: a band is
// half a round trip wide, and meanwhile the truth has left it on one side. It
// shows early if the least round trip seen is taken for what the way costs at
// least: then each exchange tells the offset to its own excess over that, and
// excesses are small. That is no proof (a route may have changed), so it moves no
// bound; where these narrow bands do not fit each other the allowance is widened.
// If no allowance fits, the clock was stepped: the band is cut there and a fault
// is counted.

/** Crystals differ by up to 50 ppm in practice; NTP assumes 15. */
export const DRIFT_PPM = 50;
/** Linux slews a clock by at most 500, and its crystal drifts all the same. */
export const DRIFT_PPM_MAX = 550;
/** What is tried in turn; one step more than what fits is taken. */
const ALLOWANCES_PPM: readonly number[] = [DRIFT_PPM, 75, 110, 165, 250, 370, DRIFT_PPM_MAX];
/** What a slew adds until the next exchange shows it. One a second is the rule. */
const UNSEEN_PPM = DRIFT_PPM_MAX - DRIFT_PPM;
const UNSEEN_NS_MAX = 250_000;
/** Stamps are whole nanoseconds: each side of an inequality may be rounded by half a one. */
const ROUNDING_NS = 1;
const PPM = 1e-6;

/** Inequalities between two clocks, seen from one of them. Unsorted; times are that clock's own. */
export interface OffsetProofs {
  /** offset ≤ value at time. */
  readonly upperAt: number[];
  readonly upper: number[];
  /** offset ≥ value at time. */
  readonly lowerAt: number[];
  readonly lower: number[];
}

export const emptyProofs = (): OffsetProofs => ({ upperAt: [], upper: [], lowerAt: [], lower: [] });

/** Offset to add to own time, and how wrong it can be. */
export interface OffsetEstimate {
  readonly offsetNs: number;
  readonly boundNs: number;
}

/** One stretch of time in which the two clocks kept their drift allowance. */
interface Band {
  readonly fromNs: number;
  readonly toNs: number;
  readonly ppm: number;
  readonly upper: Envelope;
  readonly lower: Envelope;
}

export class OffsetInterval {
  readonly #bands: readonly Band[];
  /** Exchanges used. */
  readonly proofCount: number;

  constructor(proofs: OffsetProofs) {
    this.#bands = bandsOf(sortedProofs(proofs));
    this.proofCount = Math.min(proofs.upper.length, proofs.lower.length);
  }

  /** False when there is nothing to say: no exchange in at least one direction. */
  get isKnown(): boolean {
    return this.#bands.length > 0;
  }

  /** Steps of the clock that no allowance explains. */
  get faultCount(): number {
    return Math.max(0, this.#bands.length - 1);
  }

  /** The allowance that was needed, in parts per million. */
  get ppm(): number {
    return this.#bands.reduce((most, band) => Math.max(most, band.ppm), 0);
  }

  /** Own time of the last exchange. */
  get lastNs(): number {
    return this.#bands.at(-1)?.toNs ?? 0;
  }

  get firstNs(): number {
    return this.#bands[0]?.fromNs ?? 0;
  }

  /** The band at own time `atNs`. Between two bands a step happened at an unknown time: both count. */
  at(atNs: number): OffsetEstimate {
    let lowNs = Infinity;
    let highNs = -Infinity;
    for (const band of this.#bandsAt(atNs)) {
      lowNs = Math.min(lowNs, band.lower.at(atNs));
      highNs = Math.max(highNs, band.upper.at(atNs));
    }
    const boundNs = (highNs - lowNs) / 2 + this.#unseenNs(atNs);
    return { offsetNs: (lowNs + highNs) / 2, boundNs };
  }

  /** What a slew may have done after the last exchange (or before the first): no later one shows it. */
  #unseenNs(atNs: number): number {
    const outsideNs = Math.max(0, atNs - this.lastNs, this.firstNs - atNs);
    return Math.min(outsideNs * UNSEEN_PPM * PPM, UNSEEN_NS_MAX);
  }

  #bandsAt(atNs: number): readonly Band[] {
    const next = this.#bands.findIndex(band => atNs <= band.toNs);
    if (next < 0) return this.#bands.slice(-1);
    const isInside = atNs >= this.#bands[next]!.fromNs || next === 0;
    return this.#bands.slice(isInside ? next : next - 1, next + 1);
  }

  /** Own times at which the estimate bends; between two of them both sides of the band are simple. */
  knots(): number[] {
    const all = this.#bands.flatMap(band => [...band.upper.atNs, ...band.lower.atNs]);
    return [...new Set(all)].toSorted((a, b) => a - b);
  }
}

/** One side of a band: at each knot the strongest value any inequality proves there. */
class Envelope {
  readonly atNs: readonly number[];
  readonly #value: readonly number[];
  readonly #slope: number;
  readonly #sign: 1 | -1;

  /** `sign` 1: upper (the least value counts); −1: lower. */
  constructor(atNs: readonly number[], values: readonly number[], slope: number, sign: 1 | -1) {
    const value = values.map(one => one * sign + ROUNDING_NS);
    for (let i = 1; i < value.length; i++)
      value[i] = Math.min(value[i]!, value[i - 1]! + slope * (atNs[i]! - atNs[i - 1]!));
    for (let i = value.length - 2; i >= 0; i--)
      value[i] = Math.min(value[i]!, value[i + 1]! + slope * (atNs[i + 1]! - atNs[i]!));
    this.atNs = atNs;
    this.#value = value;
    this.#slope = slope;
    this.#sign = sign;
  }

  at(atNs: number): number {
    const after = firstAtOrAfter(this.atNs, atNs);
    let best = Infinity;
    for (const i of [after - 1, after])
      if (i >= 0 && i < this.atNs.length)
        best = Math.min(best, this.#value[i]! + this.#slope * Math.abs(atNs - this.atNs[i]!));
    return best * this.#sign;
  }
}

function firstAtOrAfter(sorted: readonly number[], atNs: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < atNs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One inequality; `sign` as in `Envelope`. */
interface Proof {
  readonly atNs: number;
  readonly value: number;
  readonly sign: 1 | -1;
  /** Of the exchange that proved it. */
  readonly rttNs: number;
}

function sortedProofs(proofs: OffsetProofs): Proof[] {
  const all: Proof[] = [];
  const add = (atNs: readonly number[], values: readonly number[], sign: 1 | -1): void =>
    values.forEach((value, i) => {
      all.push({ atNs: atNs[i]!, value, sign, rttNs: proofs.upper[i]! - proofs.lower[i]! });
    });
  add(proofs.upperAt, proofs.upper, 1);
  add(proofs.lowerAt, proofs.lower, -1);
  return all.toSorted((a, b) => a.atNs - b.atNs || b.sign - a.sign);
}

/** Cuts where even the widest allowance leaves nothing, then gives each piece the least that fits. */
function bandsOf(proofs: readonly Proof[]): Band[] {
  const bands: Band[] = [];
  let from = 0;
  while (from < proofs.length) {
    const to = endOfConsistent(proofs, from);
    const band = bandOf(proofs.slice(from, to));
    if (band !== undefined) bands.push(band);
    from = to;
  }
  return bands;
}

/** First index at which the inequalities since `from` contradict each other at the widest allowance. */
function endOfConsistent(proofs: readonly Proof[], from: number): number {
  const slope = DRIFT_PPM_MAX * PPM;
  let upper = Infinity;
  let lower = -Infinity;
  for (let i = from; i < proofs.length; i++) {
    const { atNs, value, sign } = proofs[i]!;
    const ageNs = i > from ? atNs - proofs[i - 1]!.atNs : 0;
    upper += slope * ageNs;
    lower -= slope * ageNs;
    if (sign > 0) upper = Math.min(upper, value + ROUNDING_NS);
    else lower = Math.max(lower, value - ROUNDING_NS);
    if (lower > upper) return i;
  }
  return proofs.length;
}

function bandOf(proofs: readonly Proof[]): Band | undefined {
  const upper = proofs.filter(proof => proof.sign > 0);
  const lower = proofs.filter(proof => proof.sign < 0);
  if (upper.length === 0 || lower.length === 0) return undefined;
  const wayNs = leastWayNs(upper);
  const bandAt = (ppm: number): Band => ({
    fromNs: proofs[0]!.atNs,
    toNs: proofs.at(-1)!.atNs,
    ppm,
    upper: envelopeOf(upper, ppm),
    lower: envelopeOf(lower, ppm),
  });
  // Not the least allowance that fits: how fast it was is known to a margin, and a little less than it
  // was would lose the truth. Not the widest at once: a few lucky exchanges look like a slew, a slow one.
  const fitting = ALLOWANCES_PPM.findIndex(ppm => isConsistent(bandAt(ppm), proofs, wayNs));
  if (fitting === 0) return bandAt(DRIFT_PPM);
  return bandAt(ALLOWANCES_PPM[fitting + 1] ?? DRIFT_PPM_MAX);
}

/** Whether, at each exchange, the band leaves what both ways cost at least. */
const isConsistent = ({ lower, upper }: Band, proofs: readonly Proof[], wayNs: number): boolean =>
  proofs.every(({ atNs }) => lower.at(atNs) + wayNs <= upper.at(atNs));

/** Of a few exchanges the least round trip is luck: its two ways need not be the least of each way. */
const LUCKY_SHARE = 0.15;
const LUCKY_MIN = 6;

/**
 * What both ways cost at least: the least round trip, less what the luckiest seventh differ by. The
 * more a path queues and the fewer exchanges there are, the less its least round trip proves.
 */
function leastWayNs(upper: readonly Proof[]): number {
  const rttsNs = upper.map(proof => proof.rttNs).toSorted((a, b) => a - b);
  const lucky = rttsNs[Math.max(LUCKY_MIN, Math.floor(rttsNs.length * LUCKY_SHARE))];
  return lucky === undefined ? 0 : Math.max(0, 2 * rttsNs[0]! - lucky);
}

const envelopeOf = (proofs: readonly Proof[], ppm: number): Envelope =>
  new Envelope(
    proofs.map(proof => proof.atNs),
    proofs.map(proof => proof.value),
    ppm * PPM,
    proofs[0]!.sign,
  );
