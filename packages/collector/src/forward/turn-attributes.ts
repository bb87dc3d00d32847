// What a turn's span says of it in another backend.

import { ATTR, FRAME_FLAG, type Attributes, type Turn } from '@framescope/protocol';
import type { SessionFrames } from '../query/session-frames.ts';

/** The first wait of the turn, its parts, and its frames at all hops. */
export function turnAttributes(turn: Turn, frames: SessionFrames | undefined): Attributes {
  return { ...waitAttributes(turn), ...(frames && frameAttributes(turn, frames)) };
}

function waitAttributes({ waits }: Turn): Attributes {
  const [wait] = waits;
  if (!wait) return {};
  const parts: Record<string, number> = {};
  for (const part of wait.parts) {
    const name = ATTR.partNs.replace('*', part.name);
    parts[name] = (parts[name] ?? 0) + part.exposedNs;
  }
  return {
    [ATTR.waitKind]: wait.kind,
    [ATTR.waitNs]: wait.waitNs,
    [ATTR.waitErrorNs]: wait.errorNs,
    [ATTR.waitDefinition]: wait.definition,
    [ATTR.waitOutcome]: wait.outcome,
    [ATTR.waitResolved]: wait.resolved,
    ...parts,
  };
}

function frameAttributes(turn: Turn, { streams }: SessionFrames): Attributes {
  let count = 0;
  let overCount = 0;
  let lostCount = 0;
  let worstNs = 0;
  const isIn = (atNs: number): boolean =>
    atNs >= turn.startNs && (turn.endNs === null || atNs < turn.endNs);
  for (const hop of streams.flatMap(stream => stream.hops)) {
    lostCount += hop.lost.filter(one => isIn(one.atNs)).length;
    for (let row = 0; row < hop.rows.length; row++) {
      if (!isIn(hop.atNs[row]!)) continue;
      count++;
      if ((hop.flags[row]! & FRAME_FLAG.overBudget) !== 0) overCount++;
      if (hop.latencyNs[row]! > worstNs) worstNs = hop.latencyNs[row]!;
    }
  }
  return {
    [ATTR.turnFrames]: count,
    [ATTR.turnFramesOverBudget]: overCount,
    [ATTR.turnFramesLost]: lostCount,
    [ATTR.turnFramesWorstNs]: Math.round(worstNs),
  };
}
