// A session's facets as they stand in meta.db, read when they are first asked for.

import type { FacetSession, SessionFacets } from '../store.ts';

/** Time in two parts: Unix nanoseconds do not fit a double, and bigints are slow by the thousand. */
export type FacetRow = readonly [
  id: number,
  key: string,
  sessionId: string,
  status: string,
  startSeconds: number,
  startNs: number,
  facets: string,
];

export class StoredFacets implements FacetSession {
  readonly row: number;
  readonly key: string;
  readonly id: string;
  readonly status: string;
  readonly #startSeconds: number;
  readonly #startNs: number;
  readonly #json: string;
  readonly #kept: () => ReadonlySet<string>;
  #facets: SessionFacets | undefined;

  /** `kept`: keys of the calls that are kept; asked only by who wants to know. */
  constructor(
    [id, key, sessionId, status, startSeconds, startNs, facets]: FacetRow,
    kept: () => ReadonlySet<string>,
  ) {
    this.#kept = kept;
    this.row = id;
    this.key = key;
    this.id = sessionId;
    this.status = status;
    this.#startSeconds = startSeconds;
    this.#startNs = startNs;
    this.#json = facets;
  }

  get startUnixNs(): bigint {
    return BigInt(this.#startSeconds) * 1_000_000_000n + BigInt(this.#startNs);
  }

  isPinned(): boolean {
    return this.#kept().has(this.key);
  }

  get facets(): SessionFacets {
    return (this.#facets ??= readFacets(this.#json));
  }
}

export const NO_FACETS: SessionFacets = {
  attributes: {},
  synthetic: null,
  places: [],
  hops: {},
  counts: {},
};

/** Those of a folder of an earlier version may lack some. */
export function readFacets(json: string): SessionFacets {
  const facets = JSON.parse(json) as Partial<SessionFacets>;
  return facets.counts === undefined ? { ...NO_FACETS, ...facets } : (facets as SessionFacets);
}

/** Dropped by retention while its minutes are still told of. */
export const GONE: FacetSession = {
  row: 0,
  key: '',
  id: '',
  status: 'ended',
  startUnixNs: 0n,
  facets: NO_FACETS,
  isPinned: () => false,
};
