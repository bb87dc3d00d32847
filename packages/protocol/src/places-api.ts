// What is answered about where calls run: ways between places, load of
// instances, hand-overs, and what other cuts and buffers would have done.
// Units and times as in query-api.ts.

import type { QuantileInterval } from './query-api.ts';

/** Where something ran; null: the process did not say. */
export interface PlaceName {
  readonly service: string;
  readonly instance: string | null;
  readonly host: string | null;
  readonly zone: string | null;
  readonly region: string | null;
}

/** Quantiles of delays; null where there are too few to quote. */
export interface DelayFigures {
  readonly n: number;
  readonly p50Ns: number | null;
  readonly p95Ns: number | null;
  readonly p99Ns: number | null;
  readonly maxNs: number | null;
}

// ---- of one session: part of SessionDetail -------------------------------------------------

/** The way of one stream's frames from one process to the next. */
export interface SessionLeg {
  readonly stream: string;
  /** Keys of the hops at its ends. */
  readonly from: string;
  readonly to: string;
  /** Indices into `processes`. */
  readonly fromProcess: number;
  readonly toProcess: number;
  /** One way, ± `errorNs`: what the clocks at its ends leave open; null: they were never compared. */
  readonly oneWay: DelayFigures;
  readonly errorNs: number | null;
  /** By exchanges of both ends on the media path, else by their media stacks; null: none, or both read one clock. */
  readonly rttNs: number | null;
  /** Mean change of the delay from one frame to the next (RFC 3550). */
  readonly jitterNs: number;
  readonly lost: number;
  /** `Sketch.toBytes()` of the one-way delays, base64. */
  readonly sketch: string;
}

/**
 * A session went on over another process; or (`from` and `to` the same) the process lost its connection and
 * got it back: an ICE restart, a reconnect.
 */
export interface Handover {
  readonly atNs: number;
  readonly atUnixNs: string;
  /** Role of the process that was replaced: `edge`, `agent`, …. */
  readonly role: string;
  /** Indices into `processes`. */
  readonly from: number;
  readonly to: number;
  /** True when the old one said that it ended its part; else it was gone, or still is silent. */
  readonly wasTold: boolean;
  /** Frames that went missing, in the direction that lost more, and how much sound they were. */
  readonly gapFrames: number;
  readonly gapNs: number;
  readonly directions: readonly {
    readonly stream: string;
    readonly frames: number;
    readonly lostNs: number;
    /** Last frame over the old way → first over the new one, where they arrive. */
    readonly silenceNs: number;
  }[];
  /** Until the process that decides turns heard the user again, or (its own hand-over) spoke again; null: not seen. */
  readonly authorityNs: number | null;
}

/** How a hop cuts its stream, and what frames wait for that. */
export interface HopCut {
  readonly hop: string;
  /** Sound that passes at once, as a rule: a frame, or several that leave together. */
  readonly pieceNs: number;
  /** Of a frame, for its piece to be whole. */
  readonly waitMeanNs: number;
  readonly waitMaxNs: number;
}

/** What a jitter buffer did. */
export interface BufferUse {
  /** Keys of the hops before and behind it. */
  readonly from: string;
  readonly to: string;
  /** How long frames stayed in it. */
  readonly hold: DelayFigures;
  /** How long the first frame of a spurt stays: what it is set to, or has come to; null: too few spurts. */
  readonly depthNs: number | null;
  /** What the line asks for: 95 of 100 frames come within this of the quickest, and a frame; null: not seen sent. */
  readonly neededNs: number | null;
  /** Made up for, and lost to lateness. */
  readonly concealed: number;
  readonly late: number;
}

/** How a stage hands over sound ahead of time. */
export interface StageFlow {
  readonly hop: string;
  /** Utterances seen. */
  readonly runs: number;
  /** Time to hand over a second of sound, in seconds: below 1 it is faster than speech. */
  readonly realTimeFactor: number;
  /** Longest time between two pieces. */
  readonly gapMaxNs: number;
  /** Sound handed over but not yet due: at its least in an utterance, negative when speech had to wait. */
  readonly leadMinNs: number;
  /** Times that it ran dry, and for how long in all. */
  readonly starvedCount: number;
  readonly starvedNs: number;
}

/**
 * What a media stack says (getStats) of the way of one stream between its process and the other end of its
 * connection, traced or not: means and counts over the seconds that were told.
 */
export interface MediaLink {
  /** Index into `processes`. */
  readonly process: number;
  readonly stream: string;
  readonly seconds: number;
  readonly rttNs: number | null;
  /** Of packets' arrival, as RTCP reckons it. */
  readonly jitterNs: number | null;
  readonly packets: number;
  readonly packetsLost: number;
}

