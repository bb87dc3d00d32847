// Audio off the page's thread: a WAV is read here, what the browser decoded elsewhere comes as
// samples; either way peaks go back, and where the recording lies best over the turns.

import { alignment, peaksOf, type Peaks, type Stretch } from './peaks.ts';
import { readWav, type Decoded } from './wav.ts';

export type ToAudio = {
  readonly speech: readonly Stretch[];
} & ({ readonly bytes: ArrayBuffer } | { readonly decoded: Decoded });

export interface Prepared {
  readonly channels: readonly Peaks[];
  readonly durationNs: number;
  readonly sampleRate: number;
  readonly aligned: { readonly startNs: number; readonly share: number } | undefined;
}

export type FromAudio =
  | { readonly kind: 'ready'; readonly prepared: Prepared }
  | { readonly kind: 'other' }
  | { readonly kind: 'broken'; readonly problem: string };

addEventListener('message', ({ data }: MessageEvent<ToAudio>) => {
  postMessage(answer(data));
});

function answer(data: ToAudio): FromAudio {
  if ('decoded' in data) return ready(data.decoded, data.speech);
  const result = readWav(new Uint8Array(data.bytes));
  return result.kind === 'audio' ? ready(result.audio, data.speech) : result;
}

function ready({ channels, sampleRate }: Decoded, speech: readonly Stretch[]): FromAudio {
  const peaks = channels.map(samples => peaksOf(samples, sampleRate));
  return {
    kind: 'ready',
    prepared: {
      channels: peaks,
      durationNs: Math.round(((channels[0]?.length ?? 0) / sampleRate) * 1e9),
      sampleRate,
      aligned: alignment(peaks, speech),
    },
  };
}
