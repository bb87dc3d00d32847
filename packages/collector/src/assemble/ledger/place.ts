// Moments of several clocks on one axis, so that the parts between them sum.
//
// Within one clock nothing is corrected but the place as a whole: its moments
// move together, and the length of any part inside it is what that clock read.
// The wait's own clock, where it starts and ends, gives the length of the whole;
// the others fit inside it:
//
//   client   captured ├───────────────────────────────────────────┤ audible
//   agent             ·   received ├──────────────────┤ sent      ·
//                     └─ uplink ≥ 0 ┘                  └ downlink ≥ 0 ┘
//
// So uplink + server + downlink is the client's closed figure, always, and the
// two ends bound the offset: if the estimate makes one way negative it is moved
// to zero and the other takes the rest. More than the bound is a clock fault.

import { clockErrorNs, type ClockMap } from '../clock/session-clocks.ts';

/** A moment as some clock read it. */
export interface RawMoment {
  readonly name: string;
  readonly rawNs: number;
  readonly clock: ClockMap;
  readonly source: string;
  /** Of the moment itself (the VAD's ±), without clocks. */
  readonly errorNs: number;
  /** Which tick it is the passing of: moments of one tick share its error, so it cancels between them. */
  readonly of?: 'opens' | 'closes';
  readonly after?: readonly string[];
  readonly generation?: string;
}

/** A moment on the wait's axis: session time, whole ns. */
export interface PlacedMoment extends RawMoment {
  readonly atNs: number;
}

export interface Placement {
  readonly moments: readonly PlacedMoment[];
  /** How wrong the distance of two moments is, clocks and moments together. */
  errorNs(a: PlacedMoment, b: PlacedMoment): number;
  /** One-way delays that came out negative beyond the error. */
  readonly faultCount: number;
}

/** Marks are kept to 10 µs: half of it at either end. */
const MARK_ERROR_NS = 10_000;

interface Group {
  readonly clock: ClockMap;
  readonly members: readonly RawMoment[];
  /** Session time minus raw time of every member. */
  readonly placeNs: number;
  /** How wrong that may be against the home clock. */
  readonly errorNs: number;
}

/** `home`: the moment whose clock gives the length of the wait. */
export function placeMoments(moments: readonly RawMoment[], home: RawMoment): Placement {
  const homeGroup = groupOf(moments, home.clock, home);
  const groups = new Map([[home.clock.key, homeGroup]]);
  let faultCount = 0;
  for (const { clock } of moments) {
    if (groups.has(clock.key)) continue;
    const fitted = fitTo(groupOf(moments, clock, home), homeGroup);
    if (fitted.isFault) faultCount++;
    groups.set(clock.key, fitted.group);
  }
  return {
    moments: moments.map(one => ({ ...one, atNs: one.rawNs + groups.get(one.clock.key)!.placeNs })),
    errorNs: (a, b) => distanceErrorNs(a, b, groups),
    faultCount,
  };
}

function groupOf(moments: readonly RawMoment[], clock: ClockMap, home: RawMoment): Group {
  const members = moments.filter(one => one.clock.key === clock.key);
  const raws = members.map(one => one.rawNs);
  const middleNs = Math.round((Math.min(...raws) + Math.max(...raws)) / 2);
  const placeNs = clock.toSession(middleNs) - middleNs;
  if (clock.key === home.clock.key) return { clock, members, placeNs, errorNs: 0 };
  const errors = members.map(({ rawNs }) => {
    const bentNs = Math.abs(clock.toSession(rawNs) - rawNs - placeNs);
    return bentNs + clockErrorNs({ map: clock, rawNs }, { map: home.clock, rawNs: home.rawNs });
  });
  return { clock, members, placeNs, errorNs: Math.max(...errors) };
}

/** Order in which sound passes, for pairs that a clock boundary may lie between. */
const CAUSES: readonly (readonly [string, string])[] = [
  ['speech_end_captured', 'speech_end_received'],
  ['speech_end_captured', 'first_voiced_sent'],
  ['first_voiced_sent', 'first_voiced_received'],
  ['first_frame_sent', 'first_voiced_received'],
  ['first_frame_sent', 'first_voiced_audible'],
  ['first_voiced_sent', 'first_voiced_unbuffered'],
  ['first_voiced_sent', 'first_voiced_audible'],
  ['wait_opened', 'first_voiced_received'],
  ['wait_opened', 'first_voiced_audible'],
  ['call_started', 'agent_requested'],
  ['call_started', 'agent_started'],
  ['call_started', 'agent_ready'],
];

/** Moves a group to where no sound arrives before it left, if its error allows. */
function fitTo(group: Group, home: Group): { group: Group; isFault: boolean } {
  let leastNs = -Infinity;
  let mostNs = Infinity;
  for (const [cause, effect] of CAUSES) {
    leastNs = Math.max(leastNs, lateness(home, cause, group, effect));
    mostNs = Math.min(mostNs, -lateness(group, cause, home, effect));
  }
  // The loop is shorter than what lies in it: no offset is right. Leave it, the walk cuts it off.
  if (leastNs > mostNs) return { group, isFault: true };
  const shiftNs = Math.min(Math.max(0, leastNs), mostNs);
  const errorNs = Math.min(
    Math.max(group.errorNs - Math.abs(shiftNs), 0) + Math.abs(shiftNs),
    Math.max(mostNs - shiftNs, shiftNs - leastNs),
  );
  return {
    group: { ...group, placeNs: group.placeNs + shiftNs, errorNs },
    isFault: Math.abs(shiftNs) > group.errorNs,
  };
}

/** By how much `cause` in one group stands after `effect` in the other; −∞ if one is not there. */
function lateness(causes: Group, cause: string, effects: Group, effect: string): number {
  const first = causes.members.find(one => one.name === cause);
  const then = effects.members.find(one => one.name === effect);
  if (first === undefined || then === undefined) return -Infinity;
  return first.rawNs + causes.placeNs - (then.rawNs + effects.placeNs);
}

function distanceErrorNs(
  a: PlacedMoment,
  b: PlacedMoment,
  groups: ReadonlyMap<string, Group>,
): number {
  const isSameTick = a.of !== undefined && a.of === b.of;
  const ownNs = isSameTick ? MARK_ERROR_NS : a.errorNs + b.errorNs;
  if (a.clock.key === b.clock.key)
    return ownNs + clockErrorNs({ map: a.clock, rawNs: a.rawNs }, { map: b.clock, rawNs: b.rawNs });
  return ownNs + groups.get(a.clock.key)!.errorNs + groups.get(b.clock.key)!.errorNs;
}
