// The load of the issue: calls of two streams, six hops each, fifty frames a
// second: 600 marks a second and call. Times have the jitter of a mobile call.

import type { Framescope, Hop, Session } from '@framescope/instrument';

export const FRAMES_PER_S = 50;
export const HOPS = ['capture', 'encode', 'send', 'receive', 'jitter_buffer', 'decode'] as const;
export const MARKS_PER_TICK: number = 2 * HOPS.length;
export const MARKS_PER_S: number = FRAMES_PER_S * MARKS_PER_TICK;
const FRAME_SAMPLES = 320;

export interface Call {
  readonly session: Session;
  readonly hops: readonly Hop[];
}

export function startCalls(scope: Framescope, count: number): Call[] {
  return Array.from({ length: count }, (_, i) => {
    const session = scope.startSession({ id: `bench-${i}-${Math.random()}`, authority: false });
    const streams = [session.stream('mic'), session.stream('agent')];
    return { session, hops: streams.flatMap(stream => HOPS.map(name => stream.hop(name))) };
  });
}

/** Calls whose hops keep a count each, as the program that is traced would: nothing of telemetry in them. */
export const untracedCalls = (count: number): Pick<Call, 'hops'>[] =>
  Array.from({ length: count }, () => ({
    hops: Array.from({ length: MARKS_PER_TICK }, () => new Untraced() as unknown as Hop),
  }));

class Untraced {
  samples = 0;

  mark(samples: number): void {
    this.samples += samples;
  }
}

/** One frame of each direction passes all hops of a call. */
export function markFrame({ hops }: Pick<Call, 'hops'>): void {
  for (const hop of hops) hop.mark(FRAME_SAMPLES);
}

/** Uniform numbers in (0, 1), the same on every machine. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

/** When the n-th mark of a call would have been made: frames in order, all hops of a frame in turn. */
export function jitteredSchedule(seconds: number): (mark: number) => number {
  const random = seeded(7);
  const frames = seconds * FRAMES_PER_S;
  const times = new Float64Array(frames * MARKS_PER_TICK);
  for (let frame = 0; frame < frames; frame++)
    for (let stream = 0; stream < 2; stream++)
      timesOf(5_000 + (frame + 1) * 20, random).forEach((ms, hop) => {
        times[frame * MARKS_PER_TICK + stream * HOPS.length + hop] = Math.round(ms * 1e6);
      });
  return mark => times[mark % times.length]!;
}

/** When a frame due at `dueMs` leaves each hop. */
function timesOf(dueMs: number, random: () => number): number[] {
  const exp = (mean: number): number => -Math.log(random()) * mean;
  const bell = (): number =>
    Math.abs(Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()));
  const captured = dueMs + bell() * 0.3 + (random() < 0.01 ? exp(8) : 0);
  const encoded = captured + 0.25 + exp(0.15);
  const sent = encoded + 0.06 + exp(0.08) + (random() < 0.005 ? exp(5) : 0);
  const received = sent + 25 + exp(3) + (random() < 0.02 ? exp(25) : 0);
  const played = Math.max(received, dueMs + 80) + bell() * 0.05;
  return [captured, encoded, sent, received, played, played + 0.18 + exp(0.12)];
}
