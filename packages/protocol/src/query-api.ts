// What the collector answers and the viewer asks: the types of `/api/v1`.
//
// Absolute times are Unix nanoseconds in decimal strings (`…UnixNs`); offsets
// from the session's zero and durations are whole nanoseconds as numbers
// (`…Ns`). `null` means known to be absent. Lists answer `{ items, nextCursor }`.

import type { Handover, SessionTopology } from './places-api.ts';
import type { ReportedWait, SourceDetail } from './sources-api.ts';
import type { LineageDetail, MediaDetail } from './stream-api.ts';

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** `application/problem+json`. `code` is stable; `detail` says what was wrong and what to do. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };
export type Attributes = Readonly<Record<string, AttributeValue>>;

export type SessionStatus = 'live' | 'idle' | 'ended' | 'broken_off';

/**
 * Where a wait was taken: names of one definition are never mixed in a chart. `setup`: of a greeting,
 * from where the call was asked for.
 */
export type WaitDefinition = 'setup' | 'client' | 'carrier' | 'server' | 'framework' | 'recording';

export type WaitOutcome =
  | 'answered'
  | 'filler_only'
  | 'interrupted_after'
  | 'interrupted_before'
  | 'abandoned'
  | 'failed'
  | 'none'
  | 'open';

/** Quantiles in ns by Kaplan–Meier; null where n is too small to quote (n < 1/(1−q)) or the curve does not reach it. */
export interface Quantiles {
  readonly n: number;
  /** Of these, how many were never answered and count as "at least so long". */
  readonly censored: number;
  readonly p50Ns: number | null;
  readonly p95Ns: number | null;
  readonly p99Ns: number | null;
  readonly p999Ns: number | null;
  readonly maxNs: number | null;
}

/**
 * Bounds of a quantile, 95 of 100: `[low, high]` in ns, from ranks (binomial), or by Greenwood's
 * variance where waits are censored. null where the quantile itself is; `high` null: not reached.
 */
export interface QuantileIntervals {
  readonly p50: QuantileInterval | null;
  readonly p95: QuantileInterval | null;
  readonly p99: QuantileInterval | null;
  readonly p999: QuantileInterval | null;
}

export interface QuantileInterval {
  readonly lowNs: number;
  readonly highNs: number | null;
}

// GET /api/v1/sessions?limit&cursor&state=live&from&to&filter -> Page<SessionSummary>, newest first

export interface SessionSummary {
  /** 13 characters, for URLs. */
  readonly key: string;
  /** `session.id`: may hold anything; escape it. */
  readonly id: string;
  readonly status: SessionStatus;
  readonly startUnixNs: string;
  /** Last data, or the end. */
  readonly endUnixNs: string;
  readonly attributes: Attributes;
  readonly services: readonly string[];
  /** Set on generated calls: a label such as `simulated day`. */
  readonly synthetic: string | null;
  readonly spanCount: number;
  readonly turnCount: number;
  /** Waits of kind `response`, of the definition named; null when the session has none. */
  readonly voiceToVoice: (Quantiles & { readonly definition: WaitDefinition }) | null;
  readonly worstTurn: { readonly tick: number; readonly waitNs: number } | null;
  readonly overBudgetCount: number;
  readonly bargeInCount: number;
  readonly frames: FrameCounts;
  /** One bar a turn, in order; at most the last 100. */
  readonly strip: readonly StripBar[];
  /** There and true when the call is kept (set-api.ts). */
  readonly pinned?: true;
}

export interface StripBar {
  readonly tick: number;
  readonly startNs: number;
  readonly waitNs: number | null;
  readonly outcome: WaitOutcome;
}

/** Each frame is in one class: lost, late, concealed, else in time. `expected` by the media schedule. */
export interface FrameCounts {
  readonly expected: number;
  readonly lost: number;
  readonly late: number;
  readonly concealed: number;
}

// GET /api/v1/sessions/{key} -> SessionDetail

