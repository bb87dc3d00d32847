// Frames as text: a lane per hop, a letter per frame, a column per millisecond.
//
//   send     a.b.c     frame a left at 0 ms, b at 2, c at 4
//   receive  .a.b.c    and arrived 1 ms later
//
// A capital is a frame that was lost after this hop. Frame `a` is ticks [0, 10), `b` [10, 20).
// A group in brackets is one chunk: `(abc)` holds three frames and leaves at its first column.

import type { Rows } from '../src/layout/train.ts';
import type { Lanes, Station } from '../src/layout/lanes.ts';

export const TICKS = 10;
const MS = 1e6;

export function rowsOf(picture: string): Rows {
  const found: { from: number; to: number; atNs: number; flags: number }[] = [];
  let column = 0;
  for (const [piece] of picture.matchAll(/\([a-z]+\)|./g)) {
    if (piece !== '.') {
      const letters = piece.replaceAll(/[()]/g, '');
      const of = (letter: string): number => letter.toLowerCase().charCodeAt(0) - 97;
      found.push({
        from: of(letters[0]!) * TICKS,
        to: (of(letters.at(-1)!) + 1) * TICKS,
        atNs: column * MS,
        flags: /[A-Z]/.test(letters) ? 2 : 0,
      });
    }
    column++;
  }
  return {
    length: found.length,
    rawShiftNs: 0,
    startTick: found.map(row => row.from),
    endTick: found.map(row => row.to),
    atNs: found.map(row => row.atNs),
    latencyNs: found.map(() => 0),
    flags: found.map(row => row.flags),
  };
}

/** One stream of hops 100 px apart; a leg's limit is 4 ms; ten ticks last a millisecond. */
export function lanesOf(...names: readonly string[]): Lanes {
  const stations = names.map((name, i): Station => ({
    key: name,
    stream: 'mic',
    role: 'client',
    name,
    direction: 'up',
    errorNs: 0,
    budgetNs: null,
    p50Ns: null,
    p95Ns: null,
    sampleRate: 10_000,
    frameTicks: TICKS,
    y: 100 + i * 100,
  }));
  const band = { top: 0, height: 0 };
  return {
    heightPx: 0,
    axisPx: 0,
    user: band,
    agent: band,
    ledger: { ...band, barPx: 0 },
    stages: { ...band, rowPx: 0, rows: 0 },
    stations,
    legs: stations.slice(1).map((_, i) => ({ from: i, to: i + 1, limitNs: 4 * MS })),
  };
}

/** Ten pixels a millisecond from 0. */
export const scaleOf = (ms: number, fromMs: number = 0) => ({
  fromNs: fromMs * MS,
  toNs: (fromMs + ms) * MS,
  leftPx: 0,
  widthPx: ms * 10,
});
