// Turns a file of audio into what the timeline draws. Nothing leaves the page.

import type { FromAudio, Prepared, ToAudio } from './audio-worker.ts';
import type { Stretch } from './peaks.ts';

/** Two hours of two channels at 48 kHz, decoded, would be 2.7 GB: what is larger is not opened. */
export const AUDIO_BYTES_MAX: number = 512 * 1024 * 1024;

/** What other decoders than ours give: enough for a waveform, a quarter of the memory. */
const DECODE_RATE = 16_000;

/** @throws {Error} with words to show, when it is no audio that anybody here knows. */
export async function prepareAudio(file: Blob, speech: readonly Stretch[]): Promise<Prepared> {
  if (file.size > AUDIO_BYTES_MAX)
    throw new Error(`It has ${Math.round(file.size / 1e6)} MB; at most 537 can be opened here.`);
  const worker = new Worker(new URL('./audio-worker.ts', import.meta.url), { type: 'module' });
  try {
    const bytes = await file.arrayBuffer();
    // A copy stays: what is no WAV is decoded by the browser, off this thread as well.
    const first = await asked(worker, { bytes: bytes.slice(0), speech });
    const answer =
      first.kind === 'other' ? await asked(worker, await byBrowser(bytes, speech)) : first;
    if (answer.kind === 'ready') return answer.prepared;
    const why = answer.kind === 'broken' ? answer.problem : 'it is no audio that is known here';
    throw new Error(`This file cannot be played: ${why}.`);
  } finally {
    worker.terminate();
  }
}

async function byBrowser(bytes: ArrayBuffer, speech: readonly Stretch[]): Promise<ToAudio> {
  let buffer: AudioBuffer;
  try {
    buffer = await new OfflineAudioContext(1, 1, DECODE_RATE).decodeAudioData(bytes);
  } catch {
    throw new Error('This file cannot be played: it is no audio that this browser knows.');
  }
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, i) =>
    buffer.getChannelData(i).slice(),
  );
  return { decoded: { sampleRate: buffer.sampleRate, channels }, speech };
}

function asked(worker: Worker, question: ToAudio): Promise<FromAudio> {
  const moved =
    'bytes' in question
      ? [question.bytes]
      : question.decoded.channels.map(one => one.buffer as ArrayBuffer);
  return new Promise((resolve, reject) => {
    worker.addEventListener('message', ({ data }: MessageEvent<FromAudio>) => resolve(data), {
      once: true,
    });
    worker.addEventListener('error', () => reject(new Error('The file could not be read.')), {
      once: true,
    });
    worker.postMessage(question, moved);
  });
}
