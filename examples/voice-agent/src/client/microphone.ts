// The microphone: room tone all the time, and a recording of a human voice over
// it when the user speaks. Gives 20 ms at a time, for ever, as a device does.

import { FRAME_SAMPLES } from '../common/audio.ts';
import { normal, randomFrom } from '../common/random.ts';

/** A quiet room. The recordings' own background is at about −56. */
const ROOM_DB = -62;
const ROOM_LOOP_SAMPLES = 32_000;

export class Microphone {
  readonly #room: Int16Array;
  #roomAt = 0;
  #clip: Int16Array | undefined;
  #clipAt = 0;

  constructor(seed: number) {
    const random = randomFrom(seed, 'room');
    const amplitude = 32_768 * 10 ** (ROOM_DB / 20);
    this.#room = Int16Array.from({ length: ROOM_LOOP_SAMPLES }, () => normal(random) * amplitude);
  }

  get isSpeaking(): boolean {
    return this.#clip !== undefined;
  }

  /** Starts a recording; what was going on is cut off. */
  speak(clip: Int16Array): void {
    this.#clip = clip;
    this.#clipAt = 0;
  }

  next(): Int16Array {
    const frame = new Int16Array(FRAME_SAMPLES);
    for (let i = 0; i < FRAME_SAMPLES; i += 1) {
      const voice = this.#clip?.[this.#clipAt + i] ?? 0;
      const room = this.#room[(this.#roomAt + i) % ROOM_LOOP_SAMPLES] ?? 0;
      frame[i] = Math.max(-32_768, Math.min(32_767, voice + room));
    }
    this.#roomAt += FRAME_SAMPLES;
    this.#clipAt += FRAME_SAMPLES;
    if (this.#clip !== undefined && this.#clipAt >= this.#clip.length) this.#clip = undefined;
    return frame;
  }
}
