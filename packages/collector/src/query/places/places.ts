// GET /api/v1/places: ways between places, where calls are answered, hand-overs,
// and what a move would change.

import type { Filter, FleetHandover, Places, Restart, ServedRegion } from '@framescope/protocol';
import { chooseRange } from '../measure-range.ts';
import type { MeasureRange, QueryContext } from '../queries.types.ts';
import { legsOf, pairLegs } from './fleet-legs.ts';
import { fleetLinks, fleetVendors } from './fleet-links.ts';
import { placeWhatIf, type Move } from './place-what-if.ts';
import { placedSessions, placeNameOf, nameOfPlace, type PlacedSession } from './placed-sessions.ts';

const COLUMNS = 48;
const HANDOVERS_MAX = 200;
const WORST_MAX = 3;
/** Hand-overs from one process this close are one restart. */
const RESTART_NS = 30_000_000_000n;
/** A service with more names than this an hour and a call of its own each is no place. */
const NAMES_MANY = 20;

export interface PlacesAsked extends MeasureRange {
  readonly filter?: Filter;
  readonly moveFrom?: string;
  readonly moveTo?: string;
}

export async function places(context: QueryContext, asked: PlacesAsked): Promise<Places> {
  const range = await chooseRange(context, asked);
  const { items, of } = await placedSessions(context.reader, range, asked.filter);
  const columnNs = bigMax(
    1n,
    (range.toUnixNs - range.fromUnixNs + BigInt(COLUMNS) - 1n) / BigInt(COLUMNS),
  );
  const columnOf = (at: bigint): number =>
    Math.min(COLUMNS - 1, Math.max(0, Number((at - range.fromUnixNs) / columnNs)));
  const move = moveOf(asked);
  const handovers = handoversOf(items);
  return {
    fromUnixNs: String(range.fromUnixNs),
    toUnixNs: String(range.toUnixNs),
    sessions: items.length,
    sessionsOf: of,
    columnNs: Number(columnNs),
    columns: COLUMNS,
    legs: legsOf(pairLegs(items, columnOf), COLUMNS),
    links: fleetLinks(items),
    vendors: fleetVendors(items),
    served: servedOf(items),
    handovers: handovers.slice(0, HANDOVERS_MAX),
    restarts: restartsOf(handovers),
    whatIf: move === undefined ? null : await placeWhatIf(context.reader, items, move),
    unknowns: unknownsOf(items),
  };
}

const bigMax = (a: bigint, b: bigint): bigint => (a > b ? a : b);

const moveOf = ({ moveFrom, moveTo }: PlacesAsked): Move | undefined =>
  moveFrom === undefined || moveTo === undefined
    ? undefined
    : { fromRegion: moveFrom, toRegion: moveTo };

/** By where callers are and where they are answered; worst first. */
function servedOf(sessions: readonly PlacedSession[]): ServedRegion[] {
  const groups = new Map<string, PlacedSession[]>();
  for (const session of sessions) {
    const key = JSON.stringify([session.callerRegion, session.agentRegion]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [session]);
    else group.push(session);
  }
  return [...groups.values()].map(servedRegion).toSorted((a, b) => (b.p50Ns ?? 0) - (a.p50Ns ?? 0));
}

function servedRegion(sessions: readonly PlacedSession[]): ServedRegion {
  const medians = sessions
    .flatMap(({ detail }) => detail.voiceToVoice?.p50Ns ?? [])
    .toSorted((a, b) => a - b);
  const worst = sessions
    .flatMap(({ detail: { key, id, worstTurn } }) =>
      worstTurn === null ? [] : [{ key, id, waitNs: worstTurn.waitNs }],
    )
    .toSorted((a, b) => b.waitNs - a.waitNs);
  const sum = (of: (one: PlacedSession) => number): number =>
    sessions.reduce((total, one) => total + of(one), 0);
  return {
    callerRegion: sessions[0]!.callerRegion,
    agentRegion: sessions[0]!.agentRegion,
    sessions: sessions.length,
    turns: sum(one => one.detail.turnCount),
    p50Ns: medians[medians.length >> 1] ?? null,
    worstNs: worst[0]?.waitNs ?? null,
    overBudget: sum(one => one.detail.overBudgetCount),
    worst: worst.slice(0, WORST_MAX),
  };
}

/** Newest first. */
export function handoversOf(sessions: readonly PlacedSession[]): FleetHandover[] {
  return sessions
    .flatMap(({ detail, topology }) =>
      topology.handovers.map(handover => ({
        ...handover,
        sessionKey: detail.key,
        sessionId: detail.id,
        from: placeNameOf(detail.processes[handover.from]),
        to: placeNameOf(detail.processes[handover.to]),
      })),
    )
    .toSorted((a, b) => (BigInt(b.atUnixNs) > BigInt(a.atUnixNs) ? 1 : -1));
}

/** Another process went on; else the same one, over a connection of its own that came back. */
export const isOfProcess = ({ from, to }: FleetHandover): boolean =>
  JSON.stringify(from) !== JSON.stringify(to);

/** A fleet's view: how many calls one process's end moved, and how long each. */
export function restartsOf(handovers: readonly FleetHandover[]): Restart[] {
  const groups: FleetHandover[][] = [];
  for (const one of handovers.filter(isOfProcess).toReversed()) {
    const name = nameOfPlace(one.from);
    const group = groups.find(
      ([first]) =>
        nameOfPlace(first!.from) === name &&
        BigInt(one.atUnixNs) - BigInt(first!.atUnixNs) < RESTART_NS,
    );
    if (group === undefined) groups.push([one]);
    else group.push(one);
  }
  return groups.toReversed().map(group => {
    const gaps = group.map(one => one.gapNs).toSorted((a, b) => a - b);
    const [first] = group;
    return {
      place: first!.from,
      role: first!.role,
      atUnixNs: first!.atUnixNs,
      calls: new Set(group.map(one => one.sessionKey)).size,
      gapMedianNs: gaps[gaps.length >> 1]!,
      gapMaxNs: gaps.at(-1)!,
    };
  });
}

/** What a group "unknown" hides, said. */
function unknownsOf(sessions: readonly PlacedSession[]): string[] {
  const without = new Map<string, number>();
  const instances = new Map<string, Set<string>>();
  const many: string[] = [];
  for (const { detail } of sessions) {
    for (const { service, region, instance } of detail.processes) {
      if (region === null) without.set(service, (without.get(service) ?? 0) + 1);
      const names = instances.get(service) ?? new Set<string>();
      instances.set(service, names.add(instance ?? ''));
    }
    const clients = detail.streams.flatMap(({ hops }) =>
      hops.filter(hop => hop.name === 'capture').map(hop => hop.process),
    );
    if (new Set(clients).size > 1 && !detail.topology!.handovers.some(one => one.role === 'client'))
      many.push(detail.id);
  }
  return [
    ...[...without].map(
      ([service, count]) =>
        `${count} ${count === 1 ? 'process' : 'processes'} of ${service} told no region (cloud.region of the resource): counted as unknown`,
    ),
    ...[...instances]
      .filter(([, names]) => names.size > NAMES_MANY && names.size > sessions.length / 2)
      .map(
        ([service, names]) =>
          `${service} has ${names.size} instances in ${sessions.length} calls: its service.instance.id changes with each start, so they are told apart by host alone`,
      ),
    ...many.map(
      id =>
        `two callers at a time used the call ID ${id.slice(0, 80)}: their frames stand in one session, each on a line of its own`,
    ),
  ];
}
