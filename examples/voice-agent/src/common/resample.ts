// Changes the sample rate of a finished piece of audio: a synthesiser's 22.05
// or 24 kHz to our 16. Windowed sinc, 32 taps: nothing is heard to alias.
// Runs inside the models process, before the audio is part of any stream.

const HALF_TAPS = 16;

export function resample(pcm: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return pcm;
  const step = fromHz / toHz;
  // Going down, the filter must cut at the new rate's limit.
  const cutoff = Math.min(1, toHz / fromHz);
  const out = new Int16Array(Math.floor(pcm.length / step));
  for (let i = 0; i < out.length; i += 1) {
    out[i] = Math.max(-32_768, Math.min(32_767, Math.round(valueAt(pcm, i * step, cutoff))));
  }
  return out;
}

function valueAt(pcm: Int16Array, at: number, cutoff: number): number {
  const reach = HALF_TAPS / cutoff;
  const first = Math.max(0, Math.ceil(at - reach));
  const last = Math.min(pcm.length - 1, Math.floor(at + reach));
  let sum = 0;
  let weights = 0;
  for (let i = first; i <= last; i += 1) {
    const x = (i - at) * cutoff;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    const weight = sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / HALF_TAPS));
    sum += weight * (pcm[i] ?? 0);
    weights += weight;
  }
  return weights === 0 ? 0 : sum / weights;
}
