// Where a vendor's audio stands on a stream's media clock. The vendor counts
// its own samples (24 kHz, or 8 kHz of a telephone), the stream counts ticks:
//
//   own     0 ───────── 4800 │ 4800 ────── 9600        breaks: where a frame was
//   ticks   0 ───────── 1600 │ 2400 ────── 4000        known to stand elsewhere
//
// Whole numbers only: the sum of what was counted is converted, never a piece.

import { lowest } from '@framescope/protocol';

const BREAKS_MAX = 64;

/** From the vendor's sample `sample` on, `samples` of its samples are `ticks` ticks, the first at `tick`. */
export interface Bent {
  readonly sample: number;
  readonly tick: number;
  readonly samples: number;
  readonly ticks: number;
}

interface Break {
  readonly own: number;
  readonly tick: number;
}

export interface MediaPiece {
  readonly tick: number;
  /** Ticks; 0 for a piece shorter than one. */
  readonly length: number;
}

export class MediaPosition {
  readonly #streamRate: number;
  readonly #bent: (bent: Bent) => void;
  #ownRate: number;
  #breaks: Break[];
  #own = 0;
  /** Own samples counted at rates before this one. */
  #before = 0;
  /** Own samples when the vendor's own clock was last at 0: a new connection starts there. */
  #zeroOwn = 0;

  /** @param bent Told where the two clocks bend against each other. */
  constructor(
    rates: { readonly stream: number; readonly own: number },
    tick: number,
    bent: (bent: Bent) => void,
  ) {
    this.#streamRate = rates.stream;
    this.#ownRate = rates.own;
    this.#breaks = [{ own: 0, tick }];
    this.#bent = bent;
    if (rates.stream !== rates.own || tick !== 0) this.#tell(tick);
  }

  /** Tick of the next sample. */
  get tick(): number {
    return this.#tickOf(this.#own);
  }

  /** Takes the next `samples` of the vendor's. `tick`: where they stand, if that is known. */
  advance(samples: number, tick?: number): MediaPiece {
    if (tick !== undefined && tick !== this.tick) this.#break(tick);
    const from = this.tick;
    this.#own += samples;
    return { tick: from, length: this.tick - from };
  }

  /** The vendor's clock begins again here, perhaps at another rate. */
  restart(ownRate: number): void {
    if (ownRate !== this.#ownRate) {
      const { tick } = this;
      this.#ownRate = ownRate;
      this.#before += this.#own;
      this.#own = 0;
      this.#breaks = [{ own: 0, tick }];
      this.#tell(tick);
    }
    this.#zeroOwn = this.#own;
  }

  /** The tick at `ms` of the vendor's clock; never beyond what it was given. */
  tickAtMs(ms: number): number {
    const own = this.#zeroOwn + Math.round((ms * this.#ownRate) / 1_000);
    return this.#tickOf(Math.max(0, Math.min(own, this.#own)));
  }

  #break(tick: number): void {
    this.#breaks.push({ own: this.#own, tick });
    if (this.#breaks.length > BREAKS_MAX) this.#breaks.shift();
    this.#tell(tick);
  }

  #tell(tick: number): void {
    const [samples, ticks] = lowest(this.#ownRate, this.#streamRate);
    this.#bent({ sample: this.#before + this.#own, tick, samples, ticks });
  }

  #tickOf(own: number): number {
    const at = this.#breaks.findLast(one => one.own <= own) ?? this.#breaks[0]!;
    const ticks = Math.floor(((own - at.own) * this.#streamRate) / this.#ownRate);
    return Math.max(0, at.tick + ticks);
  }
}
