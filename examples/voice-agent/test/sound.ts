// Recordings made quieter or noisier, with room tone before and after, as a
// microphone would have taken them.

import { levelDb } from '../src/common/audio.ts';
import { normal, randomFrom } from '../src/common/random.ts';
import { loadClipAudio, type Clip } from '../src/common/script.ts';

export const BEFORE_MS = 1_000;
const AFTER_MS = 800;
const ROOM_DB = -62;

export interface Condition {
  readonly gainDb: number;
  /** White noise, so much below the level of the clip's speech. */
  readonly snrDb?: number;
  readonly seed: number;
}

/** The clip begins `BEFORE_MS` into the result. */
export function recording(clip: Clip, condition: Condition): Int16Array {
  const pcm = loadClipAudio(clip);
  const random = randomFrom(condition.seed, clip.file);
  const [startMs, endMs] = clip.speechMs;
  const speechDb = levelDb(pcm.subarray(startMs * 16, endMs * 16)) + condition.gainDb;
  const noiseDb = condition.snrDb === undefined ? -200 : speechDb - condition.snrDb;
  const gain = 10 ** (condition.gainDb / 20);
  const noise = 32_768 * Math.hypot(10 ** (noiseDb / 20), 10 ** (ROOM_DB / 20));
  return Int16Array.from({ length: (BEFORE_MS + AFTER_MS) * 16 + pcm.length }, (_, i) => {
    const sample = (pcm[i - BEFORE_MS * 16] ?? 0) * gain + normal(random) * noise;
    return Math.max(-32_768, Math.min(32_767, Math.round(sample)));
  });
}
