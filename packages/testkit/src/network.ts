// One leg of the network: what leaves in order arrives in order or not at all,
// unless the leg reorders.

import { NS_PER_MS } from '@framescope/protocol';
import { Draws } from './random.ts';
import { type LegName, type LegSpec, type Scenario } from './scenario.ts';

/** When each frame arrives, given when it left; NaN in, NaN out, and NaN when it is lost. */
export function overLeg(
  scenario: Scenario,
  name: LegName,
  stream: string,
  sentNs: readonly number[],
): number[] {
  const leg = scenario.legs[name];
  const jitter = new Draws(scenario.seed, `${name} ${stream} jitter`);
  const fate = new Draws(scenario.seed, `${name} ${stream} loss`);
  const overtaken = new Draws(scenario.seed, `${name} ${stream} reorder`);
  const { reorder } = leg;
  let lastNs = 0;
  return sentNs.map((atNs, index) => {
    if (Number.isNaN(atNs)) return Number.NaN;
    const trouble = incidentAt(leg, atNs);
    if (fate.uniform(index) < Math.max(leg.loss, trouble?.loss ?? 0)) return Number.NaN;
    const delayMs = leg.baseMs + (trouble?.addMs ?? 0) + jitter.exponential(index, leg.jitterMs);
    const arrivesNs = Math.max(lastNs, Math.round(atNs + delayMs * NS_PER_MS));
    // Who is overtaken holds nobody up.
    if (reorder !== undefined && overtaken.uniform(index) < reorder.share)
      return arrivesNs + Math.round(reorder.byMs * NS_PER_MS);
    lastNs = arrivesNs;
    return lastNs;
  });
}

function incidentAt(leg: LegSpec, atNs: number): LegSpec['incident'] {
  const { incident } = leg;
  if (incident === undefined) return undefined;
  const atMs = atNs / NS_PER_MS;
  return atMs >= incident.fromMs && atMs < incident.toMs ? incident : undefined;
}

/** A step inside a process: the same for each frame but for what a slow hop adds; order is kept. */
export function through(
  scenario: Scenario,
  key: string,
  atNs: readonly number[],
  workMs: number,
): number[] {
  const addNs = Math.round((workMs + (scenario.slowHops[key] ?? 0)) * NS_PER_MS);
  return atNs.map(one => one + addNs);
}
