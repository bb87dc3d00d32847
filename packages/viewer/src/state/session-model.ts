// What is known of one session, and how it keeps up while the call runs.
//
// Everything is read by window and replaced by window: an event that says
// "changed" makes a window stale, the picture keeps what it has until the new
// answer is there. So a reconnect leaves no gap and repeats nothing.

import type { LiveEvent, Load, SessionDetail, Timeline, Turn, Wait } from '@framescope/protocol';
import { api } from '../data/api.ts';
import { FrameTiles } from '../data/frame-tiles.ts';
import type { LiveClient } from '../data/live.ts';
import { limitOf, type BudgetBook } from './budgets.ts';
import { LiveEdge, type Viewport } from './viewport.ts';

/** How far behind its newest data a live picture runs, so that frames slide in and never pop. */
const LIVE_LAG_NS = 300_000_000;
const TURNS_EVERY_MS = 500;
/** Load comes a second at a time, and reads rows of every process there is. */
const LOAD_EVERY_MS = 3_000;
const LOAD_COLUMNS = 600;
/** 104 days, and two hours short of where ns are no whole numbers any more and nobody may ask. A clock that leapt by years says such things. */
const REACH_NS = 9e15;

export class SessionModel {
  readonly key: string;
  readonly tiles: FrameTiles;
  detail: SessionDetail | undefined;
  turns: readonly Turn[] = [];
  /** How busy the instances were; undefined: not asked yet, or a store that keeps none. */
  loads: Load | undefined;
  timeline: Timeline | undefined;
  readonly #changed: () => void;
  readonly #budgets: Pick<BudgetBook, 'list'>;
  readonly #edge = new LiveEdge();
  readonly #off: readonly (() => void)[];
  #dataEndNs = 0;
  /** Of the clocks: with a new one every time of every frame may be another. */
  #revision = -1;
  #timelineAsked = '';
  #timelineShown = '';
  #isTimelineStale = false;
  #timers = new Set<ReturnType<typeof setTimeout>>();
  #isReading = false;
  #isReadAgain = false;
  #isLoadDue = true;
  #isClosed = false;

