// Frames of one session, fetched in tiles of fixed length and joined into columns.
//
//   tiles    |  0  |  1  |  2* |      * stale: drawn as it is until its new answer comes,
//   view        [——————————]            so nothing jumps while a call runs
//
// Tiles that nobody looked at for long go first: memory follows the view and not the call.

import type { FramesHop, FramesWindow } from '@framescope/protocol';
import { lowerBound } from '../layout/time-scale.ts';
import { fetchWhole, type TimeWindow } from './whole-frames.ts';

export const TILE_NS = 4_000_000_000;
/** 64 tiles of 4 s: a bit over four minutes of frames, about 20 MB at 16 hops. */
const TILES_MAX = 64;
const FETCHES_MAX = 4;
/** Tiles joined beside those in view, at least. */
const JOINED_BESIDE_MIN = 2;

/** The rows of one hop over all loaded tiles, in order of time. */
export interface HopRows {
  readonly key: string;
  errorNs: number;
  rawShiftNs: number;
  length: number;
  startTick: Float64Array;
  endTick: Float64Array;
  atNs: Float64Array;
  latencyNs: Float64Array;
  flags: Uint8Array;
}

interface Tile {
  readonly index: number;
  windows: readonly FramesWindow[] | undefined;
  isStale: boolean;
  isLoading: boolean;
  usedAt: number;
}

export interface TileSource {
  fetch(window: TimeWindow): Promise<FramesWindow>;
  changed(): void;
}

export class FrameTiles {
  readonly #source: TileSource;
  readonly #tiles = new Map<number, Tile>();
  #loading = 0;
  #use = 0;
  /** Tiles `first` to `last`, as far as they were here when they were joined. */
  #joined:
    | {
        readonly first: number;
        readonly last: number;
        readonly rows: ReadonlyMap<string, HopRows>;
      }
    | undefined;
  /** Tiles that came since they were last joined. */
  #arrivals = 0;

  constructor(source: TileSource) {
    this.#source = source;
  }

  /** Marks tiles that touch the window as out of date; all when none is given. */
  invalidate(fromNs: number = -Infinity, toNs: number = Infinity): void {
    for (const tile of this.#tiles.values())
      if (tile.index * TILE_NS <= toNs && (tile.index + 1) * TILE_NS >= fromNs) tile.isStale = true;
  }

  get isLoading(): boolean {
    return this.#loading > 0;
  }

  /** True when a window in view holds more frames than the collector gives out, however small it is cut. */
  isCut(fromNs: number, toNs: number): boolean {
    return [...this.#tiles.values()].some(
      tile =>
        tile.index * TILE_NS < toNs &&
        (tile.index + 1) * TILE_NS > fromNs &&
        tile.windows?.some(window => window.truncated),
    );
  }

  /** Asks for what the window lacks, nearest to its end first (there a live call grows). */
  want(fromNs: number, toNs: number): void {
    const first = Math.max(0, Math.floor(fromNs / TILE_NS));
    for (let index = Math.floor(toNs / TILE_NS); index >= first; index--) {
      const tile = this.#tile(index);
      tile.usedAt = ++this.#use;
      if (tile.isStale && !tile.isLoading && this.#loading < FETCHES_MAX) void this.#load(tile);
    }
    this.#evict();
  }

  /**
   * Rows by hop of the loaded tiles that touch the window, and some on both sides. The same object as
   * long as what it has covers the window: a picture that slides or zooms in joins nothing anew.
   */
  rows(fromNs: number, toNs: number): ReadonlyMap<string, HopRows> {
    const first = Math.floor(fromNs / TILE_NS);
    const last = Math.floor(toNs / TILE_NS);
    const held = this.#joined;
    if (held && held.first <= first && held.last >= last) return held.rows;
    // As much again on both sides: zooming out step by step joins each time that the view doubled.
    const beside = Math.max(JOINED_BESIDE_MIN, last - first);
    const range = { first: first - beside, last: last + beside };
    const tiles = [...this.#tiles.values()]
      .filter(tile => tile.windows && tile.index >= range.first && tile.index <= range.last)
      .toSorted((a, b) => a.index - b.index);
    const rows = joinTiles(tiles.flatMap(tile => tile.windows!));
    this.#joined = { ...range, rows };
    return rows;
  }

  #tile(index: number): Tile {
    const known = this.#tiles.get(index);
    if (known) return known;
    const tile = { index, windows: undefined, isStale: true, isLoading: false, usedAt: 0 };
    this.#tiles.set(index, tile);
    return tile;
  }

  async #load(tile: Tile): Promise<void> {
    tile.isLoading = true;
    tile.isStale = false;
    this.#loading++;
    try {
      const fromNs = tile.index * TILE_NS;
      tile.windows = await fetchWhole(window => this.#source.fetch(window), {
        fromNs,
        toNs: fromNs + TILE_NS,
      });
      this.#arrivals++;
    } catch {
      tile.isStale = true; // The live connection's return asks again.
      return;
    } finally {
      tile.isLoading = false;
      this.#loading--;
    }
    // Zoomed in, a dozen tiles arrive within a tenth of a second: each is joined, but not one by one.
    if (this.#loading === 0 || this.#arrivals >= FETCHES_MAX) {
      this.#joined = undefined;
      this.#arrivals = 0;
    }
    this.#source.changed();
  }

  #evict(): void {
    if (this.#tiles.size <= TILES_MAX) return;
    const oldest = [...this.#tiles.values()].toSorted((a, b) => a.usedAt - b.usedAt);
    for (const tile of oldest.slice(0, this.#tiles.size - TILES_MAX))
      this.#tiles.delete(tile.index);
  }
}

/** Joins windows that follow each other; a row on a seam counts once, in its own window. */
export function joinTiles(windows: readonly FramesWindow[]): Map<string, HopRows> {
  const rows = new Map<string, HopRows>();
  for (const key of new Set(windows.flatMap(one => one.hops.map(hop => hop.key)))) {
    const pieces = windows.flatMap(one => {
      const hop = one.hops.find(candidate => candidate.key === key);
      return hop ? [{ hop, window: one }] : [];
    });
    rows.set(key, joinHop(key, pieces));
  }
  return rows;
}

const COLUMNS = ['startTick', 'endTick', 'atNs', 'latencyNs', 'flags'] as const;

const stretch = (column: ArrayLike<number>, from: number, end: number): ArrayLike<number> =>
  ArrayBuffer.isView(column)
    ? (column as unknown as Float64Array).subarray(from, end)
    : Array.from(column).slice(from, end);

function joinHop(
  key: string,
  pieces: readonly { hop: FramesHop; window: FramesWindow }[],
): HopRows {
  const capacity = pieces.reduce((sum, { hop }) => sum + hop.length, 0);
  const last = pieces.at(-1)!.hop;
  const rows: HopRows = {
    key,
    errorNs: last.errorNs,
    rawShiftNs: last.rawShiftNs,
    length: 0,
    startTick: new Float64Array(capacity),
    endTick: new Float64Array(capacity),
    atNs: new Float64Array(capacity),
    latencyNs: new Float64Array(capacity),
    flags: new Uint8Array(capacity),
  };
  for (const { hop, window } of pieces) {
    // Rows are in order of time: those of the window's own are one stretch, copied whole.
    const from = lowerBound(hop.atNs, hop.length, window.fromNs);
    const end = lowerBound(hop.atNs, hop.length, window.toNs);
    for (const name of COLUMNS) rows[name].set(stretch(hop[name], from, end), rows.length);
    rows.length += end - from;
  }
  return rows;
}
