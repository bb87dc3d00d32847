// Notices when a session's clocks turned out to be other than was thought.
//
// Each exchange moves an offset by a few microseconds, and nothing is worth
// telling again for that. When an offset that was used has moved by more than
// its bound, everything computed with it was wrong by more than it said: a new
// revision begins and all is told anew.

import type { ClockKey } from './clock-graph.ts';
import type { ClockMap } from './session-clocks.ts';

interface Used {
  readonly rawNs: number;
  readonly sessionNs: number;
  readonly source: string;
}

/** Bounds of clocks on one host are 0: less than this is no move. */
const LEAST_MOVE_NS = 50_000;

export class RevisionWatch {
  #revision: number;
  readonly #used = new Map<ClockKey, Used>();

  constructor(first = 0) {
    this.#revision = first;
  }

  /** The revision to compute with now. `isClosing`: the last word, with all that is known. */
  next(maps: ReadonlyMap<ClockKey, ClockMap>, isClosing: boolean): number {
    let hasMoved = isClosing;
    for (const [key, map] of maps) {
      const used = this.#used.get(key);
      if (used === undefined) continue;
      const movedNs = Math.abs(map.toSession(used.rawNs) - used.sessionNs);
      if (movedNs > Math.max(map.boundNs(used.rawNs), LEAST_MOVE_NS)) hasMoved = true;
      if (map.source !== used.source) hasMoved = true;
    }
    if (hasMoved) {
      this.#revision++;
      this.#used.clear();
    }
    for (const [key, map] of maps) if (!this.#used.has(key)) this.#used.set(key, usedNow(map));
    return this.#revision;
  }
}

function usedNow(map: ClockMap): Used {
  const rawNs = map.correction.lastNs;
  return { rawNs, sessionNs: map.toSession(rawNs), source: map.source };
}
