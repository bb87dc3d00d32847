// A jitter buffer run again on arrivals that were recorded: what another depth or
// policy would have done to the very same frames.
//
//   transit  = arrival − sending                    (clock offsets fall out)
//   jitter   = transit − least transit of the last 250 frames
//   a spurt starts `depth` after its first frame would have come at best; from then
//   on a frame a period; one that is not there in its turn is given up, and counted
//   as an underrun when it does come
//
// `adaptive` takes the 98th percentile of the jitter and a frame for its depth, and
// lets a spurt slip while that grows (examples/voice-agent/src/client/jitter-buffer.ts).

/** One frame of a stream, in the order of the axis. Times in ns on one axis. */
export interface Arrival {
  readonly sentNs: number;
  /** NaN: lost on the way. */
  readonly arrivedNs: number;
  /** Nothing follows it for a while. */
  readonly isSpurtEnd: boolean;
}

export type Policy =
  | { readonly kind: 'fixed'; readonly depthNs: number }
  | { readonly kind: 'adaptive'; readonly leastNs: number; readonly mostNs: number };

export interface Replay {
  /** From sending to leaving the buffer, a spurt at a time; NaN: it never left. */
  readonly delaysNs: readonly Float64Array[];
  readonly underruns: number;
  readonly played: number;
}

export interface Device {
  /** Pulls come at `phaseNs` and each period after it. */
  readonly periodNs: number;
  readonly phaseNs: number;
}

const WINDOW = 250;
const ENOUGH = 25;
const PERCENTILE = 0.98;
const FIRST_DEPTH_NS = 60e6;
/** Periods without a frame after which the sender counts as gone quiet. */
const CONCEAL_LIMIT = 5;

export function replayBuffer(arrivals: readonly Arrival[], policy: Policy, device: Device): Replay {
  const spurts = spurtsOf(arrivals);
  const run = new Run(policy, device);
  const order = arrivals
    .map((arrival, index) => ({ ...arrival, index }))
    .filter(one => !Number.isNaN(one.arrivedNs))
    .toSorted((a, b) => a.arrivedNs - b.arrivedNs);
  for (const one of order) run.push(one);
  run.finish();
  const delaysNs = spurts.map(([from, to]) =>
    Float64Array.from({ length: to - from }, (_, i) => {
      const leftNs = run.leftNs.get(from + i);
      return leftNs === undefined ? Number.NaN : leftNs - arrivals[from + i]!.sentNs;
    }),
  );
  return { delaysNs, underruns: run.underruns, played: run.leftNs.size };
}

function spurtsOf(arrivals: readonly Arrival[]): [number, number][] {
  const spurts: [number, number][] = [];
  let from = 0;
  for (const [at, { isSpurtEnd }] of arrivals.entries())
    if (isSpurtEnd || at === arrivals.length - 1) {
      spurts.push([from, at + 1]);
      from = at + 1;
    }
  return spurts;
}

type Frame = Arrival & { readonly index: number };

class Run {
  readonly leftNs = new Map<number, number>();
  underruns = 0;
  readonly #policy: Policy;
  readonly #device: Device;
  readonly #frames = new Map<number, Frame>();
  readonly #transits: number[] = [];
  #at = 0;
  #targetNs: number;
  #leastNs = Infinity;
  #next = 0;
  #isPlaying = false;
  #startAtNs = 0;
  #delayNs = 0;
  #concealed = 0;
  #pullNs = Number.NaN;

  constructor(policy: Policy, device: Device) {
    this.#policy = policy;
    this.#device = device;
    this.#targetNs = policy.kind === 'fixed' ? policy.depthNs : FIRST_DEPTH_NS;
  }

  push(frame: Frame): void {
    this.#pullUntil(frame.arrivedNs);
    const jitterNs = this.#jitterOf(frame.arrivedNs - frame.sentNs);
    if (frame.index < this.#next) {
      this.underruns++;
      return;
    }
    if (!this.#isPlaying && this.#frames.size === 0) {
      this.#startAtNs = frame.arrivedNs - jitterNs + this.#targetNs;
      this.#delayNs = Math.max(this.#targetNs, jitterNs);
    }
    this.#frames.set(frame.index, frame);
  }

  finish(): void {
    while (this.#frames.size > 0) this.#pullUntil(this.#pullNs + 100 * this.#device.periodNs);
  }

  #jitterOf(transitNs: number): number {
    if (this.#transits.length < WINDOW) this.#transits.push(transitNs);
    else this.#transits[this.#at] = transitNs;
    this.#at = (this.#at + 1) % WINDOW;
    if (this.#policy.kind === 'fixed') {
      this.#leastNs = this.#transits.reduce((least, one) => Math.min(least, one), Infinity);
      return transitNs - this.#leastNs;
    }
    const sorted = this.#transits.toSorted((a, b) => a - b);
    this.#leastNs = sorted[0]!;
    const { leastNs, mostNs } = this.#policy;
    const high = sorted[Math.ceil(PERCENTILE * sorted.length) - 1]! - this.#leastNs;
    if (sorted.length >= ENOUGH)
      this.#targetNs = Math.min(mostNs, Math.max(leastNs, high + this.#device.periodNs));
    return transitNs - this.#leastNs;
  }

  /** Pulls of the device before `untilNs`; while nothing plays or waits they do nothing. */
  #pullUntil(untilNs: number): void {
    const { periodNs, phaseNs } = this.#device;
    if (!this.#isPlaying && this.#frames.size === 0) {
      const count = Math.ceil((untilNs - phaseNs) / periodNs);
      this.#pullNs = phaseNs + count * periodNs;
      return;
    }
    for (; this.#pullNs < untilNs; this.#pullNs += periodNs) {
      this.#pull(this.#pullNs);
      if (!this.#isPlaying && this.#frames.size === 0) {
        this.#pullNs += periodNs;
        return this.#pullUntil(untilNs);
      }
    }
  }

  #pull(nowNs: number): void {
    if (!this.#isPlaying) {
      if (this.#frames.size === 0 || nowNs < this.#startAtNs) return;
      this.#next = Math.min(...this.#frames.keys());
      this.#isPlaying = true;
      this.#concealed = 0;
    }
    const frame = this.#frames.get(this.#next);
    if (frame === undefined) return this.#conceal();
    this.#frames.delete(frame.index);
    this.leftNs.set(frame.index, nowNs);
    this.#next = frame.index + 1;
    this.#concealed = 0;
    if (frame.isSpurtEnd) this.#stop();
  }

  #conceal(): void {
    if (this.#concealed >= CONCEAL_LIMIT && this.#frames.size === 0) return this.#stop();
    this.#concealed++;
    const { periodNs } = this.#device;
    if (this.#frames.size === 0 && this.#delayNs + periodNs <= this.#targetNs) {
      this.#delayNs += periodNs;
      return;
    }
    this.#next++;
  }

  #stop(): void {
    this.#isPlaying = false;
    this.#startAtNs = -Infinity;
  }
}
