// From now and then to each frame: the browser says, when asked, which RTP
// timestamp left the jitter buffer last, and when. Asked 16 times a second, the
// frames between two answers left evenly between them.
//
//   asked       t0                        t1
//   answer      rtp 960                   rtp 3,840
//   frames      960    1,920    2,880     3,840      left at t0 + (t1 − t0) × i/3

/** Answers further apart than this tell nothing about what was between them. */
const APART_MS_MAX = 5_000;
/** Media and clock may differ by so much between two answers: stretching, compressing, concealing. */
const SLIP_MS_MAX = 1_000;

/** A moment at which a media position left the jitter buffer. */
export interface PlayoutPoint {
  /** Unwrapped RTP timestamp. */
  readonly rtp: number;
  readonly atMs: number;
}

/** Two answers in a row, between which media left at an even pace. */
export interface PlayoutSpan {
  readonly from: PlayoutPoint;
  readonly to: PlayoutPoint;
}

export class PlayoutTrack {
  readonly #clockRate: number;
  #last: PlayoutPoint | undefined;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  /** The last position known to have left. */
  get last(): PlayoutPoint | undefined {
    return this.#last;
  }

  /** A new answer; the span since the one before, where the two make one. */
  add(point: PlayoutPoint): PlayoutSpan | undefined {
    const from = this.#last;
    if (from !== undefined && point.rtp <= from.rtp && point.atMs - from.atMs < APART_MS_MAX)
      return undefined;
    this.#last = point;
    if (from === undefined || point.rtp <= from.rtp) return undefined;
    const passedMs = point.atMs - from.atMs;
    const mediaMs = ((point.rtp - from.rtp) * 1_000) / this.#clockRate;
    const isSound =
      passedMs >= 0 && passedMs < APART_MS_MAX && Math.abs(mediaMs - passedMs) < SLIP_MS_MAX;
    return isSound ? { from, to: point } : undefined;
  }
}

/** When `rtp`, which lies in the span, left. */
export function leftAtMs({ from, to }: PlayoutSpan, rtp: number): number {
  return from.atMs + ((rtp - from.rtp) / (to.rtp - from.rtp)) * (to.atMs - from.atMs);
}
