// The ears of a vendor's stand-in: a plain energy detector with the settings of
// `server_vad`, on the audio that a client appended.

const FRAME_MS = 20;
/** −34 dBFS. */
const LOUD = 0.02;
/** So many loud frames in a row begin speech. */
const ONSET_FRAMES = 3;

export interface HearingEvents {
  /** Speech began at `ms` of the audio received. */
  readonly began: (ms: number) => void;
  /** Its last loud frame ended `silenceMs` before now; `ms`: now. */
  readonly ended: (ms: number) => void;
}

export class Hearing {
  readonly #silenceMs: number;
  readonly #events: HearingEvents;
  #rest: number[] = [];
  #ms = 0;
  #loudFrames = 0;
  #lastLoudMs = 0;
  #isSpeaking = false;

  constructor(silenceMs: number, events: HearingEvents) {
    this.#silenceMs = silenceMs;
    this.#events = events;
  }

  /** `bytes`: 24 kHz PCM, or 8 kHz µ-law. */
  push(bytes: Buffer, isMulaw: boolean): void {
    const size = isMulaw ? 8 * FRAME_MS : 24 * FRAME_MS;
    const count = isMulaw ? bytes.length : bytes.length >> 1;
    for (let i = 0; i < count; i++)
      this.#rest.push(isMulaw ? fromMulaw(bytes[i]!) : bytes.readInt16LE(2 * i) / 32_768);
    while (this.#rest.length >= size) this.#frame(this.#rest.splice(0, size));
  }

  #frame(samples: readonly number[]): void {
    const rms = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    this.#ms += FRAME_MS;
    this.#loudFrames = rms >= LOUD ? this.#loudFrames + 1 : 0;
    if (rms >= LOUD) this.#lastLoudMs = this.#ms;
    if (!this.#isSpeaking && this.#loudFrames >= ONSET_FRAMES) {
      this.#isSpeaking = true;
      this.#events.began(this.#ms - ONSET_FRAMES * FRAME_MS);
    } else if (this.#isSpeaking && this.#ms - this.#lastLoudMs >= this.#silenceMs) {
      this.#isSpeaking = false;
      this.#events.ended(this.#ms);
    }
  }
}

/** ITU-T G.711. */
function fromMulaw(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
  return ((code & 0x80) === 0 ? magnitude : -magnitude) / 32_768;
}
