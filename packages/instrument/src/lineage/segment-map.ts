// Samples of a hop that counts for itself → ticks of the stream, exactly.
//
//   hop      ──0────────480──────960───────────▶   its own samples (24 kHz)
//   stream   ──0────────320──────640───────────▶   ticks (16 kHz): 3 samples are 2 ticks
//
// Whole numbers only, and always from the start of the segment: 512 samples of
// 48 kHz are 170⅔ ticks of 16 kHz, so chunks are 170 or 171 ticks long, but after
// an hour their ends still stand where the sound does.

import { tickOfSample, type Segment, type Tick } from '@framescope/protocol';

/** Segments that positions can still be asked for. */
const SEGMENTS_KEPT = 64;

export class SegmentMap {
  /** Ascending by sample; the last one is open. */
  #segments: Segment[];

  constructor(first: Segment) {
    this.#segments = [first];
  }

  get last(): Segment {
    return this.#segments.at(-1)!;
  }

  add(segment: Segment): void {
    // Bent twice at one place: the last word counts.
    if (segment.sample === this.last.sample) this.#segments.pop();
    this.#segments.push(segment);
    if (this.#segments.length > SEGMENTS_KEPT) this.#segments.shift();
  }

  /** Tick of a sample: exact while both are below 2^53. Before the oldest segment kept: as that says. */
  tickOf(sample: number): Tick {
    const segment = this.#segments.findLast(one => one.sample <= sample) ?? this.#segments[0]!;
    return tickOfSample(segment, sample);
  }
}