/** The way of one process to a service that it asks, and the service's word of its work. */
export interface VendorLeg {
  /** Index into `processes`. */
  readonly process: number;
  /** null: not told. */
  readonly vendor: string | null;
  /** What it is asked for: `llm`, `tts`, …. */
  readonly stage: string;
  readonly requests: number;
  /** Of these, told nothing of its work. */
  readonly silent: number;
  /** Told something that cannot be so: longer than the request. */
  readonly unlikely: number;
  readonly rtt: DelayFigures;
  readonly processing: DelayFigures;
  readonly queue: DelayFigures;
  readonly connect: DelayFigures;
  /** `Sketch.toBytes()`, base64. */
  readonly rttSketch: string;
  readonly processingSketch: string;
}

export interface SessionTopology {
  readonly legs: readonly SessionLeg[];
  readonly handovers: readonly Handover[];
  readonly cuts: readonly HopCut[];
  readonly buffers: readonly BufferUse[];
  readonly flows: readonly StageFlow[];
  /** Absent in rows of an earlier collector, as `links`. */
  readonly vendors?: readonly VendorLeg[];
  readonly links?: readonly MediaLink[];
}

// ---- GET /api/v1/places?from&to&filter&fromRegion&toRegion&moveRegion -> Places --------------

export interface Places {
  readonly fromUnixNs: string;
  readonly toUnixNs: string;
  /** Sessions looked at: of many the newest. */
  readonly sessions: number;
  readonly sessionsOf: number;
  readonly columnNs: number;
  readonly columns: number;
  /** Worst first. */
  readonly legs: readonly Leg[];
  /** Connections as media stacks saw them, by who has them; slowest first. */
  readonly links: readonly FleetLink[];
  /** Services outside, by who asks them; slowest way first. */
  readonly vendors: readonly FleetVendor[];
  readonly served: readonly ServedRegion[];
  readonly handovers: readonly FleetHandover[];
  readonly restarts: readonly Restart[];
  /** Set when a move was asked for. */
  readonly whatIf: PlaceWhatIf | null;
  /** What is not known, in words: processes without a region, names that change. */
  readonly unknowns: readonly string[];
}

/** All sessions' ways from one service and region to another. */
export interface Leg {
  readonly fromService: string;
  readonly toService: string;
  /** null: unknown. */
  readonly fromRegion: string | null;
  readonly toRegion: string | null;
  readonly stream: string;
  readonly sessions: number;
  readonly oneWay: DelayFigures;
  /** The largest of its sessions' errors; null where clocks were never compared. */
  readonly errorNs: number | null;
  readonly rttNs: number | null;
  readonly jitterNs: number;
  readonly lost: number;
  /** Median and 95th percentile by time; null where nothing passed. */
  readonly overTime: {
    readonly p50Ns: readonly (number | null)[];
    readonly p95Ns: readonly (number | null)[];
  };
}

/** All sessions' connections of one service, region and stream. */
export interface FleetLink extends Omit<MediaLink, 'process' | 'seconds'> {
  readonly service: string;
  readonly region: string | null;
  readonly sessions: number;
  /** Of the sessions' means, the highest. */
  readonly rttMaxNs: number | null;
}

/** All sessions' ways from one service and region to a service outside. */
export interface FleetVendor extends Pick<
  VendorLeg,
  'vendor' | 'stage' | 'requests' | 'silent' | 'unlikely'
> {
  readonly service: string;
  readonly region: string | null;
  readonly sessions: number;
  readonly rtt: DelayFigures;
  readonly processing: DelayFigures;
}

/** Where callers are and where they are answered. */
export interface ServedRegion {
  readonly callerRegion: string | null;
  readonly agentRegion: string | null;
  readonly sessions: number;
  readonly turns: number;
  /** Voice-to-voice as the sessions have it, all turns: median of their medians, worst of their worst. */
  readonly p50Ns: number | null;
  readonly worstNs: number | null;
  readonly overBudget: number;
  /** Worst sessions, by their worst turn. */
  readonly worst: readonly { readonly key: string; readonly id: string; readonly waitNs: number }[];
}

export interface FleetHandover extends Omit<Handover, 'from' | 'to'> {
  readonly sessionKey: string;
  readonly sessionId: string;
  readonly from: PlaceName;
  readonly to: PlaceName;
}

/** Hand-overs from one process within half a minute: it was restarted, or died. */
export interface Restart {
  readonly place: PlaceName;
  readonly role: string;
  readonly atUnixNs: string;
  readonly calls: number;
  readonly gapMedianNs: number;
  readonly gapMaxNs: number;
}

