// The level of the background: minimum statistics. The quietest smoothed step
// of the last three seconds is background, because nobody speaks for three
// seconds without a closure between two sounds; a bias takes the minimum back
// to the mean. Follows a fall at once and a rise after three seconds.

/** Ten steps of 10 ms are kept as their minimum; 30 of those are the window. */
const BLOCK_STEPS = 10;
const WINDOW_BLOCKS = 30;
/** One-pole smoothing over about four steps. */
const SMOOTHING = 0.25;
/** Mean over minimum for smoothed steps of stationary noise (measured on white noise: 1.6). */
const BIAS_DB = 1.5;
/** Below this nothing is speech, whatever the floor: digital silence has no floor. */
const LOWEST_DB = -75;

export class FloorTracker {
  #smoothedDb: number | undefined;
  #blockMinDb = Infinity;
  #blockSteps = 0;
  readonly #blockMins: number[] = [];

  /** Takes the level of the next step; returns the floor, this step included. */
  push(db: number): number {
    this.#smoothedDb =
      this.#smoothedDb === undefined ? db : this.#smoothedDb + SMOOTHING * (db - this.#smoothedDb);
    this.#blockMinDb = Math.min(this.#blockMinDb, this.#smoothedDb);
    const floorDb = Math.min(this.#blockMinDb, ...this.#blockMins) + BIAS_DB;
    this.#blockSteps += 1;
    if (this.#blockSteps === BLOCK_STEPS) this.#closeBlock();
    return Math.max(floorDb, LOWEST_DB);
  }

  #closeBlock(): void {
    this.#blockMins.push(this.#blockMinDb);
    if (this.#blockMins.length > WINDOW_BLOCKS) this.#blockMins.shift();
    this.#blockMinDb = Infinity;
    this.#blockSteps = 0;
  }
}
