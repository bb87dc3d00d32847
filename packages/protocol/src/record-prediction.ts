// What the time of a frame is told against. Encoder and decoder share these
// functions, so that a residual is undone by the very arithmetic that made it:
// IEEE 754 doubles, products rounded to nearest, then floor.
//
// Times are whole quanta. `quantaPerTick` is 1e9 / (sampleRate · quantumNs).

/** The first `length` rows of one column: ticks, and times in quanta. Arrays may be longer. */
export interface QuantaColumn {
  readonly length: number;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly at: Float64Array;
}

/** Frames of a steady source: the media time that has passed since the first row's end. */
export function predictByMediaClock(
  out: Float64Array,
  { end, length }: Pick<QuantaColumn, 'end' | 'length'>,
  baseQuanta: number,
  quantaPerTick: number,
): void {
  const first = end[0]!;
  for (let i = 0; i < length; i++)
    out[i] = baseQuanta + Math.floor((end[i]! - first) * quantaPerTick);
}

/**
 * Frames cut by something that takes turns, as a browser's audio does (7, 8, 7, 8 pieces of 128
 * samples for 20 ms at 48 kHz): the media time since the row before the last one.
 */
export function predictByRowBeforeLast(
  out: Float64Array,
  { end, at, length }: Pick<QuantaColumn, 'end' | 'at' | 'length'>,
  baseQuanta: number,
  quantaPerTick: number,
): void {
  for (let i = 0; i < length; i++) {
    const from = i < 2 ? 0 : i - 2;
    out[i] = i === 0 ? baseQuanta : at[from]! + Math.floor((end[i]! - end[from]!) * quantaPerTick);
  }
}

/**
 * When the frame's last sample passed the column before: the last row j of it with
 * start[j] < end[i] (else row 0). Where that row does not hold the sample, media time is added.
 */
export function predictByPreviousHop(
  out: Float64Array,
  { end, length }: Pick<QuantaColumn, 'end' | 'length'>,
  previous: QuantaColumn,
  quantaPerTick: number,
): void {
  const last = previous.length - 1;
  let j = 0;
  for (let i = 0; i < length; i++) {
    const endTick = end[i]!;
    while (j < last && previous.start[j + 1]! < endTick) j++;
    const isInside = previous.start[j]! < endTick && endTick <= previous.end[j]!;
    const beyond = isInside ? 0 : Math.floor((endTick - previous.end[j]!) * quantaPerTick);
    out[i] = previous.at[j]! + beyond;
  }
}