  constructor(
    key: string,
    { live, budgets }: { readonly live: LiveClient; readonly budgets: Pick<BudgetBook, 'list'> },
    changed: () => void,
  ) {
    this.key = key;
    this.#budgets = budgets;
    this.#changed = changed;
    this.tiles = new FrameTiles({ fetch: window => api.frames(key, window), changed });
    this.#off = [
      live.onEvent(event => this.#take(event)),
      live.onStatus(status => (status === 'open' ? this.#returned() : undefined)),
    ];
  }

  async load(): Promise<void> {
    const [detail, turns] = await Promise.all([api.session(this.key), api.turns(this.key)]);
    this.#accept(detail, turns);
  }

  close(): void {
    this.#isClosed = true;
    for (const off of this.#off) off();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  get isLive(): boolean {
    return this.detail?.status === 'live';
  }

  /** End of what there is to see: the live edge, or the call's end. */
  endNs(nowMs: number): number {
    const known = Math.min(REACH_NS, Math.max(this.detail?.durationNs ?? 0, this.#dataEndNs));
    if (!this.isLive) return Math.max(known, 1e9);
    const edge = this.#edge.at(nowMs);
    // A pause in the data stops the picture two seconds on: no endless white.
    return edge === undefined ? known : Math.min(edge - LIVE_LAG_NS, known + 2e9);
  }

  turnAt(tick: number | undefined): Turn | undefined {
    return tick === undefined ? undefined : this.turns.find(turn => turn.tick === tick);
  }

  /** What applies to a measure now; null: nothing. */
  limitNs(measure: string): number | null {
    return limitOf(this.#budgets.list?.items ?? this.detail?.budgets ?? [], measure);
  }

  /** Of a wait: its own definition's, else its family's. */
  limitOfWait({ kind, definition }: Pick<Wait, 'kind' | 'definition'>): number | null {
    return this.limitNs(`${kind === 'response' ? 'voice_to_voice' : kind}.${definition}`);
  }

  /** True while levels of detail that were asked for have not come. */
  get isTimelineDue(): boolean {
    return this.#timelineAsked !== this.#timelineShown;
  }

  /** Asks for levels of detail around a view, wider than the view so that small pans need none. */
  wantTimeline(view: Viewport, widthPx: number): void {
    const span = view.toNs - view.fromNs;
    const level = 2 ** Math.ceil(Math.log2(span));
    const fromNs = Math.max(0, Math.floor((view.fromNs - span / 2) / level) * level);
    const toNs = Math.min(REACH_NS, Math.ceil((view.toNs + span / 2) / level) * level);
    const asked = `${fromNs}-${toNs}-${Math.round(widthPx / 200)}`;
    if (asked === this.#timelineAsked && !this.#isTimelineStale) return;
    this.#timelineAsked = asked;
    this.#isTimelineStale = false;
    const end = Math.min(
      toNs,
      Math.max(this.detail?.durationNs ?? toNs, this.#dataEndNs, view.toNs),
      REACH_NS,
    );
    const buckets = Math.min(8192, Math.max(64, Math.round(((end - fromNs) / span) * widthPx)));
    this.#later(
      60,
      () => void this.#readTimeline(asked, { fromNs, toNs: Math.ceil(end), buckets }),
    );
  }

  async #readTimeline(
    asked: string,
    query: { fromNs: number; toNs: number; buckets: number },
  ): Promise<void> {
    if (asked !== this.#timelineAsked) return;
    try {
      const timeline = await api.timeline(this.key, query);
      // Overtaken by a later question; better than nothing while there is nothing.
      if (asked !== this.#timelineAsked && this.timeline) return;
      this.timeline = timeline;
      this.#timelineShown = asked;
      this.#changed();
    } catch {
      this.#timelineAsked = ''; // Asked again with the next picture, or when the collector is back.
    }
  }

  #take(event: LiveEvent): void {
    if (event.type === 'snapshot') {
      this.#allStale();
      this.#readSoon();
    } else if (event.type === 'session' && event.session.key === this.key) {
      if (this.detail) this.detail = { ...this.detail, ...event.session };
      this.#readSoon();
    } else if (event.type === 'turns' && event.sessionKey === this.key) this.#readSoon();
    else if (event.type === 'frames' && event.sessionKey === this.key) {
      this.#sawData(event.toNs);
      this.tiles.invalidate(event.fromNs, event.toNs);
      this.#isTimelineStale = true;
      this.#changed();
    }
  }

  #allStale(): void {
    this.tiles.invalidate();
    this.#isTimelineStale = true;
  }

  /** The collector is back: what failed meanwhile is asked again. */
  #returned(): void {
    this.#isTimelineStale = true;
    this.#readSoon();
    this.#changed();
  }

  #sawData(toNs: number): void {
    this.#dataEndNs = Math.max(this.#dataEndNs, toNs);
    this.#edge.saw(toNs, performance.now());
  }

  /** Detail and turns, at most twice a second, the last change never missed. */
  #readSoon(): void {
    if (this.#isReading) return void (this.#isReadAgain = true);
    this.#isReading = true;
    void this.#read().finally(() => {
      this.#later(TURNS_EVERY_MS, () => {
        this.#isReading = false;
        if (!this.#isReadAgain) return;
        this.#isReadAgain = false;
        this.#readSoon();
      });
    });
  }

  async #read(): Promise<void> {
    try {
      await this.load();
    } catch {
      // Away for a moment: the snapshot after its return reads everything again.
    }
  }

  #accept(detail: SessionDetail, turns: readonly Turn[]): void {
    const revision = Math.max(-1, ...turns.flatMap(turn => turn.waits.map(wait => wait.revision)));
    if (this.#revision >= 0 && revision !== this.#revision) this.#allStale();
    this.#revision = revision;
    this.detail = detail;
    this.turns = turns.toSorted((a, b) => a.startNs - b.startNs);
    if (this.#dataEndNs === 0) this.#sawData(detail.durationNs);
    this.#changed();
    if (this.#isLoadDue) void this.#readLoad();
  }

  /** Beside the frames, never before them: a call is whole without it. */
  async #readLoad(): Promise<void> {
    this.#isLoadDue = false;
    try {
      this.loads = await api.load({ session: this.key, columns: LOAD_COLUMNS });
      this.#changed();
    } catch {
      // Asked again with the next news of the call.
    }
    this.#later(LOAD_EVERY_MS, () => void (this.#isLoadDue = true));
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isClosed) run();
    }, ms);
    this.#timers.add(timer);
  }
}