/** Calls of `callers` answered in `agents` instead of where they were. */
export interface PlaceWhatIf {
  readonly fromRegion: string;
  readonly toRegion: string;
  /** null: it can be said. Else why it cannot. */
  readonly refusal: string | null;
  /** Turns recomputed, and the pairs that were observed for it. */
  readonly turns: number;
  readonly pairs: readonly {
    readonly from: string;
    readonly to: string;
    readonly beforeNs: number;
    readonly afterNs: number;
    readonly n: number;
  }[];
  readonly beforeP50Ns: number | null;
  readonly afterP50Ns: number | null;
  readonly beforeP95Ns: number | null;
  readonly afterP95Ns: number | null;
  /** Of the change, ±. */
  readonly errorNs: number;
}

// ---- GET /api/v1/load?from&to&columns&session -> Load -----------------------------------------

export interface Load {
  readonly fromUnixNs: string;
  readonly toUnixNs: string;
  readonly columnNs: number;
  readonly columns: number;
  /** Busiest first. */
  readonly instances: readonly InstanceLoad[];
  readonly curves: readonly LoadCurve[];
}

export interface InstanceLoad {
  readonly place: PlaceName;
  /** Calls this instance took part in, by its own count: the most at once. */
  readonly callsMost: number | null;
  readonly lagMaxNs: number | null;
  readonly cpuMost: number | null;
  /** Columns that have samples; arrays of one length. */
  readonly column: readonly number[];
  readonly calls: readonly (number | null)[];
  readonly lagNs: readonly (number | null)[];
  readonly cpu: readonly (number | null)[];
  readonly rssBytes: readonly (number | null)[];
  /** Deepest queue. */
  readonly waiting: readonly (number | null)[];
  /** Its name. */
  readonly queue: string | null;
  /** Seconds whose worst lag was 100 ms or more. */
  readonly stalledColumns: number;
}

/** Latency against load of one service. */
export interface LoadCurve {
  readonly service: string;
  readonly measure: string;
  /** Calls at once on an instance of it, and the waits that began then. */
  readonly points: readonly {
    readonly callsFrom: number;
    readonly callsTo: number;
    readonly n: number;
    readonly p50Ns: number;
    readonly p95Ns: number;
    readonly interval: QuantileInterval;
  }[];
  /** Calls from which the median stays a quarter above that of little load, beyond its interval; null: none seen. */
  readonly kneeCalls: number | null;
}

// ---- GET /api/v1/findings?from&to -> Findings --------------------------------------------------

/** Something that stands out, as a sentence. */
export interface Finding {
  readonly kind:
    | 'handover'
    | 'far'
    | 'overload'
    | 'queue'
    | 'uneven'
    | 'cut'
    | 'jitter_buffer'
    | 'starvation'
    | 'unknown';
  readonly title: string;
  /** What it rests on, and what may be done. */
  readonly detail: string;
  /** About what it costs a turn, ns; the order of the list. */
  readonly costNs: number;
  readonly atUnixNs: string | null;
  /** Calls in which it can be seen. */
  readonly sessionKeys: readonly string[];
}

export interface Findings {
  readonly fromUnixNs: string;
  readonly toUnixNs: string;
  readonly sessions: number;
  readonly items: readonly Finding[];
}

// ---- GET /api/v1/advisor?session|from&to&filter&what -> Advice ---------------------------------

export type AdviceKind = 'jitter_buffer' | 'frame' | 'chunk' | 'sentence';

export interface Advice {
  readonly kind: AdviceKind;
  /** Calls whose arrivals were replayed. */
  readonly sessions: readonly string[];
  readonly frames: number;
  /** null: it can be said. Else why not. */
  readonly refusal: string | null;
  /** Today's setting, as it was seen. */
  readonly today: AdvicePoint | null;
  readonly points: readonly AdvicePoint[];
  readonly advice: string;
}

/** One setting. */
export interface AdvicePoint {
  /** `fixed 60 ms`, `adaptive`, `200 ms pieces`. */
  readonly setting: string;
  readonly policy: string;
  readonly valueNs: number;
  /** Added delay of a frame (or of the first voice), mean and quantiles. */
  readonly delayMeanNs: number;
  readonly delayP50Ns: number;
  readonly delayP95Ns: number;
  readonly delayP99Ns: number;
  /** Frames that were not there in their turn. */
  readonly underruns: number;
  readonly underrunShare: number;
  /** Against today, at p50/p95/p99 of the delay; intervals resample utterances. */
  readonly gain: readonly {
    readonly q: number;
    readonly ns: number;
    readonly lowNs: number;
    readonly highNs: number;
  }[];
}
