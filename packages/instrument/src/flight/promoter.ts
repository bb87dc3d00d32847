// Frames worth a span of their own, so that any backend shows them beside the
// turn they belong to: those over budget, the worst of each minute at each hop,
// those around a barge-in and an underrun, and one in a thousand by a hash of
// its tick, so that "usual" can be seen beside "bad".
//
// Judged here is what this process alone can know: how much later than the media
// clock a frame passed, against the media schedule (`media-schedule.ts`). What lies
// between processes the collector knows, which promotes by it when it forwards.
// A frame has one span ID wherever it is promoted.

import { frameSpanId, hopKey, isBaselineTick, NS_PER_S, type HopName } from '@framescope/protocol';
import type { FlushedHop } from '../export/record-builder.ts';
import type { MarkRows } from '../hot/mark-rows.ts';
import {
  inOrder,
  isCalm,
  latenessNs,
  type Due,
  type InOrder,
  type Paced,
} from './media-schedule.ts';
import { TokenBuckets } from './token-buckets.ts';

export type PromotionReason =
  | 'over_budget'
  | 'worst'
  | 'barge_in'
  | 'underrun'
  | 'baseline'
  | 'every_frame';

/** A frame that gets a span: when it was due at this hop, and when it passed. */
export interface Promoted {
  readonly stream: string;
  readonly hopKey: string;
  readonly spanId: string;
  readonly tick: number;
  readonly dueNs: number;
  readonly atNs: number;
  readonly reasons: readonly PromotionReason[];
}

/** Mouth to ear; a hop that adds as much by itself has spent it all. */
export const FRAME_BUDGET_NS = 300_000_000;
const MINUTE_NS = 60_000_000_000;
/** Of one hop: a stall puts hundreds over budget, and after it all may stay late for good. */
const OVER_BUDGET_BUCKETS = { burst: 4, refillNs: 15_000_000_000, reasonsMax: 512 };
/** Frames around an event at one hop. */
const AROUND_MAX = 10;
const EVENTS_MAX = 16;

/** A frame passed a hop. */
interface Passage {
  readonly tick: number;
  readonly atNs: number;
  readonly lateNs: number;
}

interface Watched extends Due {
  readonly stream: string;
  readonly isUp: boolean;
  readonly key: string;
  worst: Passage | undefined;
}

interface Event {
  readonly stream: string;
  readonly reason: 'barge_in' | 'underrun';
  readonly fromTick: number;
  readonly toTick: number;
  /** Frames promoted by it, at each hop. */
  readonly counts: Map<Watched, number>;
}

export class Promoter {
  readonly #traceId: string;
  readonly #hops: Watched[] = [];
  readonly #paced = new Map<string, Paced>();
  readonly #overBudget = new TokenBuckets(OVER_BUDGET_BUCKETS);
  #events: Event[] = [];
  #minuteFromNs = Number.NaN;

  readonly #isEvery: boolean;

  /** @param traceId The session's. @param isEvery Every frame gets a span: there is no other way out. */
  constructor(traceId: string, isEvery = false) {
    this.#traceId = traceId;
    this.#isEvery = isEvery;
  }

  /** A new hop, in the order of their codes. */
  enrol(
    stream: { readonly name: string; readonly sampleRate: number; readonly direction: string },
    hop: HopName,
  ): void {
    const isUp = stream.direction === 'up';
    const paced = this.#paced.get(stream.name) ?? { hops: [], isUp, lastNs: Number.NaN };
    this.#paced.set(stream.name, paced);
    const watched: Watched = {
      paced,
      stream: stream.name,
      isUp,
      code: this.#hops.length,
      key: hopKey({ ...hop, stream: stream.name }),
      nsPerTick: NS_PER_S / stream.sampleRate,
      offsetNs: Infinity,
      endTick: 0,
      worst: undefined,
    };
    paced.hops.push(watched);
    this.#hops.push(watched);
  }

