// WAV (RIFF) to samples: PCM of 8 to 32 bits, float, and the two companded forms that telephone
// recordings come in. Foreign bytes: any of them may be wrong, and none makes it throw. Pure.

export interface Decoded {
  readonly sampleRate: number;
  /** One column a channel, −1 to 1. */
  readonly channels: readonly Float32Array[];
}

export type WavResult =
  | { readonly kind: 'audio'; readonly audio: Decoded }
  /** No WAV at all: another decoder may know it. */
  | { readonly kind: 'other' }
  | { readonly kind: 'broken'; readonly problem: string };

const CHANNELS_MAX = 16;
const FORMAT = { pcm: 1, float: 3, alaw: 6, mulaw: 7, extensible: 0xfffe } as const;

export function readWav(bytes: Uint8Array): WavResult {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || textAt(bytes, 0) !== 'RIFF' || textAt(bytes, 8) !== 'WAVE')
    return { kind: 'other' };
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = textAt(bytes, at);
    const size = view.getUint32(at + 4, true);
    const end = Math.min(bytes.length, at + 8 + size);
    if (name === 'fmt ' && end - at >= 24) format = formatAt(view, at + 8, end);
    if (name === 'data') {
      if (format === undefined) return broken('its data come before its format');
      return decode(view, format, { from: at + 8, to: end });
    }
    // Chunks are padded to even lengths.
    at += 8 + size + (size % 2);
  }
  return broken('it has no data');
}

const broken = (problem: string): WavResult => ({ kind: 'broken', problem });
const textAt = (bytes: Uint8Array, at: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + 4));

interface Format {
  readonly code: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: number;
}

function formatAt(view: DataView, at: number, end: number): Format {
  const code = view.getUint16(at, true);
  return {
    // The extensible form names the real one in the first two bytes of its GUID.
    code: code === FORMAT.extensible && end - at >= 26 ? view.getUint16(at + 24, true) : code,
    channels: view.getUint16(at + 2, true),
    sampleRate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
}

type Read = (at: number) => number;

function decode(
  view: DataView,
  { code, channels, sampleRate, bits }: Format,
  { from, to }: { from: number; to: number },
): WavResult {
  if (channels < 1 || channels > CHANNELS_MAX) return broken(`it says it has ${channels} channels`);
  if (sampleRate < 1_000 || sampleRate > 400_000)
    return broken(`it says it has ${sampleRate} samples a second`);
  const read = readerOf(view, code, bits);
  if (!read) return broken(`its samples are of a kind that is not known (${code}, ${bits} bits)`);
  const bytesEach = bits / 8;
  const length = Math.floor((to - from) / (bytesEach * channels));
  const columns = Array.from({ length: channels }, () => new Float32Array(length));
  let at = from;
  for (let i = 0; i < length; i++)
    for (const column of columns) {
      column[i] = read(at);
      at += bytesEach;
    }
  return { kind: 'audio', audio: { sampleRate, channels: columns } };
}

function readerOf(view: DataView, code: number, bits: number): Read | undefined {
  if (code === FORMAT.pcm)
    return {
      8: (at: number) => (view.getUint8(at) - 128) / 128,
      16: (at: number) => view.getInt16(at, true) / 2 ** 15,
      24: (at: number) =>
        ((view.getUint8(at) | (view.getUint8(at + 1) << 8) | (view.getUint8(at + 2) << 16)) << 8) /
        2 ** 31,
      32: (at: number) => view.getInt32(at, true) / 2 ** 31,
    }[bits];
  if (code === FORMAT.float)
    return {
      32: (at: number) => view.getFloat32(at, true) || 0,
      64: (at: number) => view.getFloat64(at, true) || 0,
    }[bits];
  if (bits !== 8) return undefined;
  if (code === FORMAT.mulaw) return at => MULAW[view.getUint8(at)]!;
  return code === FORMAT.alaw ? at => ALAW[view.getUint8(at)]! : undefined;
}

/** ITU-T G.711: sign, exponent of three bits, mantissa of four, all inverted. */
const MULAW: Float32Array = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff;
  const size = (((code & 0x0f) << 3) + 0x84) << ((code & 0x70) >> 4);
  return ((code & 0x80) === 0 ? size - 0x84 : 0x84 - size) / 2 ** 15;
});

/** The same with even bits inverted, and a linear first segment. */
const ALAW: Float32Array = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = byte ^ 0x55;
  const exponent = (code & 0x70) >> 4;
  const mantissa = (code & 0x0f) << 4;
  const size = exponent === 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1);
  return ((code & 0x80) === 0 ? -size : size) / 2 ** 15;
});
