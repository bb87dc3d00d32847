// A two-channel WAV as numbers: 16 bit PCM, 32 bit float, µ-law or A-law, as recorders write it.

/** What is wrong with a file, and what to do. */
export class WavProblem extends Error {
  override readonly name = 'WavProblem';
}

export interface Recording {
  readonly sampleRate: number;
  /** Samples −1…1: the caller, the agent. */
  readonly channels: readonly [Float32Array, Float32Array];
}

const FORMAT = { pcm: 1, float: 3, aLaw: 6, muLaw: 7, extensible: 0xfffe } as const;

/** @throws {WavProblem} */
export function readWav(bytes: Buffer): Recording {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF')
    throw new WavProblem('is no WAV file: it does not begin with "RIFF"');
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const from = at + 8;
    // A recorder that was killed leaves a length of 0 or of all ones behind.
    const to = Math.min(bytes.length, from + (length === 0 ? bytes.length : length));
    if (id === 'fmt ') format = readFormat(bytes.subarray(from, to));
    if (id === 'data') {
      if (format === undefined) throw new WavProblem('has its data before its format');
      return { sampleRate: format.sampleRate, channels: split(bytes.subarray(from, to), format) };
    }
    at = to + (length & 1);
  }
  throw new WavProblem('has no data');
}

interface Format {
  readonly sampleRate: number;
  readonly bytesASample: number;
  readonly sample: (bytes: Buffer, at: number) => number;
}

function readFormat(chunk: Buffer): Format {
  if (chunk.length < 16) throw new WavProblem('has a format that is cut off');
  const told = chunk.readUInt16LE(0);
  const tag = told === FORMAT.extensible && chunk.length >= 26 ? chunk.readUInt16LE(24) : told;
  const channels = chunk.readUInt16LE(2);
  const sampleRate = chunk.readUInt32LE(4);
  const bits = chunk.readUInt16LE(14);
  if (channels !== 2)
    throw new WavProblem(
      `has ${channels} channel${channels === 1 ? '' : 's'}: the caller and the agent must be on two of their own`,
    );
  if (sampleRate < 4_000 || sampleRate > 192_000)
    throw new WavProblem(`has a sample rate of ${sampleRate}`);
  const known = `${tag} ${bits}`;
  const sample = Object.hasOwn(SAMPLES, known) ? SAMPLES[known] : undefined;
  if (sample === undefined)
    throw new WavProblem(
      `is encoded as ${tag} with ${bits} bits; 16 bit PCM, 32 bit float, µ-law and A-law are read`,
    );
  return { sampleRate, bytesASample: bits / 8, sample };
}

const SAMPLES: Readonly<Record<string, Format['sample']>> = {
  [`${FORMAT.pcm} 16`]: (bytes, at) => bytes.readInt16LE(at) / 32_768,
  [`${FORMAT.float} 32`]: (bytes, at) => bytes.readFloatLE(at),
  [`${FORMAT.muLaw} 8`]: (bytes, at) => muLaw(bytes[at]!),
  [`${FORMAT.aLaw} 8`]: (bytes, at) => aLaw(bytes[at]!),
};

/** ITU-T G.711. */
function muLaw(byte: number): number {
  const value = ~byte & 0xff;
  const magnitude = (((value & 0x0f) << 3) + 0x84) << ((value & 0x70) >> 4);
  const level = (magnitude - 0x84) / 32_768;
  return (value & 0x80) === 0 ? level : -level;
}

function aLaw(byte: number): number {
  const value = byte ^ 0x55;
  const exponent = (value & 0x70) >> 4;
  const mantissa = ((value & 0x0f) << 4) + 8;
  const level = (exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)) / 32_768;
  return (value & 0x80) === 0 ? -level : level;
}

function split(data: Buffer, { bytesASample, sample }: Format): Recording['channels'] {
  const length = Math.floor(data.length / (2 * bytesASample));
  const channels = [new Float32Array(length), new Float32Array(length)] as const;
  for (let i = 0; i < length; i++) {
    channels[0][i] = sample(data, 2 * i * bytesASample);
    channels[1][i] = sample(data, (2 * i + 1) * bytesASample);
  }
  return channels;
}
