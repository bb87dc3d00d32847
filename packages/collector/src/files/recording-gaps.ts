// The silences of a recorded call, by energy alone: no clock of ours, no mark, no framework.
//
//   caller  ▁▅▇▅▁▁▁▁▁▁▁▁▁▁▁▁▁▅▇▁
//   agent   ▁▁▁▁▁▁▁▁▁▁▅▇▇▅▁▁▁▁▁▁
//               └─ gap ─┘               end of the caller's energy → start of the agent's
//
// An utterance is at least 250 ms of voice, and ends with 200 ms of silence.

import type { Recording } from './wav.ts';

const WINDOW_S = 0.01;
const UTTERANCE_S = 0.25;
const SILENCE_S = 0.2;
/** Voice is so many dB above a channel's own noise, and not below −50 dB of full scale. */
const OVER_NOISE_DB = 12;
const LEAST_DB = -50;
/** Windows by loudness: noise is what a tenth of them stays below. */
const NOISE_SHARE = 0.1;

/** Seconds from the start of the recording. */
export interface Utterance {
  readonly startS: number;
  readonly endS: number;
}

export interface Gap {
  /** End of the caller's last utterance before it. */
  readonly fromS: number;
  /** Start of the agent's next. */
  readonly toS: number;
}

/** A gap opens when the caller stops and nobody speaks; who speaks over the other leaves none. */
export function gapsOf({ sampleRate, channels }: Recording): Gap[] {
  const [caller, agent] = channels.map(samples => utterancesOf(samples, sampleRate));
  const gaps: Gap[] = [];
  for (const { startS } of agent!) {
    const before = caller!.findLast(one => one.endS <= startS);
    if (before === undefined) continue;
    const isFirst = !agent!.some(one => one.startS < startS && one.endS > before.endS);
    const isOver = caller!.some(one => one.startS < startS && one.endS > startS);
    if (isFirst && !isOver) gaps.push({ fromS: before.endS, toS: startS });
  }
  return gaps;
}

export function utterancesOf(samples: Float32Array, sampleRate: number): Utterance[] {
  const size = Math.max(1, Math.round(sampleRate * WINDOW_S));
  const levels = levelsOf(samples, size);
  const threshold = thresholdOf(levels);
  const found: { startS: number; endS: number; voicedS: number }[] = [];
  const windowS = size / sampleRate;
  for (const [i, level] of levels.entries()) {
    if (level < threshold) continue;
    const startS = i * windowS;
    const last = found.at(-1);
    if (last !== undefined && startS - last.endS < SILENCE_S) {
      last.endS = startS + windowS;
      last.voicedS += windowS;
    } else found.push({ startS, endS: startS + windowS, voicedS: windowS });
  }
  return found
    .filter(one => one.voicedS >= UTTERANCE_S)
    .map(({ startS, endS }) => ({ startS, endS }));
}

/** Of each whole window, dB of full scale. */
function levelsOf(samples: Float32Array, size: number): number[] {
  return Array.from({ length: Math.floor(samples.length / size) }, (_, window) => {
    let energy = 0;
    for (let i = window * size; i < (window + 1) * size; i++) energy += samples[i]! ** 2;
    return 10 * Math.log10(energy / size + 1e-12);
  });
}

function thresholdOf(levels: readonly number[]): number {
  const sorted = levels.toSorted((a, b) => a - b);
  const noise = sorted[Math.floor(sorted.length * NOISE_SHARE)] ?? LEAST_DB;
  return Math.max(LEAST_DB, noise + OVER_NOISE_DB);
}
