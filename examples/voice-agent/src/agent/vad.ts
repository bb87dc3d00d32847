// Voice activity detection on the samples themselves: energy against an
// adaptive noise floor, in two bands, with hysteresis and look-back.
//
// Two bands, because white-ish noise spreads over 8 kHz while a vowel does not:
// below 4 kHz it stands 3 dB further out of the noise. The upper band is for a
// final "s", which has nothing below 4 kHz.
//
//   10 ms:   . . . . # # # # # # # . # # # . . . . . . . . . . .
//                    ^ start (looked back)   ^ last voiced      ^ stop reported
//                                            |<---- hangover --->|
//
// The tick that is reported is where speech ended, never when that was noticed.

import { SAMPLE_RATE_HZ } from '../common/audio.ts';
import { BandSplit } from './band-split.ts';
import { FloorTracker } from './noise-floor.ts';

const STEP_SAMPLES = SAMPLE_RATE_HZ / 100;
/** Speech begins this far above the floor. */
const ONSET_DB = 10;
/**
 * Speech goes on down to a quarter of the way from floor to peak, less 3 dB: in
 * a quiet room breath after a word is left out, in noise the masked end of a
 * word is still taken. The limits: 3 dB is three sigma of a step of white noise.
 */
const HOLD_SHARE = 0.25;
const HOLD_LESS_DB = 3;
const HOLD_MIN_DB = 3;
const HOLD_MAX_DB = 10;
/** A step this far under the loudest of the utterance is breath or room, not speech. */
const UNDER_PEAK_DB = 32;
/** This many voiced steps of the last ONSET_WINDOW begin speech: a click does not. */
const ONSET_STEPS = 4;
const ONSET_WINDOW = 6;
/** After this many unvoiced steps speech is over. */
const HANGOVER_STEPS = 20;

export type VadEvent =
  | { readonly kind: 'start'; readonly tick: number }
  | { readonly kind: 'stop'; readonly tick: number };

interface Band {
  readonly floor: FloorTracker;
  peakDb: number;
}

export class VoiceActivityDetector {
  readonly #low: Band = { floor: new FloorTracker(), peakDb: -120 };
  readonly #high: Band = { floor: new FloorTracker(), peakDb: -120 };
  readonly #split = new BandSplit();
  readonly #step = new Float64Array(STEP_SAMPLES);
  #filled = 0;
  #tick = 0;
  #recent: boolean[] = [];
  #isSpeaking = false;
  #silentSteps = 0;
  #lastVoicedEndTick = 0;
  #startTick = 0;

  get isSpeaking(): boolean {
    return this.#isSpeaking;
  }

  /** End of the last step that was speech, as far as is known now. */
  get lastVoicedTick(): number {
    return this.#lastVoicedEndTick;
  }

  /** Where the utterance that goes on, or the last one, began. */
  get startTick(): number {
    return this.#startTick;
  }

  /** Takes the next samples of the stream; returns what they brought about, in order. */
  push(pcm: Int16Array): VadEvent[] {
    const events: VadEvent[] = [];
    for (const sample of pcm) {
      this.#step[this.#filled] = sample / 32_768;
      this.#filled += 1;
      if (this.#filled < STEP_SAMPLES) continue;
      this.#filled = 0;
      this.#tick += STEP_SAMPLES;
      const event = this.#advance();
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #advance(): VadEvent | undefined {
    const { lowDb, highDb } = this.#split.measure(this.#step);
    const isLow = this.#isVoiced(this.#low, lowDb);
    const isHigh = this.#isVoiced(this.#high, highDb);
    const isVoiced = isLow || isHigh;
    return this.#isSpeaking ? this.#whileSpeaking(isVoiced) : this.#whileSilent(isVoiced);
  }

  #isVoiced(band: Band, db: number): boolean {
    const floorDb = band.floor.push(db);
    if (!this.#isSpeaking) return db > floorDb + ONSET_DB;
    band.peakDb = Math.max(band.peakDb, db);
    const holdDb = (band.peakDb - floorDb) * HOLD_SHARE - HOLD_LESS_DB;
    const clampedDb = Math.min(HOLD_MAX_DB, Math.max(HOLD_MIN_DB, holdDb));
    return db > floorDb + clampedDb && db > band.peakDb - UNDER_PEAK_DB;
  }

  #whileSilent(isVoiced: boolean): VadEvent | undefined {
    this.#recent.push(isVoiced);
    if (this.#recent.length > ONSET_WINDOW) this.#recent.shift();
    if (this.#recent.filter(Boolean).length < ONSET_STEPS) return undefined;
    const firstVoiced = this.#recent.indexOf(true);
    this.#startTick = this.#tick - (this.#recent.length - firstVoiced) * STEP_SAMPLES;
    this.#recent = [];
    this.#isSpeaking = true;
    this.#silentSteps = 0;
    this.#lastVoicedEndTick = this.#tick;
    return { kind: 'start', tick: this.#startTick };
  }

  #whileSpeaking(isVoiced: boolean): VadEvent | undefined {
    if (isVoiced) {
      this.#silentSteps = 0;
      this.#lastVoicedEndTick = this.#tick;
      return undefined;
    }
    this.#silentSteps += 1;
    if (this.#silentSteps < HANGOVER_STEPS) return undefined;
    this.#isSpeaking = false;
    this.#low.peakDb = -120;
    this.#high.peakDb = -120;
    return { kind: 'stop', tick: this.#lastVoicedEndTick };
  }
}
