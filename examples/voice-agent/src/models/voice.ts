// The agent's voice: espeak-ng when it is installed, else the recordings of it
// in clips/voice. A synthetic voice either way; nobody ever said these words.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { SAMPLE_RATE_HZ } from '../common/audio.ts';
import { resample } from '../common/resample.ts';
import { CLIPS_FOLDER } from '../common/script.ts';
import { decodeWav, readWavFile } from '../common/wav.ts';

const run = promisify(execFile);
const ESPEAK = 'espeak-ng';
/** Words per minute, a little under its default of 175. */
const ESPEAK_ARGUMENTS = ['-v', 'en-gb', '-s', '165', '--stdout'];
const OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024;
const CACHE_LIMIT = 64;

export interface Voice {
  readonly name: string;
  /** The whole text as speech, at 16 kHz. */
  render(text: string): Promise<Int16Array>;
}

/** `wanted` is for tests: by default whatever there is. */
export async function findVoice(wanted: 'any' | 'recorded' = 'any'): Promise<Voice> {
  if (wanted === 'recorded') return recordedVoice();
  try {
    await run(ESPEAK, ['--version']);
    return espeakVoice();
  } catch {
    // Not installed: that is what the recordings are for.
    return recordedVoice();
  }
}

function espeakVoice(): Voice {
  const cache = new Map<string, Int16Array>();
  return {
    name: 'espeak-ng',
    render: async text => {
      const known = cache.get(text);
      if (known !== undefined) return known;
      const { stdout } = await run(ESPEAK, [...ESPEAK_ARGUMENTS, '--', text], {
        encoding: 'buffer',
        maxBuffer: OUTPUT_LIMIT_BYTES,
      });
      const wav = decodeWav(stdout, `${ESPEAK} output`);
      const pcm = trimmed(resample(wav.pcm, wav.sampleRateHz, SAMPLE_RATE_HZ));
      if (cache.size < CACHE_LIMIT) cache.set(text, pcm);
      return pcm;
    },
  };
}

/** espeak-ng ends a sentence with up to half a second of nothing: keep 120 ms. */
function trimmed(pcm: Int16Array): Int16Array {
  const last = pcm.findLastIndex(sample => Math.abs(sample) > 100);
  return pcm.slice(0, Math.min(pcm.length, last + 1 + SAMPLE_RATE_HZ * 0.12));
}

/** clips/voice/index.json: sentence → file. */
function recordedVoice(): Voice {
  const folder = `${CLIPS_FOLDER}voice/`;
  const index = JSON.parse(readFileSync(`${folder}index.json`, 'utf8')) as Record<string, string>;
  return {
    name: 'recorded espeak-ng',
    render: text => {
      const file = index[text];
      if (file === undefined || !existsSync(folder + file)) {
        const reason = `There is no recording of "${text}": install espeak-ng to say anything.`;
        return Promise.reject(new Error(reason));
      }
      return Promise.resolve(readWavFile(folder + file).pcm);
    },
  };
}
