// Where is voice, by energy alone. Good to some 20 ms on what a synthesiser
// makes and on a clean line; every moment found so says `energy` as its source.
//
//   window │ · · · ▂ ▅ █ █ ▅ · · █ ▅ · · · · · · ·
//          │       └ onset                   └ 200 ms of silence: over
//                    └─ 250 ms voiced: it counts as an utterance

/** −42 dBFS: above the comfort noise of synthesisers and lines, below a quiet vowel. */
const RMS_MIN = 0.008;
const WINDOW_MS = 10;
/** A single loud window is a click. */
const ONSET_WINDOWS = 2;
/** Over the noise floor it has to be this many times: 9 dB. */
const OVER_FLOOR = 2.8;
/** How fast the floor follows a louder room, each window; downwards it falls at once. */
const FLOOR_RISE = 1.005;

/** Cuts samples into windows of 10 ms and tells how loud each is. */
class Windows {
  readonly #size: number;
  #sum = 0;
  #count = 0;
  /** First sample of the window that is being filled. */
  start: number;

  constructor(sampleRate: number, start: number) {
    this.#size = Math.max(1, Math.round((sampleRate * WINDOW_MS) / 1_000));
    this.start = start;
  }

  get size(): number {
    return this.#size;
  }

  /** Calls `full` with the level of each window that `samples` complete; stops when it says so. */
  push(samples: Float32Array, full: (rms: number, start: number) => boolean): void {
    for (const sample of samples) {
      this.#sum += sample * sample;
      if (++this.#count < this.#size) continue;
      const rms = Math.sqrt(this.#sum / this.#size);
      const { start } = this;
      this.start += this.#size;
      this.#sum = 0;
      this.#count = 0;
      if (full(rms, start)) return;
    }
  }
}

/** Finds the first voiced sample of an answer. Gives up after `searchMs`. */
export class OnsetSearch {
  readonly #windows: Windows;
  readonly #untilSample: number;
  #loud = 0;
  #found: number | undefined;

  constructor(sampleRate: number, searchMs = 3_000) {
    this.#windows = new Windows(sampleRate, 0);
    this.#untilSample = Math.round((sampleRate * searchMs) / 1_000);
  }

  /** The next samples of the answer. Answers the first voiced one, counted from its first, once known. */
  push(samples: Float32Array): number | undefined {
    if (this.#found !== undefined) return this.#found;
    this.#windows.push(samples, (rms, start) => {
      this.#loud = rms >= RMS_MIN ? this.#loud + 1 : 0;
      if (this.#loud < ONSET_WINDOWS) return false;
      this.#found = start - (ONSET_WINDOWS - 1) * this.#windows.size;
      return true;
    });
    return this.#found;
  }

  /** Nothing voiced came: it will not be looked for any further. */
  get isExhausted(): boolean {
    return this.#found === undefined && this.#windows.start >= this.#untilSample;
  }
}

export interface UtteranceEvents {
  /** 250 ms were voiced; it began at `onset`. */
  readonly began: (onset: number) => void;
  /** 200 ms of silence followed `end`. `voiced`: samples from onset to end. */
  readonly ended: (onset: number, end: number) => void;
}

/** At least so long voiced, closed by so much silence: rule 9 of the ledger. */
const VOICED_MS = 250;
const SILENCE_MS = 200;

/** Utterances of one stream. Positions are samples, counted from the first one pushed. */
export class UtteranceDetector {
  readonly #windows: Windows;
  readonly #events: UtteranceEvents;
  #floor = RMS_MIN / OVER_FLOOR;
  #onset: number | undefined;
  #end = 0;
  #voicedWindows = 0;
  #hasBegun = false;

  constructor(sampleRate: number, events: UtteranceEvents) {
    this.#windows = new Windows(sampleRate, 0);
    this.#events = events;
  }

  push(samples: Float32Array): void {
    this.#windows.push(samples, (rms, start) => {
      this.#window(rms, start);
      return false;
    });
  }

  #window(rms: number, start: number): void {
    const isVoiced = rms >= Math.max(RMS_MIN, this.#floor * OVER_FLOOR);
    // Speech is not noise: the floor is learnt between utterances, and slowly.
    if (!isVoiced) this.#floor = Math.max(1e-5, Math.min(this.#floor * FLOOR_RISE, rms));
    if (isVoiced) this.#voiced(start);
    else if (this.#onset !== undefined) this.#silent(start);
  }

  #voiced(start: number): void {
    this.#onset ??= start;
    this.#end = start + this.#windows.size;
    this.#voicedWindows++;
    if (this.#hasBegun || this.#voicedWindows * WINDOW_MS < VOICED_MS) return;
    this.#hasBegun = true;
    this.#events.began(this.#onset);
  }

  #silent(start: number): void {
    const silentMs = ((start + this.#windows.size - this.#end) / this.#windows.size) * WINDOW_MS;
    if (silentMs < SILENCE_MS) return;
    const onset = this.#onset ?? 0;
    const wasUtterance = this.#hasBegun;
    this.#onset = undefined;
    this.#voicedWindows = 0;
    this.#hasBegun = false;
    if (wasUtterance) this.#events.ended(onset, this.#end);
  }
}