export interface SessionDetail extends SessionSummary {
  /** Unix time of the session's zero. */
  readonly zeroUnixNs: string;
  readonly durationNs: number;
  readonly streams: readonly StreamDetail[];
  readonly processes: readonly ProcessDetail[];
  readonly budgets: readonly Budget[];
  /** Traces that belong to the session, newest last; at most 200. */
  readonly traceIds: readonly string[];
  /** What the collector was told could not be delivered, and what it refused, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Programs whose telemetry was recognised; absent when only our own instrument told of it. */
  readonly sources?: readonly SourceDetail[];
  /** Ways, hand-overs, cuts and buffers: places-api.ts. Absent in rows of an earlier collector. */
  readonly topology?: SessionTopology;
  /** Of `topology`. */
  readonly handovers?: readonly Handover[];
  /**
   * From where the call was asked for to its first voice, or until it stood where nobody greets; absent when
   * no process told of it. Of a greeting it is that turn's wait.
   */
  readonly setup?: Wait;
}

export interface StreamDetail {
  readonly name: string;
  readonly direction: 'up' | 'down';
  readonly sampleRate: number;
  /** In path order, from the mouth (up) or to the ear (down). */
  readonly hops: readonly HopDetail[];
  /** What media stacks and players measured of it, by role; absent when none told. */
  readonly media?: readonly MediaDetail[];
  /** Where its axis bends, and what came of it; absent when none told. */
  readonly lineage?: LineageDetail;
}

export interface HopDetail {
  /** Written `stream.role/hop`, with `#2` for the second of a name and `@instance` where several instances ran it. Unique in the session. */
  readonly key: string;
  readonly stream: string;
  readonly role: string;
  readonly name: string;
  readonly process: number;
  /** Highest tick before which every frame passed or was declared lost. */
  readonly watermarkTick: number;
  readonly frameTicks: number | null;
  readonly markCount: number;
  readonly frames: FrameCounts;
  /** Age at this hop against the media schedule (up), or time since the agent first sent it (down; n is 0 before that). */
  readonly latency: Quantiles;
  readonly errorNs: number;
  readonly budgetNs: number | null;
}

export interface ProcessDetail {
  readonly service: string;
  readonly instance: string | null;
  readonly host: string | null;
  readonly zone: string | null;
  readonly region: string | null;
  readonly clock: ClockDetail;
}

/** Offset of a domain against the collector's clock (own minus collector's), ± bound, at the last sample. */
export interface ClockDetail {
  readonly domain: string;
  readonly epoch: number;
  readonly offsetNs: number | null;
  readonly driftPpm: number | null;
  readonly errorNs: number | null;
  readonly sampleCount: number;
  /** `same host`, `probe`, `echo`, `wall clock` (no sample: the process's own word). */
  readonly source: string;
  /** Faults: negative delays outside the bound, jumps. */
  readonly faultCount: number;
}

export interface Budget {
  readonly measure: string;
  readonly limitNs: number;
}

// GET /api/v1/sessions/{key}/turns -> Page<Turn>

export interface Turn {
  readonly sessionKey: string;
  /** Whose word it is: `framescope`, `pipecat`, `livekit-agents`, … Absent in turns stored before there were several. */
  readonly source?: string;
  readonly tick: number;
  readonly traceId: string | null;
  readonly spanId: string | null;
  /** Offsets from the session's zero. `endNs` null while open. */
  readonly startNs: number;
  readonly endNs: number | null;
  readonly outcome: string;
  /** The user's speech and the agent's, as seen at the best covered place; null when not known. */
  readonly user: { readonly startNs: number; readonly endNs: number } | null;
  readonly agent: { readonly startNs: number; readonly endNs: number } | null;
  readonly words: readonly {
    readonly who: 'user' | 'agent' | 'tool';
    readonly text: string;
    readonly atNs: number;
    readonly cut: boolean;
  }[];
  readonly waits: readonly Wait[];
  readonly stages: readonly Stage[];
  /** The user spoke over the agent, and not as a backchannel; all but `onsetNs` since the onset. */
  readonly bargeIn: {
    readonly onsetNs: number;
    readonly detectNs: number | null;
    readonly decideNs: number | null;
    readonly cancelNs: number | null;
    /** The last agent sample heard. */
    readonly stopNs: number | null;
    /** Generated and never heard. */
    readonly unheardNs: number | null;
    /** `resumed`: the agent went on with the same speech. `echo`: it heard itself, and nobody said anything. */
    readonly outcome: BargeInOutcome;
  } | null;
  /** Short speech over the agent that did not change who has the floor; absent: none. */
  readonly backchannels?: number;
  /** Last voiced user sample → first of the agent, at one place; negative where they overlap. Absent: not measured. */
  readonly floorTransferNs?: number;
  /** Models, voices, tokens, characters, tools, versions; absent when nothing told of them. */
  readonly features?: Attributes;
}

