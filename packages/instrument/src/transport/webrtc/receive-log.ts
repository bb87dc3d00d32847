// The frames that came in lately, in the order of the media, and what was
// between them: lost packets (sequence numbers are missing) or silence that
// nobody sent (DTX: timestamps jump, sequence numbers do not).

/** 10 s of 20 ms frames: a jitter buffer holds 4 at most. */
const FRAMES_MAX = 512;

export interface ReceivedFrame {
  /** Unwrapped RTP timestamp. */
  readonly rtp: number;
  readonly length: number;
  /** 16 bits; absent where the browser does not tell. */
  readonly sequence: number | undefined;
}

/** A stretch of media, as it came or did not come. */
export interface Stretch {
  readonly kind: 'received' | 'lost' | 'silence';
  readonly rtp: number;
  readonly length: number;
}

export class ReceiveLog {
  #frames: ReceivedFrame[] = [];

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** Takes a frame in; false for one that was there before, or is padding behind it. */
  add(frame: ReceivedFrame): boolean {
    let at = this.#frames.length;
    while (at > 0 && this.#frames[at - 1]!.rtp > frame.rtp) at--;
    const same = this.#frames[at - 1];
    if (same?.rtp === frame.rtp) {
      // Padding uses up sequence numbers: what follows it is not lost.
      const isLater = ((frame.sequence ?? 0) - (same.sequence ?? 0)) & 0xffff;
      if (isLater < 0x8000) this.#frames[at - 1] = { ...same, sequence: frame.sequence };
      return false;
    }
    this.#frames.splice(at, 0, frame);
    if (this.#frames.length > FRAMES_MAX) this.#frames.shift();
    return true;
  }

  /** What lies from `fromRtp` up to `toRtp`, in order; stretches are not cut at its ends. */
  between(fromRtp: number, toRtp: number): Stretch[] {
    const found: Stretch[] = [];
    for (let i = 0; i < this.#frames.length; i++) {
      const frame = this.#frames[i]!;
      if (frame.rtp >= toRtp) break;
      const { rtp, length } = frame;
      if (rtp >= fromRtp) found.push({ kind: 'received', rtp, length });
      const gap = this.#gapAfter(i);
      if (gap !== undefined && gap.rtp >= fromRtp && gap.rtp < toRtp) found.push(gap);
    }
    return found;
  }

  /** The hole behind frame `i`, once the next one is there. */
  #gapAfter(i: number): Stretch | undefined {
    const frame = this.#frames[i]!;
    const next = this.#frames[i + 1];
    const rtp = frame.rtp + frame.length;
    if (next === undefined || next.rtp <= rtp) return undefined;
    if (frame.sequence === undefined || next.sequence === undefined) return undefined;
    const missing = ((next.sequence - frame.sequence) & 0xffff) - 1;
    const length = next.rtp - rtp;
    // In a pause of DTX a packet may be lost too, or be padding: that is no second of speech lost.
    const isLost = missing * 2 >= length / frame.length;
    return { kind: isLost ? 'lost' : 'silence', rtp, length };
  }
}
