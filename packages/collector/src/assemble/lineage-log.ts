// Where the media axes of a session bend, and what came of which media: as its
// processes told. Marks are on the stream's axis already; this says how they got
// there (a resampler, a splice), and joins words with sound.

import type {
  DerivationState,
  LineageDetail,
  LineageState,
  SegmentState,
} from '@framescope/protocol';
import type { ClockKey } from './clock/clock-graph.ts';
import type { SessionClocks } from './clock/session-clocks.ts';
import type { DeclaredRange } from './frames/fate.ts';

/** A bend is written only at a discontinuity; a derivation a word: an hour of talk. */
const SEGMENTS_MAX = 2_000;
const DERIVATIONS_MAX = 20_000;
/** Rows of each kind that a session's detail shows. */
const SHOWN = 500;

interface Told<T> {
  readonly state: T;
  readonly clock: ClockKey;
}

export class LineageLog {
  readonly #segments = new Map<string, Told<SegmentState>>();
  readonly #derivations = new Map<string, Told<DerivationState>>();

  /** False when there are too many. What was told before (a flush that was sent again) counts once. */
  add(state: LineageState, clock: ClockKey): boolean {
    if (state.kind === 'segment') {
      const { stream, role, hop, nth, sample, tick } = state;
      const key = JSON.stringify([stream, role, hop, nth, sample, tick, clock]);
      return keep(this.#segments, { key, told: { state, clock }, max: SEGMENTS_MAX });
    }
    const { stream, fromTick, toTick, fromChar, text } = state;
    const key = JSON.stringify([stream, fromTick, toTick, fromChar, text]);
    return keep(this.#derivations, { key, told: { state, clock }, max: DERIVATIONS_MAX });
  }

  /** Of one stream; undefined when nothing was told and nothing declared. */
  of(
    stream: string,
    declared: readonly DeclaredRange[],
    clocks: SessionClocks,
  ): LineageDetail | undefined {
    const segments = [...this.#segments.values()].filter(one => one.state.stream === stream);
    const derivations = [...this.#derivations.values()].filter(one => one.state.stream === stream);
    if (segments.length + derivations.length + declared.length === 0) return undefined;
    const atNs = ({ state, clock }: Told<LineageState>): number =>
      clocks.map(clock).toSession(state.at);
    return {
      segmentCount: segments.length,
      segments: segments.slice(-SHOWN).map(one => {
        const { role, hop, nth, sample, tick, samples, ticks } = one.state;
        return { role, hop, nth, sample, tick, samples, ticks, atNs: atNs(one) };
      }),
      gapCount: declared.length,
      gaps: declared.slice(-SHOWN).map(({ kind, path, startTick, endTick, atNs: declaredNs }) => ({
        kind,
        hop: path,
        startTick,
        endTick,
        atNs: declaredNs,
      })),
      derivationCount: derivations.length,
      derivations: derivations
        .toSorted((a, b) => a.state.fromTick - b.state.fromTick)
        .slice(-SHOWN)
        .map(one => {
          const { who, fromTick, toTick, text, fromChar = 0, quality } = one.state;
          return { who, fromTick, toTick, text, fromChar, quality, atNs: atNs(one) };
        }),
    };
  }
}

function keep<T>(
  map: Map<string, T>,
  { key, told, max }: { readonly key: string; readonly told: T; readonly max: number },
): boolean {
  if (!map.has(key) && map.size >= max) return false;
  map.set(key, told);
  return true;
}