  /** Frames of these ticks are worth a span when they come, a few of them. */
  around(event: Omit<Event, 'counts'>): void {
    this.#events.push({ ...event, counts: new Map() });
    if (this.#events.length > EVENTS_MAX) this.#events.shift();
  }

  /**
   * Judges the marks of a flush: hop by hop where each stream kept its pace, as nearly always; else in
   * the order of their times, which alone tells a pause from a stall.
   */
  take(hops: readonly FlushedHop[], rows: MarkRows, count: number): Promoted[] {
    const promoted: Promoted[] = [];
    if (this.#isCalm(hops)) for (const [i, hop] of hops.entries()) this.#column(i, hop, promoted);
    else {
      const marks = inOrder(rows, count);
      for (let place = 0; place < count; place++) this.#judge(marks, place, promoted);
    }
    const lastNs = count === 0 ? Number.NaN : rows.atNs[count - 1]!;
    if (Number.isNaN(this.#minuteFromNs)) this.#minuteFromNs = lastNs;
    if (lastNs - this.#minuteFromNs >= MINUTE_NS) {
      this.#minuteFromNs = lastNs;
      promoted.push(...this.worst());
    }
    return promoted;
  }

  #isCalm(hops: readonly FlushedHop[]): boolean {
    for (const { hops: own, isUp, lastNs } of this.#paced.values())
      if (isUp && !isCalm(own, hops, lastNs)) return false;
    return true;
  }

  /** One hop of a stream that kept its pace. */
  #column(code: number, { rows, count, late }: FlushedHop, promoted: Promoted[]): void {
    const hop = this.#hops[code];
    if (hop === undefined || count + late.length === 0) return;
    const { startTick, endTick, atNs } = rows;
    const { isUp, nsPerTick } = hop;
    const isAsked = this.#isEvery || this.#events.length > 0;
    let { offsetNs } = hop;
    let worstNs = hop.worst?.lateNs ?? 0;
    let worst = -1;
    for (let row = 0; row < count; row++) {
      const start = startTick[row]!;
      let lateNs = 0;
      if (isUp) {
        const passedNs = atNs[row]! - endTick[row]! * nsPerTick;
        if (passedNs < offsetNs) offsetNs = passedNs;
        lateNs = passedNs - offsetNs;
        if (lateNs > worstNs) [worstNs, worst] = [lateNs, row];
      }
      if (isAsked || lateNs > FRAME_BUDGET_NS || isBaselineTick(start))
        this.#promote(hop, { tick: start, atNs: atNs[row]!, lateNs }, promoted);
    }
    // Only of streams toward the user, whose frames are never late against the schedule.
    for (const { startTick: start, atNs: at } of late)
      if (isAsked || isBaselineTick(start))
        this.#promote(hop, { tick: start, atNs: at, lateNs: 0 }, promoted);
    hop.offsetNs = offsetNs;
    if (worst >= 0) hop.worst = { tick: startTick[worst]!, atNs: atNs[worst]!, lateNs: worstNs };
    if (count === 0) return;
    hop.endTick = endTick[count - 1]!;
    const { paced } = hop;
    if (!(paced.lastNs > atNs[count - 1]!)) paced.lastNs = atNs[count - 1]!;
  }

  /** The worst of each hop since the last call; also for the end of a session. */
  worst(): Promoted[] {
    return this.#hops.flatMap(hop => {
      const { worst } = hop;
      hop.worst = undefined;
      // With every frame written it has its span already.
      return worst === undefined || this.#isEvery ? [] : [this.#frame(hop, worst, ['worst'])];
    });
  }

  #judge(marks: InOrder, place: number, promoted: Promoted[]): void {
    const { rows, order } = marks;
    const row = order[place]!;
    const hop = this.#hops[rows.hop[row]!];
    if (hop === undefined) return;
    const tick = rows.startTick[row]!;
    const atNs = rows.atNs[row]!;
    // The agent's audio comes ahead of real time: against the schedule it is never late.
    const lateNs = hop.isUp ? latenessNs(hop, marks, place) : 0;
    if (lateNs > (hop.worst?.lateNs ?? 0)) hop.worst = { tick, atNs, lateNs };
    this.#promote(hop, { tick, atNs, lateNs }, promoted);
  }

  /** Where there is a reason to. */
  #promote(hop: Watched, passage: Passage, promoted: Promoted[]): void {
    const { tick, atNs, lateNs } = passage;
    const isBaseline = isBaselineTick(tick);
    const isOver = lateNs > FRAME_BUDGET_NS && this.#overBudget.take(hop.key, atNs);
    if (!isBaseline && !isOver && this.#events.length === 0 && !this.#isEvery) return;
    const reasons: PromotionReason[] = this.#isEvery ? ['every_frame'] : [];
    if (isOver) reasons.push('over_budget');
    for (const event of this.#events) if (isAround(event, hop, tick)) reasons.push(event.reason);
    if (isBaseline) reasons.push('baseline');
    if (reasons.length > 0) promoted.push(this.#frame(hop, passage, reasons));
  }

  #frame(
    hop: Watched,
    { tick, atNs, lateNs }: Passage,
    reasons: readonly PromotionReason[],
  ): Promoted {
    const { stream, key } = hop;
    const spanId = frameSpanId(this.#traceId, stream, key, tick);
    return { stream, hopKey: key, spanId, tick, dueNs: atNs - lateNs, atNs, reasons };
  }
}

function isAround(event: Event, hop: Watched, tick: number): boolean {
  if (hop.stream !== event.stream || tick < event.fromTick || tick >= event.toTick) return false;
  const count = event.counts.get(hop) ?? 0;
  event.counts.set(hop, count + 1);
  return count < AROUND_MAX;
}
