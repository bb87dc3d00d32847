// The clocks of one session, and how each one's times become session time.
//
// Marks keep raw time for ever; this is where it is corrected, when read. All
// clocks are brought to one reference: the collector's. Where no exchange leads
// to it (the collector unreachable for probes, a simulated call of yesterday),
// clocks that are joined among themselves still agree with each other as well
// as their echoes allow, and only their common place on the wall clock is
// unsure: it is the word of one of them, the turn authority's if it is there.

import { clockKey, ClockGraph, IDENTITY, type ClockKey, type Correction } from './clock-graph.ts';
import type { ClockSample } from '@framescope/protocol';
import { DRIFT_PPM } from './offset-interval.ts';

/** What a process says of the clock it reads. */
export interface ClockName {
  readonly domain: string;
  readonly epoch: number;
  /** Its wall clock at DomainNs 0. */
  readonly zeroUnixNs: bigint;
}

export type ClockSource = 'same host' | 'probe' | 'echo' | 'wall clock';

/** A wall clock nobody compared may be off by this much: NTP gone wrong, or a clock set by hand. */
export const WALL_CLOCK_ERROR_NS = 10_000_000_000;

/** One clock's way to session time. */
export interface ClockMap {
  readonly key: ClockKey;
  readonly name: ClockName;
  readonly source: ClockSource;
  /** Clocks of one group are joined by exchanges; across groups the wall clock decides. */
  readonly group: string;
  /** Joined to a clock of the collector's: its place on the collector's wall clock is known. */
  readonly isPlaced: boolean;
  readonly correction: Correction;
  /** Session time of a raw reading, whole ns. */
  toSession(rawNs: number): number;
  /** How wrong that is against other clocks of the group. */
  boundNs(rawNs: number): number;
}

export class SessionClocks {
  #references: readonly ClockName[];
  readonly #graph = new ClockGraph();
  readonly #names = new Map<ClockKey, ClockName>();
  #lastNoted:
    | { readonly domain: string; readonly epoch: number; readonly key: ClockKey }
    | undefined;
  #preferred: ClockKey | undefined;
  #zeroUnixNs: bigint | undefined;
  #maps: Map<ClockKey, ClockMap> | undefined;

  /** `references`: the collector's clock, and those it had before; the running one first. */
  constructor(...references: readonly ClockName[]) {
    this.#references = references;
  }

  /** What the collector's clocks are for this session. */
  setReferences(references: readonly ClockName[]): void {
    this.#references = references;
    this.#maps = undefined;
  }

  /** Fixes the session's zero; before that, session time is the collector's Unix time at first note. */
  setZero(zeroUnixNs: bigint): void {
    this.#zeroUnixNs = zeroUnixNs;
    this.#maps = undefined;
  }

  /** Makes a clock known; its first wall-clock zero stays, so that nothing jumps when NTP steps. */
  note(name: ClockName): ClockKey {
    // Of most sessions and of runs of flushes there is one clock: its key is not spelled again.
    const last = this.#lastNoted;
    if (last?.domain === name.domain && last.epoch === name.epoch) return last.key;
    const key = clockKey(name.domain, name.epoch);
    this.#lastNoted = { domain: name.domain, epoch: name.epoch, key };
    if (!this.#names.has(key)) {
      this.#names.set(key, name);
      this.#maps = undefined;
    }
    return key;
  }

  /** What was said of a known clock. */
  nameOf(key: ClockKey): ClockName {
    const name = this.#names.get(key);
    if (name === undefined) throw new Error(`clock ${key} was never noted`);
    return name;
  }

