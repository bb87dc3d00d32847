// The trailer of an encoded frame: a tag, now and then an anchor, behind the
// payload. Only on frames between two ends that both announced it: a receiver
// that does not take it off would hand it to its decoder.
//
//   | payload | tag 8 [anchor] | u16 length of tag and anchor | 46 53 54 01 |
//
// This function runs in a worker, sent there as its own text: it names nothing
// outside itself.

/** How a sender's ticks follow from RTP timestamps. */
export interface TrailerPlace {
  readonly check: number;
  readonly streamNumber: number;
  readonly rtp0: number;
  readonly tick0: number;
  /** Ticks a second, and RTP timestamps a second. */
  readonly sampleRate: number;
  readonly clockRate: number;
  /** An anchor for the next frame. */
  readonly anchor?: Uint8Array;
}

export interface FoundTrailer {
  /** Where the payload ends. */
  readonly at: number;
  readonly tickLow: number;
  readonly streamNumber: number;
  readonly anchor: Uint8Array | undefined;
}

export interface TrailerCodec {
  /** `undefined` for a frame that carries none of this session. */
  find(bytes: Uint8Array, check: number): FoundTrailer | undefined;
  append(bytes: Uint8Array, place: TrailerPlace, rtp: number): Uint8Array<ArrayBuffer>;
}

export function trailerCodec(): TrailerCodec {
  const TAG = 8;
  const END = [0x46, 0x53, 0x54, 0x01];
  const TAIL = 6;
  const TAG_VERSION = 1;

  const find = (bytes: Uint8Array, check: number): FoundTrailer | undefined => {
    const n = bytes.length;
    if (n < TAG + TAIL || END.some((byte, i) => bytes[n - 4 + i] !== byte)) return undefined;
    const length = bytes[n - 6]! | (bytes[n - 5]! << 8);
    const at = n - TAIL - length;
    if (length < TAG || at < 0 || bytes[at]! >> 6 !== TAG_VERSION) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, TAG);
    if (view.getUint16(2, true) !== check) return undefined;
    const anchor = length > TAG ? bytes.slice(at + TAG, at + length) : undefined;
    return { at, tickLow: view.getUint32(4, true), streamNumber: bytes[at + 1]!, anchor };
  };

  const append = (bytes: Uint8Array, place: TrailerPlace, rtp: number): Uint8Array<ArrayBuffer> => {
    const length = TAG + (place.anchor?.length ?? 0);
    const out = new Uint8Array(bytes.length + length + TAIL);
    out.set(bytes);
    const view = new DataView(out.buffer, bytes.length);
    const passed = (((rtp - place.rtp0) | 0) * place.sampleRate) / place.clockRate;
    const tick = place.tick0 + Math.floor(passed);
    view.setUint8(0, TAG_VERSION << 6);
    view.setUint8(1, place.streamNumber);
    view.setUint16(2, place.check, true);
    view.setUint32(4, ((tick % 2 ** 32) + 2 ** 32) % 2 ** 32, true);
    if (place.anchor !== undefined) out.set(place.anchor, bytes.length + TAG);
    view.setUint16(length, length, true);
    out.set(END, out.length - 4);
    return out;
  };

  return { find, append };
}
