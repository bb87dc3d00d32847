// What a service was asked to do, split by what is known of it: the way there and
// back (measured by us), its queue and its work (by its own word), and what of it
// nobody knows.
//
//   request sent                                            first answer
//   ├─ way ─┼── queue ──┼──────── work ────────┼╌╌ unknown ╌╌┼─ way ─┤
//
// A service's word is taken only where it fits: one that says it took longer than the
// whole request is quoted, and nothing is made of it. The pieces sum to what the part
// exposes, exactly; of a part that was hidden at its beginning the end is split.

import { ATTR, type Attributes, type PartSplit } from '@framescope/protocol';

/** What stands beside a stage; undefined: not told, NaN: told and no duration. */
export interface VendorTold {
  readonly vendor: string | undefined;
  readonly rttNs: number | undefined;
  readonly connectNs: number | undefined;
  readonly queueNs: number | undefined;
  readonly processingNs: number | undefined;
}

/** Round trips vary, and headers are whole milliseconds. */
const TOLERANCE_NS = 2_000_000;
const NAME_MAX = 100;

/** Undefined where nothing was told. */
export function vendorTold(attributes: Attributes): VendorTold | undefined {
  const ns = (name: string): number | undefined => {
    const value = attributes[name];
    if (value === undefined || value === null) return undefined;
    return typeof value === 'number' && Number.isFinite(value) && value >= 0
      ? Math.round(value)
      : Number.NaN;
  };
  const name = attributes[ATTR.vendorName];
  const told = {
    vendor: typeof name === 'string' && name !== '' ? name.slice(0, NAME_MAX) : undefined,
    rttNs: ns(ATTR.vendorRttNs),
    connectNs: ns(ATTR.vendorConnectNs),
    queueNs: ns(ATTR.vendorQueueNs),
    processingNs: ns(ATTR.vendorProcessingNs),
  };
  return Object.values(told).every(one => one === undefined) ? undefined : told;
}

interface Believed {
  readonly networkNs: number;
  readonly queueNs: number;
  readonly computeNs: number;
  readonly note: string | null;
}

/** `fullNs`: request to first answer; `exposedNs`: its last part, which the wait shows. */
export function splitOf(told: VendorTold, fullNs: number, exposedNs: number): PartSplit {
  const { networkNs, queueNs, computeNs, note } = believed(told, fullNs);
  const unknownNs = fullNs - networkNs - queueNs - computeNs;
  const backNs = Math.floor(networkNs / 2);
  const inOrder: readonly [PartSplit['pieces'][number]['name'], number][] = [
    ['network', networkNs - backNs],
    ['queue', queueNs],
    ['compute', computeNs],
    ['unknown', unknownNs],
    ['network', backNs],
  ];
  const sums = { network: 0, queue: 0, compute: 0, unknown: 0 };
  let leftNs = exposedNs;
  for (const [name, ns] of inOrder.toReversed()) {
    const shown = Math.min(leftNs, ns);
    sums[name] += shown;
    leftNs -= shown;
  }
  return {
    vendor: told.vendor ?? null,
    pieces: (['network', 'queue', 'compute', 'unknown'] as const)
      .map(name => ({ name, exposedNs: sums[name] }))
      .filter(piece => piece.exposedNs > 0),
    note,
  };
}

function believed(told: VendorTold, fullNs: number): Believed {
  const { rttNs, connectNs = 0, queueNs, processingNs } = told;
  const { networkNs, wayNote } = wayOf(rttNs, connectNs, fullNs);
  const workNs = workOf(queueNs, processingNs);
  if (workNs === undefined)
    return { networkNs, queueNs: 0, computeNs: 0, note: wayNote ?? 'it told nothing of its work' };
  const lie = lieOf(told, fullNs);
  if (lie !== undefined) return { networkNs, queueNs: 0, computeNs: 0, note: lie };
  const work = Math.min(workNs, fullNs);
  // The way is that of other moments, the work is of this very request: it leaves that much for the way.
  const wayLeftNs = Math.min(networkNs, fullNs - work);
  const isCut = networkNs > wayLeftNs + TOLERANCE_NS;
  const cut = `the way takes ${ms(networkNs)} as a rule, and had ${ms(wayLeftNs)} at most in this request`;
  const unmeasured = rttNs === undefined ? 'the way to it was not measured' : null;
  const queue = Math.min(queueNs ?? 0, work);
  return {
    networkNs: wayLeftNs,
    queueNs: queue,
    computeNs: processingNs === undefined ? 0 : work - queue,
    note: wayNote ?? (isCut ? cut : unmeasured),
  };
}

function wayOf(
  rttNs: number | undefined,
  connectNs: number,
  fullNs: number,
): { readonly networkNs: number; readonly wayNote: string | null } {
  if (rttNs === undefined && connectNs === 0) return { networkNs: 0, wayNote: null };
  const wayNs = (rttNs ?? 0) + connectNs;
  if (Number.isNaN(wayNs))
    return { networkNs: 0, wayNote: 'the way to it was told as no duration' };
  if (wayNs > fullNs + TOLERANCE_NS)
    return {
      networkNs: 0,
      wayNote: `the way was measured as ${ms(wayNs)}, of a request that took ${ms(fullNs)}`,
    };
  return { networkNs: Math.min(wayNs, fullNs), wayNote: null };
}

/** Queue included. */
function workOf(queueNs: number | undefined, processingNs: number | undefined): number | undefined {
  return processingNs ?? queueNs;
}

/** Why a service's word cannot be so, whatever its way; undefined: it can. */
export function lieOf(
  { queueNs, processingNs }: Pick<VendorTold, 'queueNs' | 'processingNs'>,
  fullNs: number,
): string | undefined {
  const workNs = workOf(queueNs, processingNs);
  if (workNs === undefined) return undefined;
  if (Number.isNaN(workNs) || Number.isNaN(queueNs ?? 0)) return 'it told no duration';
  if (workNs > fullNs + TOLERANCE_NS)
    return `it says that it took ${ms(workNs)}, of a request that took ${ms(fullNs)}`;
  if (queueNs !== undefined && processingNs !== undefined && queueNs > processingNs + TOLERANCE_NS)
    return `it says that ${ms(queueNs)} of its ${ms(processingNs)} were its queue`;
  return undefined;
}

const ms = (ns: number): string => `${Math.round(ns / 1e6)} ms`;