export type BargeInOutcome = 'interrupted' | 'resumed' | 'echo';

export interface Stage {
  readonly name: string;
  readonly spanId: string;
  readonly startNs: number;
  readonly firstNs: number | null;
  readonly endNs: number | null;
  readonly discarded: boolean;
  /** True when closed by us because the session broke off. */
  readonly truncated: boolean;
  readonly attributes: Attributes;
}

export interface Wait {
  readonly kind: 'response' | 'greeting' | 'resume';
  readonly outcome: WaitOutcome;
  readonly definition: WaitDefinition;
  readonly startNs: number;
  readonly endNs: number | null;
  /** Equals the sum of the parts' `exposedNs`, exactly. For a censored wait: at least so long. */
  readonly waitNs: number;
  /** Error of start and end together. */
  readonly errorNs: number;
  /** Share 0–1 of the wait in parts with one owner. */
  readonly resolved: number;
  readonly parts: readonly Part[];
  /** Lies before the first or after the last moment: listed, not counted. */
  readonly notSeen: readonly string[];
  readonly moments: readonly Moment[];
  /** The same wait by other definitions (lines on the ledger). */
  readonly alternatives: readonly {
    readonly definition: WaitDefinition;
    readonly startNs: number;
    readonly endNs: number;
  }[];
  /** Clock revision the parts were computed with. */
  readonly revision: number;
  /** The same wait as a framework reports it itself; absent: none does. */
  readonly reported?: readonly ReportedWait[];
}

export interface Part {
  /** A name of `design/ledger.md`; merged ones name both: `endpointing+inference`. */
  readonly name: string;
  readonly owner: string;
  readonly startNs: number;
  readonly endNs: number;
  readonly exposedNs: number;
  readonly fullNs: number;
  /** How much the wait would fall if this part were 0; null where the graph cannot say. */
  readonly savesNs: number | null;
  readonly errorNs: number;
  /** Of a service's part, where something is known of the way to it or of its work. */
  readonly split?: PartSplit;
}

/** What a service's part was spent on. */
export interface PartSplit {
  /** Its name; null: not told. */
  readonly vendor: string | null;
  /** These sum to the part's `exposedNs`, exactly. `unknown`: nobody told, or it could not be so. */
  readonly pieces: readonly {
    readonly name: 'network' | 'queue' | 'compute' | 'unknown';
    readonly exposedNs: number;
  }[];
  /** Why something is unknown, in words; null: nothing to be said. */
  readonly note: string | null;
}

export interface Moment {
  readonly name: string;
  readonly atNs: number;
  readonly source: string;
  readonly errorNs: number;
  readonly domain: string;
}

// GET /api/v1/sessions/{key}/timeline?fromNs&toNs&buckets -> Timeline  (levels of detail for every hop)

export interface Timeline {
  readonly fromNs: number;
  readonly toNs: number;
  /** Width of a bucket: a power of two times 1 ms, so that buckets of neighbouring windows line up. */
  readonly bucketNs: number;
  readonly hops: readonly TimelineHop[];
}

/** Per bucket; arrays of one length. A frame is in the bucket of its time at this hop. */
export interface TimelineHop {
  readonly key: string;
  readonly count: readonly number[];
  /** Worst latency in the bucket, 0 where empty. */
  readonly worstNs: readonly number[];
  readonly overBudget: readonly number[];
  /** Frames whose loss or concealment falls here. */
  readonly lost: readonly number[];
}

