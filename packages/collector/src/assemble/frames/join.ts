// What of one cut of the media axis passed in another: the interval join.
//
//   hop n     [0   20)[20  40)[40  60)[60  80)[80 100)
//   hop n+1   [0               50)         [60        100)
//   missing   .       .       10 of 20     .       .
//
// Both cuts ascend, so one pass over the two finds everything: O(n + m),
// whatever the re-chunking, and no ID travels with a frame.

/** Half-open ranges of ticks, ascending by start; they may overlap. */
export interface Cut {
  readonly length: number;
  readonly startTick: ArrayLike<number>;
  readonly endTick: ArrayLike<number>;
}

/** Ticks of each range of `cut` that no range of `passed` covers. */
export function missingTicks(cut: Cut, passed: Cut): Float64Array {
  const missing = new Float64Array(cut.length);
  let next = 0;
  for (let row = 0; row < cut.length; row++) {
    const end = cut.endTick[row]!;
    let cursor = cut.startTick[row]!;
    while (next < passed.length && passed.endTick[next]! <= cursor) next++;
    for (let at = next; at < passed.length && cursor < end; at++) {
      const start = passed.startTick[at]!;
      if (start >= end) break;
      if (start > cursor) missing[row]! += start - cursor;
      cursor = Math.max(cursor, passed.endTick[at]!);
    }
    if (cursor < end) missing[row]! += end - cursor;
  }
  return missing;
}

/** For each range of `cut`, the row of `other` that holds its last tick; −1 where none does. */
export function rowsOfLastTick(cut: Cut, other: Cut): Int32Array {
  const rows = new Int32Array(cut.length);
  let at = 0;
  for (let row = 0; row < cut.length; row++) {
    const last = cut.endTick[row]! - 1;
    while (at + 1 < other.length && other.startTick[at + 1]! <= last) at++;
    // Cuts may overlap themselves (repeats); a short step back finds the row again.
    while (at > 0 && other.startTick[at]! > last) at--;
    const holds = at < other.length && other.startTick[at]! <= last && last < other.endTick[at]!;
    rows[row] = holds ? at : -1;
  }
  return rows;
}

/** Several cuts as one, ascending. */
export function mergedCut(cuts: readonly Cut[]): Cut {
  const filled = cuts.filter(cut => cut.length > 0);
  if (filled.length === 1) return filled[0]!;
  const ranges: [number, number][] = [];
  for (const cut of filled)
    for (let row = 0; row < cut.length; row++)
      ranges.push([cut.startTick[row]!, cut.endTick[row]!]);
  ranges.sort((a, b) => a[0] - b[0]);
  return {
    length: ranges.length,
    startTick: ranges.map(range => range[0]),
    endTick: ranges.map(range => range[1]),
  };
}
