// A channel of audio as its lowest and highest samples by bucket, in levels of which each
// has half the buckets of the one before: what a waveform draws at any zoom. Pure.

export interface PeakLevel {
  /** −127 to 127. */
  readonly min: Int8Array;
  readonly max: Int8Array;
}

export interface Peaks {
  /** Of the finest level, ns; each coarser one twice as wide. */
  readonly bucketNs: number;
  readonly levels: readonly PeakLevel[];
  /** Of all samples, 0 to 127. */
  readonly loudest: number;
}

/** Fine enough to see a plosive, and 0.5 MB for an hour. */
export const BUCKET_NS = 4_000_000;

const held = (value: number): number => Math.max(-127, Math.min(127, Math.round(value * 127)));

export function peaksOf(samples: Float32Array, sampleRate: number): Peaks {
  const perBucket = (sampleRate * BUCKET_NS) / 1e9;
  const count = Math.ceil(samples.length / perBucket);
  const min = new Int8Array(count);
  const max = new Int8Array(count);
  for (let i = 0; i < count; i++) {
    let [low, high] = [Infinity, -Infinity];
    const end = Math.min(samples.length, Math.floor((i + 1) * perBucket));
    for (let at = Math.floor(i * perBucket); at < end; at++) {
      const value = samples[at]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (high < low) continue;
    min[i] = held(low);
    max[i] = held(high);
  }
  const levels: PeakLevel[] = [{ min, max }];
  while (levels.at(-1)!.min.length > 64) levels.push(halved(levels.at(-1)!));
  const coarsest = levels.at(-1)!;
  const loudest = [...coarsest.max, ...coarsest.min].reduce(
    (most, one) => Math.max(most, Math.abs(one)),
    0,
  );
  return { bucketNs: BUCKET_NS, levels, loudest };
}

function halved({ min, max }: PeakLevel): PeakLevel {
  const count = Math.ceil(min.length / 2);
  const half = { min: new Int8Array(count), max: new Int8Array(count) };
  for (let i = 0; i < count; i++) {
    const other = Math.min(min.length - 1, 2 * i + 1);
    half.min[i] = Math.min(min[2 * i]!, min[other]!);
    half.max[i] = Math.max(max[2 * i]!, max[other]!);
  }
  return half;
}

/** A bucket louder than this is speech, for setting a recording beside the turns. */
const VOICED = 6;
/** Steps of the coarse search, and how far it looks. */
const COARSE_NS = 200e6;
const REACH_NS = 120e9;
const FINE_NS = 20e6;

export interface Stretch {
  readonly startNs: number;
  readonly endNs: number;
}

/**
 * Session time of the first sample at which the recording's loud stretches lie best over the
 * speech of the turns, within two minutes of the call's start; undefined when there is nothing to go by.
 * `share` of the loud time lies on speech there.
 */
export function alignment(
  channels: readonly Peaks[],
  speech: readonly Stretch[],
): { readonly startNs: number; readonly share: number } | undefined {
  if (speech.length === 0) return undefined;
  const coarse = best(channels, speech, { stepNs: COARSE_NS, fromNs: -REACH_NS, toNs: REACH_NS });
  if (!coarse) return undefined;
  return best(channels, speech, {
    stepNs: FINE_NS,
    fromNs: coarse.startNs - 2 * COARSE_NS,
    toNs: coarse.startNs + 2 * COARSE_NS,
  });
}

function best(
  channels: readonly Peaks[],
  speech: readonly Stretch[],
  { stepNs, fromNs, toNs }: { stepNs: number; fromNs: number; toNs: number },
): { startNs: number; share: number } | undefined {
  const loud = loudSteps(channels, stepNs);
  const total = loud.reduce((sum, one) => sum + one, 0);
  if (total === 0) return undefined;
  const endNs = Math.max(...speech.map(one => one.endNs));
  const said = new Uint8Array(Math.ceil(endNs / stepNs) + 1);
  for (const one of speech)
    said.fill(1, Math.max(0, Math.round(one.startNs / stepNs)), Math.round(one.endNs / stepNs));
  let found = { startNs: 0, score: -Infinity, hits: 0 };
  for (let lagNs = fromNs; lagNs <= toNs; lagNs += stepNs) {
    const lag = Math.round(lagNs / stepNs);
    let [hits, misses] = [0, 0];
    for (let i = 0; i < loud.length; i++) {
      if (loud[i] === 0) continue;
      if (said[i + lag] === 1) hits++;
      else misses++;
    }
    const score = hits - misses;
    // Of equals the one nearest to the call's start.
    if (
      score > found.score ||
      (score === found.score && Math.abs(lag * stepNs) < Math.abs(found.startNs))
    )
      found = { startNs: lag * stepNs, score, hits };
  }
  return { startNs: found.startNs, share: found.hits / total };
}

/** 1 for each step in which any channel is loud. */
function loudSteps(channels: readonly Peaks[], stepNs: number): Uint8Array {
  const most = Math.max(0, ...channels.map(({ levels }) => levels[0]!.min.length));
  const steps = new Uint8Array(Math.ceil((most * BUCKET_NS) / stepNs));
  for (const { levels } of channels) {
    const { min, max } = levels[0]!;
    for (let i = 0; i < min.length; i++)
      if (max[i]! - min[i]! > VOICED) steps[Math.floor((i * BUCKET_NS) / stepNs)] = 1;
  }
  return steps;
}
