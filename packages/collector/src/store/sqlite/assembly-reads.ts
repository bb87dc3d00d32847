// What assembly reads of the volumes: flushes in order of their commits, one
// session whole, and which sessions are to be taken up at a start.

import type {
  AssemblyFlush,
  FlushRun,
  RawSession,
  StoredFlush,
  UnfinishedSession,
} from '../store.ts';
import type { CoveredSession } from './meta-writer.ts';
import { rawSpansOf, type RawSpans } from './session-raw.ts';
import type { CommitRow, VolumeQueries } from './volume-queries.ts';
import type { VolumeSpans } from './volume-spans.ts';

/** A volume that can be read, by whoever holds it open. */
export interface ReadableVolume {
  readonly number: number;
  readonly queries: VolumeQueries;
  readonly spans: VolumeSpans;
}

/** Where the last run of flushes ended. */
interface Place {
  readonly volume: number;
  readonly flush: number;
  readonly commit: number;
}

/** The file of a kept call (kept-calls.ts), if it has one. */
export type KeptFile = (key: string) => Pick<ReadableVolume, 'queries' | 'spans'> | undefined;

export class AssemblyReads {
  /** Oldest first. */
  readonly #volumes: () => readonly ReadableVolume[];
  readonly #kept: KeptFile;
  #place: Place | undefined;

  constructor(volumes: () => readonly ReadableVolume[], kept: KeptFile) {
    this.#volumes = volumes;
    this.#kept = kept;
  }

  /** Undefined while nothing is stored. */
  newest(): CommitRow | undefined {
    for (const { queries } of this.#volumes().toReversed()) {
      const last = queries.lastCommit();
      if (last) return last;
    }
    return undefined;
  }

  /** @see AssemblyStore.flushesBetween */
  flushesBetween(after: number, upTo: number, limit: number): FlushRun {
    const flushes: AssemblyFlush[] = [];
    const known = this.#place?.commit === after ? this.#place : undefined;
    let lastCommit = after;
    for (const { number, queries } of this.#volumes()) {
      if (known !== undefined && number < known.volume) continue;
      const from = number === known?.volume ? known.flush : queries.lastFlushUpTo(after);
      lastCommit = wholeCommits(queries, { from, upTo, limit: limit - flushes.length });
      const to = queries.lastFlushUpTo(lastCommit);
      for (const flush of queries.flushesIn(from, to)) flushes.push(flush);
      this.#place = { volume: number, flush: to, commit: lastCommit };
      if (lastCommit < upTo) return { flushes, lastCommit };
    }
    return { flushes, lastCommit: upTo };
  }

  /** @see AssemblyStore.loadSession */
  loadSession(key: string, fromUnixNs?: bigint): RawSession | undefined {
    const raw: RawSpans = { spans: [], tallies: [] };
    const flushes: StoredFlush[] = [];
    let id: string | undefined;
    const own = this.#kept(key);
    const keptTo = own?.queries.lastCommit()?.commit ?? 0;
    for (const file of own ? [own, ...this.#volumes()] : this.#volumes()) {
      const session = file.queries.sessionByKey(key);
      if (!session) continue;
      id = session.sessionId;
      const after = file === own ? 0 : keptTo;
      rawSpansOf(file.spans, { row: session.id, key, after }, raw);
      for (const flush of file.queries.flushesSince(session.id, { key, id }, after))
        flushes.push(flush);
    }
    if (id === undefined) return undefined;
    const isWanted = (one: { arrivalUnixNs: bigint }): boolean =>
      fromUnixNs === undefined || one.arrivalUnixNs >= fromUnixNs;
    return {
      key,
      id,
      lastCommit: Math.max(lastOf(raw.tallies), lastOf(flushes)),
      tallies: raw.tallies.filter(isWanted),
      spans: raw.spans.filter(isWanted),
      flushes: flushes.filter(isWanted),
    };
  }

  /** @see AssemblyStore.unfinishedSessions */
  unfinished(all: readonly CoveredSession[]): UnfinishedSession[] {
    const covered = new Map(all.map(one => [one.key, one]));
    const last = new Map<string, { id: string; lastCommit: number }>();
    for (const { queries } of this.#volumes())
      for (const { key, id, lastCommit } of queries.sessions()) last.set(key, { id, lastCommit });
    // Kept, and its volumes gone: what is not closed is looked at there.
    for (const { key, status } of all) {
      if (last.has(key) || (status !== 'live' && status !== 'idle')) continue;
      const session = this.#kept(key)?.queries.sessionByKey(key);
      if (session) last.set(key, { id: session.sessionId, lastCommit: session.lastCommit });
    }
    return [...last].flatMap(([key, { id, lastCommit }]) => {
      const derived = covered.get(key);
      const isOpen = derived?.status === 'live' || derived?.status === 'idle';
      const coveredCommit = derived?.covered_commit ?? 0;
      if (coveredCommit >= lastCommit && !isOpen) return [];
      return [{ key, id, coveredCommit, lastCommit, status: derived?.status ?? null }];
    });
  }
}

/** The last commit whose flushes behind `from` fit into the limit: at least the first one there. */
function wholeCommits(
  queries: VolumeQueries,
  { from, upTo, limit }: { readonly from: number; readonly upTo: number; readonly limit: number },
): number {
  const beyond = queries.commitOfFlush(from, Math.max(0, limit));
  if (beyond === undefined) return upTo;
  const first = queries.commitOfFlush(from, 0) ?? beyond;
  return Math.min(upTo, limit > 0 ? Math.max(first, beyond - 1) : first - 1);
}

/** Not simply the last one's: rows that a session adopted count with the commit that did. */
const lastOf = (all: readonly { readonly commit: number }[]): number =>
  all.reduce((last, { commit }) => Math.max(last, commit), 0);
