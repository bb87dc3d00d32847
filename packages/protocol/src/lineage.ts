// Where a hop that counts samples of its own stands on its stream: whole numbers,
// always from the start of a segment, so that no rounding adds up.
//
//   hop      ──0────────480──────960───────────▶   its own samples (24 kHz)
//   stream   ──0────────320──────640───────────▶   ticks (16 kHz): 3 samples are 2 ticks

import type { SegmentState } from './state.ts';
import { tick, type Tick } from './units.ts';

/** From sample `sample` on, `samples` samples are `ticks` ticks, the first of them at `tick`. */
export type Segment = Pick<SegmentState, 'sample' | 'tick' | 'samples' | 'ticks'>;

/** A rational rate in lowest terms. */
export function lowest(samples: number, ticks: number): readonly [samples: number, ticks: number] {
  let [a, b] = [samples, ticks];
  while (b > 0) [a, b] = [b, a % b];
  return [samples / a, ticks / a];
}

/** The tick of a sample of the segment: exact while both are below 2^53. Whole turns of the rate go first. */
export function tickOfSample(
  { sample: from, tick: first, samples, ticks }: Segment,
  sample: number,
): Tick {
  const passed = sample - from;
  const turns = Math.floor(passed / samples);
  return tick(first + turns * ticks + Math.floor(((passed - turns * samples) * ticks) / samples));
}
