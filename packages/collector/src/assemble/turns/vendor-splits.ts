// The split of a turn's parts that a service owned: each part beside the stage that
// was its work, which says what is known of the service.

import type { Part, Stage, Wait } from '@framescope/protocol';
import { splitOf, vendorTold } from '../ledger/split.ts';

/** Which stages may be under way in a part. */
const STAGES_OF: Readonly<Record<string, readonly string[]>> = {
  inference: ['llm', 'realtime_inference'],
  synthesis: ['tts'],
  transcription: ['stt'],
};
/** Between a stage's end by its own clock and the part's on the axis of the wait. */
const APART_NS_MAX = 5_000_000;

/** @param wayTo Round trip to a service that is traced itself. */
export const withSplits = (
  wait: Wait,
  stages: readonly Stage[],
  wayTo: (service: string) => number | undefined,
): Wait => ({
  ...wait,
  parts: wait.parts.map(part => withSplit(part, stages, wayTo)),
});

function withSplit(
  part: Part,
  stages: readonly Stage[],
  wayTo: (service: string) => number | undefined,
): Part {
  const names = Object.hasOwn(STAGES_OF, part.name) ? STAGES_OF[part.name] : undefined;
  if (names === undefined || part.exposedNs <= 0) return part;
  const stage = nearest(part, stages, names);
  const told = stage === undefined ? undefined : vendorTold(stage.attributes);
  if (told === undefined) return part;
  const { vendor, rttNs } = told;
  const isOpen = rttNs === undefined && vendor !== undefined;
  const known = isOpen ? { ...told, rttNs: wayTo(vendor) } : told;
  return { ...part, split: splitOf(known, part.fullNs, part.exposedNs) };
}

function nearest(
  part: Part,
  stages: readonly Stage[],
  names: readonly string[],
): Stage | undefined {
  const endOf = (stage: Stage): number =>
    (stage.name === 'stt' ? stage.endNs : stage.firstNs) ?? Number.NaN;
  const apart = (stage: Stage): number => Math.abs(endOf(stage) - part.endNs);
  return stages
    .filter(stage => names.includes(stage.name) && !stage.discarded && apart(stage) <= APART_NS_MAX)
    .toSorted((a, b) => apart(a) - apart(b))[0];
}