// GET /api/v1/sessions/{key}/frames?fromNs&toNs -> binary with Accept: application/vnd.framescope.frames, else JSON

/** Decoded form of both encodings. Times are corrected `SessionNs`; raw = corrected − rawShiftNs. */
export interface FramesWindow {
  readonly fromNs: number;
  readonly toNs: number;
  /** True when the window held more marks than one answer may (ask for less). */
  readonly truncated: boolean;
  readonly hops: readonly FramesHop[];
}

export interface FramesHop {
  readonly key: string;
  readonly errorNs: number;
  readonly rawShiftNs: number;
  readonly length: number;
  readonly startTick: ArrayLike<number>;
  readonly endTick: ArrayLike<number>;
  readonly atNs: ArrayLike<number>;
  /** Media-schedule age (up) or time since first sent (down; NaN before that, null in JSON), ns. */
  readonly latencyNs: ArrayLike<number>;
  /** FRAME_FLAG bits. */
  readonly flags: ArrayLike<number>;
}

/** `lost` frames have a row at the last hop that saw them. */
export const FRAME_FLAG = { late: 1, lost: 2, concealed: 4, overBudget: 8 } as const;

// GET /api/v1/measures -> { items: MeasureInfo[] }

export interface MeasureInfo {
  /** `voice_to_voice.client`, `part.inference`, `frame.mic.agent/receive`, … */
  readonly name: string;
  readonly title: string;
  /** Its two moments: shown on hover. */
  readonly definition: string;
  readonly kind: 'wait' | 'frame';
  readonly n: number;
  readonly sessions: number;
  readonly budgetNs: number | null;
}

// GET /api/v1/heatmap?measure&from&to&columns&scale&filter&group -> Heatmap  (from, to: Unix ns; default: last hour, a day if fewer than 500 turns)
// `filter`: the language of filter.ts. `group`: a session attribute, or a place (service, instance, host, zone, region).

export interface Heatmap {
  readonly measure: MeasureInfo;
  readonly fromUnixNs: string;
  readonly toUnixNs: string;
  readonly columnNs: number;
  readonly columns: number;
  /** Base-2 exponential buckets: row r is (2^((rowMin+r)/2^scale), 2^((rowMin+r+1)/2^scale)] seconds. */
  readonly scale: number;
  readonly rowMin: number;
  readonly rows: number;
  /** Non-empty cells, by column then row. */
  readonly cells: {
    readonly column: readonly number[];
    readonly row: readonly number[];
    readonly count: readonly number[];
  };
  readonly overflow: readonly number[];
  readonly underflow: readonly number[];
  /** Waits only. */
  readonly neverAnswered: readonly number[];
  /** Frames only. */
  readonly lost: readonly number[];
  /** Per column, then over the whole range. */
  readonly quantiles: readonly Quantiles[];
  readonly total: Quantiles;
  readonly overBudget: readonly number[];
  readonly exemplars: readonly Exemplar[];
  /** "412 of 1,033 turns in 61 calls". */
  readonly coverage: { readonly covered: number; readonly of: number; readonly sessions: number };
  /** Of `total`. */
  readonly intervals: QuantileIntervals;
  /** With `group`: one a value, most values first, at most 12; rows and columns line up. Else empty. */
  readonly groups: readonly HeatmapGroup[];
  /** Values of the group beyond those 12. */
  readonly omittedGroupCount: number;
}

/** Small multiple. `value` is null for sessions without the attribute. */
export interface HeatmapGroup {
  readonly value: string | null;
  /** Its own `groups` is empty. */
  readonly heatmap: Heatmap;
}

/** Slowest of its column. */
export interface Exemplar {
  readonly column: number;
  readonly valueNs: number;
  readonly sessionKey: string;
  readonly tick: number;
  readonly atUnixNs: string;
}

// GET /api/v1/tail?measure&from&to&minNs&maxNs&outcome&filter&limit -> Tail  (what is in a cell or a box; slowest first)

