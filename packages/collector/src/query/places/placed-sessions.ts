// Sessions with where they ran: what every question about places stands on.

import {
  ATTR,
  passesFilter,
  type Attributes,
  type Filter,
  type PlaceName,
  type ProcessDetail,
  type SessionDetail,
  type SessionTopology,
} from '@framescope/protocol';
import { serviceOf, textOf } from '../../assemble/session-data.ts';
import { sessionSubject, wordsOf } from '../../filter/subjects.ts';
import type { StoreReader, UnixRange } from '../../store/store.ts';

/** Details read for one answer: 0.2 ms each. */
export const SESSIONS_MAX = 4_000;

export interface PlacedSession {
  readonly detail: SessionDetail;
  readonly topology: SessionTopology;
  readonly startUnixNs: bigint;
  /** Where the caller is: its own word, else its process's; null: not known. */
  readonly callerRegion: string | null;
  /** Where the process is that decides turns, or bears the role `agent`. */
  readonly agentRegion: string | null;
}

export interface PlacedSessions {
  readonly items: readonly PlacedSession[];
  /** Sessions in the range, with or without a topology. */
  readonly of: number;
}

/** Newest first; of more than there is room for, the newest. */
export async function placedSessions(
  reader: StoreReader,
  range: UnixRange,
  filter?: Filter,
  limit: number = SESSIONS_MAX,
): Promise<PlacedSessions> {
  const words = filter && (await wordsOf(filter, reader));
  const keys: string[] = [];
  let of = 0;
  await reader.scanFacets(range, session => {
    if (filter && words && !passesFilter(filter, sessionSubject(session, words))) return true;
    of++;
    if (keys.length < limit) keys.push(session.key);
    return true;
  });
  const items: PlacedSession[] = [];
  for (const key of keys) {
    const detail = await reader.session(key);
    if (detail?.topology === undefined || detail.topology.legs.length === 0) continue;
    items.push(placed(detail, detail.topology));
  }
  return { items, of };
}

function placed(detail: SessionDetail, topology: SessionTopology): PlacedSession {
  const said = detail.attributes['region'];
  return {
    detail,
    topology,
    startUnixNs: BigInt(detail.startUnixNs),
    callerRegion: typeof said === 'string' && said !== '' ? said : regionOfRole(detail, 'client'),
    agentRegion: regionOfRole(detail, 'agent'),
  };
}

/** Of several with that role, the last that came. */
export function processOfRole(detail: SessionDetail, role: string): ProcessDetail | undefined {
  const numbers = detail.streams
    .flatMap(({ hops }) => hops)
    .filter(hop => hop.role === role)
    .map(hop => hop.process);
  return numbers.length === 0 ? undefined : detail.processes[Math.max(...numbers)];
}

const regionOfRole = (detail: SessionDetail, role: string): string | null =>
  processOfRole(detail, role)?.region ?? null;

export const placeNameOf = (process: ProcessDetail | undefined): PlaceName => ({
  service: process?.service ?? 'unknown_service',
  instance: process?.instance ?? null,
  host: process?.host ?? null,
  zone: process?.zone ?? null,
  region: process?.region ?? null,
});

export const placeOfResource = (resource: Attributes): PlaceName => ({
  service: serviceOf(resource),
  instance: textOf(resource, ATTR.serviceInstanceId),
  host: textOf(resource, ATTR.hostName),
  zone: textOf(resource, ATTR.cloudZone),
  region: textOf(resource, ATTR.cloudRegion),
});

/** What to call it: its instance where that says something, else its host. */
export function nameOfPlace({ service, instance, host, region }: PlaceName): string {
  const isRandom = instance !== null && /^[0-9a-f]{16}$/.test(instance);
  const own = instance !== null && !isRandom ? instance : (host ?? instance ?? '?');
  return `${service} ${own}${region === null || own.includes(region) ? '' : ` (${region})`}`;
}

/** `42 ms`, `1.3 s`. */
export const msText = (ns: number): string =>
  Math.abs(ns) < 10e6
    ? `${(ns / 1e6).toFixed(1)} ms`
    : Math.abs(ns) < 2e9
      ? `${Math.round(ns / 1e6)} ms`
      : `${(ns / 1e9).toFixed(1)} s`;
