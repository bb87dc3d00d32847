// Which part of a session is in view: pure moves of a window over time.

export interface Viewport {
  readonly fromNs: number;
  readonly toNs: number;
}

/** Two milliseconds over the width: finer than any mark's error. */
const SPAN_NS_MIN = 2_000_000;

const spanOf = (view: Viewport): number => view.toNs - view.fromNs;

/** Zooms by `factor` (>1 is out), holding the time at `share` of the width in place. */
export function zoomed(view: Viewport, factor: number, share: number, spanNsMax: number): Viewport {
  const span = Math.min(Math.max(spanOf(view) * factor, SPAN_NS_MIN), spanNsMax);
  const heldNs = view.fromNs + spanOf(view) * share;
  return { fromNs: heldNs - span * share, toNs: heldNs + span * (1 - share) };
}

/** Moves by a share of the width; positive is later. */
export function panned(view: Viewport, share: number): Viewport {
  const byNs = spanOf(view) * share;
  return { fromNs: view.fromNs + byNs, toNs: view.toNs + byNs };
}

/** Keeps at least a tenth of the window on the session. */
export function held(view: Viewport, durationNs: number): Viewport {
  const slackNs = spanOf(view) * 0.9;
  const shiftNs =
    Math.max(-slackNs - view.fromNs, 0) + Math.min(durationNs + slackNs - view.toNs, 0);
  return { fromNs: view.fromNs + shiftNs, toNs: view.toNs + shiftNs };
}

/** A window around a stretch, with air on both sides. */
export function around(startNs: number, endNs: number, air = 0.15): Viewport {
  const span = Math.max(endNs - startNs, SPAN_NS_MIN);
  return { fromNs: startNs - span * air, toNs: endNs + span * air };
}

/**
 * Where the live edge is now: session time runs on evenly between two arrivals
 * of data, so that the picture slides instead of jumping once a second.
 */
export class LiveEdge {
  #offsetNs: number | undefined;

  /** Data up to `toNs` became readable at `nowMs`. */
  saw(toNs: number, nowMs: number): void {
    const offsetNs = toNs - nowMs * 1e6;
    if (this.#offsetNs === undefined) this.#offsetNs = offsetNs;
    // Ahead of us: follow at once by half. Behind: it waited in a batch; drift slowly.
    else this.#offsetNs += (offsetNs - this.#offsetNs) * (offsetNs > this.#offsetNs ? 0.5 : 0.05);
  }

  at(nowMs: number): number | undefined {
    return this.#offsetNs === undefined ? undefined : nowMs * 1e6 + this.#offsetNs;
  }
}
