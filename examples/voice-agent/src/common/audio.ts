// The one audio format of this example: 16 kHz, mono, 16-bit, 20 ms frames.
//
// Both streams (`mic` and `agent`) keep it from end to end, so no stage has to
// resample and a tick always is 1/16,000 s.

export const SAMPLE_RATE_HZ = 16_000;
export const FRAME_MS = 20;
export const FRAME_SAMPLES = 320;
/** What the recogniser takes: five frames at once (a re-chunking on the path). */
export const STT_CHUNK_SAMPLES = 1_600;

const FULL_SCALE = 32_768;

/** Level of `pcm` in dB below full scale, its mean removed; −120 for silence. */
export function levelDb(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample;
  const mean = sum / Math.max(1, pcm.length);
  let energy = 0;
  for (const sample of pcm) energy += (sample - mean) ** 2;
  const power = energy / Math.max(1, pcm.length) / FULL_SCALE ** 2;
  return 10 * Math.log10(power + 1e-12);
}

/** `pcm` as the little-endian bytes that travel. Shares no memory with it. */
export function pcmToBytes(pcm: Int16Array): Buffer {
  const bytes = Buffer.alloc(pcm.length * 2);
  for (let i = 0; i < pcm.length; i += 1) bytes.writeInt16LE(pcm[i] ?? 0, i * 2);
  return bytes;
}

/** The samples in `bytes` (little-endian); an odd last byte is left out. */
export function bytesToPcm(bytes: Uint8Array): Int16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pcm = new Int16Array(bytes.byteLength >> 1);
  for (let i = 0; i < pcm.length; i += 1) pcm[i] = view.getInt16(i * 2, true);
  return pcm;
}

/** Collects samples and gives them back in equal pieces. */
export class Chunker {
  readonly #size: number;
  #held: Int16Array = new Int16Array(0);

  constructor(size: number) {
    this.#size = size;
  }

  /** Adds `pcm`; returns every full piece there is now. */
  push(pcm: Int16Array): Int16Array[] {
    const all = new Int16Array(this.#held.length + pcm.length);
    all.set(this.#held);
    all.set(pcm, this.#held.length);
    const pieces: Int16Array[] = [];
    let at = 0;
    for (; at + this.#size <= all.length; at += this.#size) {
      pieces.push(all.slice(at, at + this.#size));
    }
    this.#held = all.slice(at);
    return pieces;
  }

  /** The rest as one piece filled up with silence, or undefined if there is none. */
  flush(): Int16Array | undefined {
    if (this.#held.length === 0) return undefined;
    const piece = new Int16Array(this.#size);
    piece.set(this.#held);
    this.#held = new Int16Array(0);
    return piece;
  }

  /** Samples that wait for the rest of their piece. */
  get heldSamples(): number {
    return this.#held.length;
  }
}
