// A window of frames, whole: an answer that was cut short is asked for again in halves.
//
//   [----------------]  cut          [-----x-----]
//   [-------][-------]  one is cut   [-----][--x--]
//   [-------][---][--]  whole

import type { FramesWindow } from '@framescope/protocol';

export interface TimeWindow {
  readonly fromNs: number;
  readonly toNs: number;
}

/** 4 s in 2^6 pieces of 62 ms: what is still cut then, no screen can show. */
const HALVINGS_MAX = 6;

/** Windows in order of time that together cover `window`; the last resort stays marked as truncated. */
export async function fetchWhole(
  fetch: (window: TimeWindow) => Promise<FramesWindow>,
  window: TimeWindow,
  halvingsLeft: number = HALVINGS_MAX,
): Promise<FramesWindow[]> {
  const answer = await fetch(window);
  if (!answer.truncated || halvingsLeft === 0) return [answer];
  const middleNs = Math.round((window.fromNs + window.toNs) / 2);
  const early = await fetchWhole(fetch, { ...window, toNs: middleNs }, halvingsLeft - 1);
  const late = await fetchWhole(fetch, { ...window, fromNs: middleNs }, halvingsLeft - 1);
  return [...early, ...late];
}
