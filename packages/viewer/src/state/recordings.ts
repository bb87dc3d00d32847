// Recordings beside a call: files that were dropped onto the page, and those that the collector
// kept. One of them plays at a time; where it stands in the call is its offset.

import type { Prepared } from '../data/audio-worker.ts';
import type { Track } from '../layout/tracks.ts';

export interface OpenRecording {
  readonly name: string;
  readonly prepared: Prepared;
  /** Of the file: a blob's, or the collector's. */
  readonly url: string;
  /** Session time of the first sample. */
  startNs: number;
  /** How that is known. */
  how: 'told' | 'aligned' | 'by hand' | 'call start';
}

/** Where the first sample stands: as it was told, else where speech fits, else at the call's start. */
export function placeOf(
  prepared: Prepared,
  toldNs: number | null,
): Pick<OpenRecording, 'startNs' | 'how'> {
  if (toldNs !== null) return { startNs: toldNs, how: 'told' };
  const { aligned } = prepared;
  // Below this it fits nowhere better than by chance.
  if (aligned && aligned.share >= 0.6) return { startNs: aligned.startNs, how: 'aligned' };
  return { startNs: 0, how: 'call start' };
}

/** Two channels of a call are the two who speak: left the user, right the agent. */
export function waveTracks({ name, prepared, startNs }: OpenRecording): Track[] {
  const isPair = prepared.channels.length === 2;
  return prepared.channels.map((peaks, i) => ({
    id: `${name} ${i}`,
    look: 'wave',
    name: isPair ? (i === 0 ? 'left: user' : 'right: agent') : 'recording',
    detail: name,
    peaks,
    startNs,
    who: isPair ? (i === 0 ? 'user' : 'agent') : undefined,
  }));
}

/** Session time while the recording stands at `seconds`. */
export const atPlace = ({ startNs }: Pick<OpenRecording, 'startNs'>, seconds: number): number =>
  startNs + seconds * 1e9;

/** Seconds into the recording at a session time, held inside it. */
export const secondsAt = (
  { startNs, prepared }: Pick<OpenRecording, 'startNs' | 'prepared'>,
  atNs: number,
): number => Math.min(prepared.durationNs, Math.max(0, atNs - startNs)) / 1e9;