export interface Tail {
  readonly n: number;
  readonly items: readonly TailItem[];
}

export interface TailItem {
  readonly sessionKey: string;
  readonly sessionId: string;
  readonly tick: number;
  /** Hop key for frames, null for turns. */
  readonly hop: string | null;
  readonly atUnixNs: string;
  readonly valueNs: number;
  readonly censored: boolean;
  /** Largest part, for turns. */
  readonly worstPart: { readonly name: string; readonly exposedNs: number } | null;
}

// /api/v1/tail/why, /tail/whatif, /tail/cutoffs, /compare, /filter/vocabulary, /annotations: see tail-api.ts

// GET /api/v1/traces?limit&cursor&filter -> Page<TraceSummary>;  GET /api/v1/traces/{traceId} -> Trace

export interface TraceSummary {
  readonly traceId: string;
  readonly rootName: string;
  readonly service: string;
  readonly startUnixNs: string;
  readonly durationNs: number;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly sessionKey: string | null;
}

export interface Trace {
  readonly traceId: string;
  readonly startUnixNs: string;
  readonly durationNs: number;
  readonly sessionKey: string | null;
  readonly sessionId: string | null;
  readonly turnTick: number | null;
  readonly spans: readonly Span[];
  /** Spans beyond the limit of one answer. */
  readonly omittedCount: number;
}

export interface Span {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly service: string;
  readonly scope: string;
  readonly kind: number;
  /** From the trace's start. */
  readonly startNs: number;
  readonly durationNs: number;
  readonly status: { readonly code: number; readonly message: string };
  readonly attributes: Attributes;
  readonly resource: Attributes;
  readonly events: readonly {
    readonly name: string;
    readonly atNs: number;
    readonly attributes: Attributes;
  }[];
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: Attributes;
  }[];
  /** Told of while it ran (heart beats, pending spans) and not ended yet: its end is the last word of it. */
  readonly isOpen: boolean;
}

// GET /api/v1/traces/{traceId}/outline -> TraceOutline;  GET /api/v1/traces/{traceId}/span?spanId -> Span

/** A trace as a waterfall needs it: columns of one length, rows as in `Trace.spans`, no attributes. */
export interface TraceOutline extends Omit<Trace, 'spans'> {
  readonly names: readonly string[];
  readonly services: readonly string[];
  /** 16 hex digits each, joined. */
  readonly spanIds: string;
  /** Row of the parent; −1: none, or not in this trace. */
  readonly parent: readonly number[];
  /** Index into `names`, into `services`. */
  readonly name: readonly number[];
  readonly service: readonly number[];
  /** From the trace's start. */
  readonly startNs: readonly number[];
  readonly lengthNs: readonly number[];
  /** OTLP status code. */
  readonly status: readonly number[];
  /** Rows of spans that have not ended. */
  readonly openRows: readonly number[];
}

// GET /api/v1/search?q -> { items: SearchHit[] }

export interface SearchHit {
  readonly kind: 'session' | 'turn' | 'trace';
  readonly title: string;
  readonly detail: string;
  readonly sessionKey: string | null;
  readonly tick: number | null;
  readonly traceId: string | null;
}

// GET /api/v1/live: server-sent events. `id:` is a revision; Last-Event-ID resumes or gets a new snapshot.

export type LiveEvent =
  | {
      readonly type: 'snapshot';
      readonly sessions: readonly SessionSummary[];
      readonly revision: number;
    }
  | { readonly type: 'session'; readonly session: SessionSummary }
  /** Turns of a session changed: their ticks. */
  | { readonly type: 'turns'; readonly sessionKey: string; readonly ticks: readonly number[] }
  /** New marks are readable: window in which they fall. */
  | {
      readonly type: 'frames';
      readonly sessionKey: string;
      readonly fromNs: number;
      readonly toNs: number;
    }
  /** The heatmap's data of these minutes changed. */
  | { readonly type: 'rollup'; readonly fromUnixNs: string; readonly toUnixNs: string };
