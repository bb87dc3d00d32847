// How long model services take: shapes fitted to figures that were published.
// Medians and 99th percentiles, not means: what hurts in a call is the tail.
//
//   stt    time to the final transcript after speech. Pipecat's benchmark has p99
//          from 0.35 s (Deepgram) through 0.8 (Cartesia) to 2.0 (OpenAI).
//   llm    first token. 300 to 500 ms is usual; voice calls as a whole have
//          p50 1.4 … 1.7 s, p95 4.3 … 5.4, p99 8.4 … 15.3 (Hamming, 2 M calls).
//   tts    first audio byte: 100 to 300 ms; then three to eight times real time.
//   tool   a look-up behind an HTTP interface.

import { heavyTailMs, type HeavyTail, type Random } from '../common/random.ts';

export const STT_FINAL: HeavyTail = {
  medianMs: 130,
  sigma: 0.35,
  tailShare: 0.03,
  tailAlpha: 1.8,
  maxMs: 2_500,
};
export const LLM_FIRST_TOKEN: HeavyTail = {
  medianMs: 330,
  sigma: 0.35,
  tailShare: 0.05,
  tailAlpha: 1.5,
  maxMs: 9_000,
};
export const LLM_NEXT_TOKEN: HeavyTail = {
  medianMs: 14,
  sigma: 0.5,
  tailShare: 0.01,
  tailAlpha: 1.5,
  maxMs: 600,
};
export const TTS_FIRST_BYTE: HeavyTail = {
  medianMs: 170,
  sigma: 0.3,
  tailShare: 0.03,
  tailAlpha: 1.7,
  maxMs: 3_000,
};
export const TOOL_CALL: HeavyTail = {
  medianMs: 650,
  sigma: 0.4,
  tailShare: 0.06,
  tailAlpha: 1.5,
  maxMs: 6_000,
};

const BURST_MIN_MS = 40;
const BURST_SPREAD_MS = 360;
const SPEED_MIN = 3;
const SPEED_SPREAD = 5;
const LEADING_MIN_MS = 30;
const LEADING_SPREAD_MS = 110;

/** How a synthesiser hands over one piece of speech. */
export interface SpeechShape {
  readonly firstByteMs: number;
  /** Silence that services put before the first sound. */
  readonly leadingSilenceMs: number;
  /** Times real time. */
  readonly speed: number;
}

/** The same median and spread, with or without the tail. */
export const shapeOf = (shape: HeavyTail, isSteady: boolean): HeavyTail =>
  isSteady ? { ...shape, tailShare: 0 } : shape;

export function speechShape(random: Random, isSteady: boolean = false): SpeechShape {
  return {
    firstByteMs: heavyTailMs(random, shapeOf(TTS_FIRST_BYTE, isSteady)),
    leadingSilenceMs: LEADING_MIN_MS + LEADING_SPREAD_MS * random(),
    speed: SPEED_MIN + SPEED_SPREAD * random(),
  };
}

/** Audio in the next piece: 40 to 400 ms, most of them short. */
export function burstMs(random: Random): number {
  return BURST_MIN_MS + BURST_SPREAD_MS * random() ** 2;
}