  /** The clock whose wall time is taken where none leads to the collector. */
  prefer(key: ClockKey): void {
    if (this.#preferred !== undefined) return;
    this.#preferred = key;
    this.#maps = undefined;
  }

  addSample(own: ClockKey, sample: ClockSample): void {
    if (this.#graph.add(own, sample)) this.#maps = undefined;
  }

  /** The way of each known clock. Rebuilt when an exchange came in; then compare with the old one. */
  maps(): ReadonlyMap<ClockKey, ClockMap> {
    this.#maps ??= this.#solve();
    return this.#maps;
  }

  map(key: ClockKey): ClockMap {
    const map = this.maps().get(key);
    if (map === undefined) throw new Error(`clock ${key} was never noted`);
    return map;
  }

  #solve(): Map<ClockKey, ClockMap> {
    const maps = new Map<ClockKey, ClockMap>();
    for (const name of this.#references)
      this.#place(maps, { key: clockKey(name.domain, name.epoch), name, isCollector: true });
    for (const key of this.#anchorsInOrder())
      if (!maps.has(key))
        this.#place(maps, { key, name: this.#names.get(key)!, isCollector: false });
    return maps;
  }

  #anchorsInOrder(): ClockKey[] {
    const keys = [...this.#names.keys()];
    const isFirst = (key: ClockKey): number => (key === this.#preferred ? 0 : 1);
    return keys.toSorted((a, b) => isFirst(a) - isFirst(b));
  }

  /** Adds all clocks that exchanges join to `anchor`. */
  #place(maps: Map<ClockKey, ClockMap>, anchor: Anchor): void {
    const { zeroUnixNs } = anchor.name;
    const baseNs = Number(zeroUnixNs - (this.#zeroUnixNs ?? zeroUnixNs));
    for (const [key, correction] of this.#graph.corrections(anchor.key)) {
      const name = this.#names.get(key);
      if (name === undefined || maps.has(key)) continue;
      const facts = { key, name, group: anchor.key, isPlaced: anchor.isCollector, correction };
      const source = sourceOf(correction, anchor.isCollector);
      maps.set(key, clockMap({ ...facts, source }, baseNs));
    }
  }
}

/** The clock that others are brought to. */
interface Anchor {
  readonly key: ClockKey;
  readonly name: ClockName;
  readonly isCollector: boolean;
}

function sourceOf(correction: Correction, isCollector: boolean): ClockSource {
  if (correction === IDENTITY) return isCollector ? 'same host' : 'wall clock';
  return isCollector && !correction.isIndirect ? 'probe' : 'echo';
}

function clockMap(
  facts: Pick<ClockMap, 'key' | 'name' | 'source' | 'group' | 'isPlaced' | 'correction'>,
  baseNs: number,
): ClockMap {
  const { correction } = facts;
  return {
    ...facts,
    toSession: rawNs => Math.round(rawNs + correction.offsetNs(rawNs)) + baseNs,
    boundNs: rawNs => correction.boundNs(rawNs),
  };
}

/** How wrong the distance between two corrected times is, through their clocks alone. */
export function clockErrorNs(
  a: { readonly map: ClockMap; readonly rawNs: number },
  b: { readonly map: ClockMap; readonly rawNs: number },
): number {
  if (a.map.key === b.map.key) return driftErrorNs(a.map, b.rawNs - a.rawNs);
  const wallNs = a.map.group === b.map.group ? 0 : WALL_CLOCK_ERROR_NS;
  return Math.ceil(a.map.boundNs(a.rawNs) + b.map.boundNs(b.rawNs)) + wallNs;
}

/** How wrong a length on one clock is: nobody's second is exactly a second, bar the reference's. */
export function driftErrorNs(map: ClockMap, lengthNs: number): number {
  return map.source === 'same host' ? 0 : Math.ceil(Math.abs(lengthNs) * DRIFT_PPM * 1e-6);
}

/**
 * Own wall clock minus the reference's, at raw time `rawNs`: what a person would call its offset.
 * The reference itself has none, whatever its process read from the wall clock when it started.
 */
export function wallOffsetNs(map: ClockMap, rawNs: number, zeroUnixNs: bigint): number {
  if (map.source === 'same host') return 0;
  return rawNs + Number(map.name.zeroUnixNs - zeroUnixNs) - map.toSession(rawNs);
}

/** Least time between first and last exchange for which a drift is worth a number. */
const DRIFT_SPAN_NS = 10_000_000_000;

/** By how many parts per million the clock runs fast; null where too short to tell. */
export function driftPpm(map: ClockMap): number | null {
  const { firstNs, lastNs } = map.correction;
  if (lastNs - firstNs < DRIFT_SPAN_NS) return null;
  const change = map.correction.offsetNs(lastNs) - map.correction.offsetNs(firstNs);
  return (-change / (lastNs - firstNs)) * 1e6;
}
