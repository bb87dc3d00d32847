// Who says what: the user's clips and their labels, in an order that the seed
// gives. The client plays it; the replayed recogniser reads the words from it.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { randomFrom } from './random.ts';
import { readWavFile } from './wav.ts';

/** What the agent says when a call begins. */
export const GREETING = 'Hello, this is the reading room. What can I do for you?';

export interface Clip {
  readonly file: string;
  readonly voice: string;
  /** Where speech begins and ends, ms from the clip's first sample. */
  readonly speechMs: readonly [number, number];
  readonly text: string;
}

/** The folder with the recordings, seen from `src/common` as from `out/common`. */
export const CLIPS_FOLDER: string = fileURLToPath(new URL('../../clips/', import.meta.url));

/** The longest that a brief user says, ms. */
const BRIEF_MS_MAX = 2_000;

/** All recordings, or only what is said briefly. */
export function loadClips(isBrief: boolean = false): readonly Clip[] {
  const text = readFileSync(`${CLIPS_FOLDER}labels.json`, 'utf8');
  const { clips } = JSON.parse(text) as { clips: Clip[] };
  return isBrief ? clips.filter(clip => clip.speechMs[1] <= BRIEF_MS_MAX) : clips;
}

export function loadClipAudio(clip: Clip): Int16Array {
  return readWavFile(`${CLIPS_FOLDER}${clip.file}`).pcm;
}

/** What the user of the call with `seed` says in turn 0, 1, 2 …; all clips in turn. */
export function clipOfTurn(clips: readonly Clip[], seed: number, turn: number): Clip {
  const first = Math.floor(randomFrom(seed, 'script')() * clips.length);
  const clip = clips[(first + turn) % clips.length];
  if (clip === undefined) throw new Error(`${CLIPS_FOLDER}labels.json lists no clip`);
  return clip;
}
