// Which tick of a stream an RTP timestamp is: unwrapped from 32 bits, scaled from
// the RTP clock to the stream's rate, whole numbers only.

const UINT32 = 2 ** 32;
/** 120 ms: the longest packet of Opus. */
const FRAME_S_MAX = 0.12;
/** 20 ms, until two frames in a row have shown how long they are. */
const FRAMES_A_SECOND = 50;

export interface AxisPlace {
  /** Unwrapped RTP timestamp; may be negative for a packet older than the first. */
  readonly rtp: number;
  readonly tick: number;
}

export class RtpAxis {
  readonly #sampleRate: number;
  readonly #clockRate: number;
  #last: number | undefined;
  #base: AxisPlace | undefined;
  #frameRtp: number;

  /** @param clockRate RTP timestamps a second: 48,000 for Opus. */
  constructor(sampleRate: number, clockRate: number) {
    this.#sampleRate = sampleRate;
    this.#clockRate = clockRate;
    this.#frameRtp = Math.round(clockRate / FRAMES_A_SECOND);
  }

  get clockRate(): number {
    return this.#clockRate;
  }

  /** RTP timestamps that a frame takes, by the last two that followed each other. */
  get frameRtp(): number {
    return this.#frameRtp;
  }

  /** True once a timestamp was given a tick. */
  get isPlaced(): boolean {
    return this.#base !== undefined;
  }

  /** The timestamp without its wrap, near the last one seen. */
  unwrap(timestamp: number): number {
    if (this.#last === undefined) return (this.#last = timestamp);
    const rtp = this.#last + ((timestamp - (this.#last % UINT32)) | 0);
    if (rtp > this.#last) this.#last = rtp;
    return rtp;
  }

  /** Two frames of which the second came right after the first. */
  learnFrame(earlierRtp: number, laterRtp: number): void {
    const length = laterRtp - earlierRtp;
    if (length > 0 && length <= this.#clockRate * FRAME_S_MAX) this.#frameRtp = length;
  }

  /** This timestamp is this tick: the first time, or because the peer said so. */
  place(rtp: number, tick: number): void {
    this.#base = { rtp, tick };
  }

  /** `undefined` before `place`, and for what lies before tick 0. */
  tickOf(rtp: number): number | undefined {
    if (this.#base === undefined) return undefined;
    const passed = ((rtp - this.#base.rtp) * this.#sampleRate) / this.#clockRate;
    const tick = this.#base.tick + Math.floor(passed);
    return tick < 0 ? undefined : tick;
  }

  /** The timestamp on the wire, 32 bits, of a tick. */
  timestampOf(tick: number): number {
    const { rtp, tick: base } = this.#base ?? { rtp: 0, tick: 0 };
    const at = rtp + Math.round(((tick - base) * this.#clockRate) / this.#sampleRate);
    return ((at % UINT32) + UINT32) % UINT32;
  }

  /** Ticks of a stretch of RTP timestamps; at least 1. */
  ticksIn(rtp: number): number {
    return Math.max(1, Math.round((rtp * this.#sampleRate) / this.#clockRate));
  }
}
