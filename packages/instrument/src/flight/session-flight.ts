// What one session does with its frames beside recording them: remembers them
// for a minute, and gives those that are worth it a span of their own.

import {
  ATTR,
  BASELINE_WEIGHT,
  domainNs,
  tick,
  TRIGGER_REASON,
  turnTraceId,
  type HopName,
  type Trigger,
} from '@framescope/protocol';
import { nameOf } from '../coerce.ts';
import type { FlushedHop } from '../export/record-builder.ts';
import type { SpanSink } from '../export/span-sink.ts';
import { Stream } from '../hop/stream.ts';
import type { MarkRows } from '../hot/mark-rows.ts';
import type { Problems } from '../problems.ts';
import type { Turn } from '../turn/turn.ts';
import { Promoter, type Promoted } from './promoter.ts';
import { FlightRecorder } from './recorder.ts';

/** What a trigger asks for when it does not say. */
const RANGE_S = 10;
/** What led to an underrun. */
const LED_TO_S = 5;
/** Frames so near to one get a span of their own. */
const AROUND_S = 0.1;

/** Which media a trigger asks for. */
export interface TriggerRange {
  /** Default: the first stream that goes up. */
  readonly stream?: Stream;
  /** Half-open range of ticks of the stream; default: its last 10 s. */
  readonly fromTick?: number;
  readonly toTick?: number;
}

export interface SessionFlightPorts {
  /** The session's. */
  readonly traceId: string;
  readonly sessionId: string;
  readonly problems: Problems;
  readonly spans: SpanSink;
  /** False: spans are written nowhere, so that no frame is worth one. */
  readonly hasSpans: boolean;
  readonly nextSpanId: () => string;
  /** Every frame gets a span. */
  readonly isEveryFrame: boolean;
  /** Asks all processes of the session for dumps; false when there were too many. */
  readonly pull: (trigger: Trigger) => boolean;
}

/** What it has to know of its session. */
export interface FlightSession {
  isEnded(): boolean;
  streamOf(name: string): Stream | undefined;
  firstStream(): Stream;
  /** The turn that a frame belongs to. */
  turnOf(stream: Stream, at: number): Turn | undefined;
}

export class SessionFlight {
  readonly recorder: FlightRecorder = new FlightRecorder();
  readonly #ports: SessionFlightPorts;
  readonly #promoter: Promoter;
  #session: FlightSession | undefined;

  constructor(ports: SessionFlightPorts) {
    this.#ports = ports;
    this.#promoter = new Promoter(ports.traceId, ports.isEveryFrame);
  }

  /** Call once, when the session is made. */
  attach(session: FlightSession): void {
    this.#session = session;
  }

  /** A new hop, in the order of their codes. */
  enrol(stream: Stream, hop: HopName): void {
    this.recorder.enrol(stream.name, `${hop.role}/${hop.name}`);
    this.#promoter.enrol(stream, hop);
  }

  /** Takes the marks of a flush: by hop, and as they were marked. */
  take(hops: readonly FlushedHop[], rows: MarkRows, count: number): void {
    this.recorder.take(hops);
    if (!this.#ports.hasSpans) return;
    for (const frame of this.#promoter.take(hops, rows, count)) this.#write(frame);
  }

  /** The session ends: what waited for the end of its minute is told. */
  end(): void {
    for (const frame of this.#promoter.worst()) this.#write(frame);
  }

  /** Frames around it are worth a span; what led to an underrun, which nobody wants, also a dump. */
  event(reason: 'barge_in' | 'underrun', stream: Stream, fromTick: number, toTick: number): void {
    const { sampleRate, name } = stream;
    const around = AROUND_S * sampleRate;
    const frames = { fromTick: fromTick - around, toTick: toTick + around };
    this.#promoter.around({ stream: name, reason, ...frames });
    if (reason !== 'underrun') return;
    this.trigger(reason, { stream, fromTick: fromTick - LED_TO_S * sampleRate, toTick });
  }

  /** May throw what a getter of `range` throws: callers stand in a guard. */
  trigger(reason: unknown, range: Partial<TriggerRange>): boolean {
    const { problems, nextSpanId, traceId, pull } = this.#ports;
    const session = this.#session;
    if (session === undefined || session.isEnded()) return false;
    const stream = range.stream instanceof Stream ? range.stream : session.firstStream();
    const toTick = Math.max(1, wholeOr(range.toTick, stream.position));
    const fromTick = Math.max(0, wholeOr(range.fromTick, toTick - RANGE_S * stream.sampleRate));
    return pull({
      id: nextSpanId(),
      traceId,
      reason: nameOf(reason, TRIGGER_REASON.manual, 'session.trigger', problems),
      stream: stream.name,
      fromTick: tick(Math.min(fromTick, toTick - 1)),
      toTick: tick(toTick),
    });
  }

  /** In its turn's trace; between turns in a trace a minute. */
  #write(frame: Promoted): void {
    const session = this.#session;
    const stream = session?.streamOf(frame.stream);
    if (session === undefined || stream === undefined) return;
    const { hopKey, spanId, tick: at, dueNs, atNs, reasons } = frame;
    const turn = session.turnOf(stream, at);
    const minute = 60 * stream.sampleRate;
    const { spans, sessionId, traceId } = this.#ports;
    const span = spans.start({
      name: `frame ${hopKey}`,
      traceId: turn?.traceId ?? turnTraceId(traceId, stream.name, tick(at - (at % minute))),
      spanId,
      ...(turn === undefined ? {} : { parent: turn.span }),
      startedAt: domainNs(dueNs),
      sessionId,
    });
    const isBaseline = reasons.length === 1 && reasons[0] === 'baseline';
    const attributes = {
      [ATTR.frameHop]: hopKey,
      [ATTR.frameTick]: at,
      [ATTR.framePromoted]: [...reasons],
      ...(isBaseline ? { [ATTR.sampleWeight]: BASELINE_WEIGHT } : {}),
    };
    span.end({ kind: 'frame', endedAt: domainNs(atNs), attributes });
  }
}

const wholeOr = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : otherwise;
