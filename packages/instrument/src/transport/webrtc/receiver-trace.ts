// One receiver of audio: each frame marked at `receive` when its last packet
// came, at `jitter_buffer` when it left the buffer, and at `playout` so much
// later as the browser says it takes. What was lost is told as concealed, what
// was never sent (DTX) as silence.
//
// Which tick a timestamp is: from the frame's trailer, else from the peer's
// channel, else counted from the first frame that came.

import { decodeAnchor, unwrapTick } from '@framescope/protocol';
import type { Stream } from '../../hop/stream.ts';
import type { FrameRow, TapEvents } from './frame-tap.ts';
import { clockNsOf } from './page-clock.ts';
import type { PeerPlace } from './peer-channel.ts';
import { leftAtMs, PlayoutTrack, type PlayoutSpan } from './playout-track.ts';
import { ReceiveLog, type Stretch } from './receive-log.ts';
import { RtpAxis } from './rtp-axis.ts';
import type { TraceHost } from './sender-trace.ts';

/** A peer that traces says its ticks at once; 5 s of frames wait for that, then count from 0. */
const WAITING_MAX = 256;

/** Batches of rows are 0.1 s, packets overtake each other by less. */
const SETTLED_S = 0.25;
/** In a pause nothing comes any more that could settle it. */
const WAIT_MS_MAX = 1_000;
const SPANS_MAX = 32;

/** All that is told by one SSRC's timestamps. */
class Axis {
  readonly ssrc: number;
  readonly rtp: RtpAxis;
  readonly log = new ReceiveLog();
  readonly playout: PlayoutTrack;
  /** Answers of the browser whose frames are not marked yet. */
  readonly spans: PlayoutSpan[] = [];
  last: { readonly rtp: number; readonly sequence: number | undefined } | undefined;

  constructor(ssrc: number, sampleRate: number, clockRate: number) {
    this.ssrc = ssrc;
    this.rtp = new RtpAxis(sampleRate, clockRate);
    this.playout = new PlayoutTrack(clockRate);
  }
}

export class ReceiverTrace implements TapEvents {
  readonly #host: TraceHost;
  #isPeerAwaited: boolean;
  #stream: Stream | undefined;
  #axis: Axis | undefined;
  #waiting: FrameRow[] = [];
  #known: PeerPlace | undefined;
  #anchorTick = 0;
  #playoutMs: number | undefined;

  /** @param isPeerAwaited The peer may tell ticks: frames wait for it. */
  constructor(host: TraceHost, isPeerAwaited: boolean) {
    this.#host = host;
    this.#isPeerAwaited = isPeerAwaited;
  }

  /** Of the last frame that came. */
  get ssrc(): number | undefined {
    return this.#axis?.ssrc;
  }

  get stream(): Stream | undefined {
    return this.#stream;
  }

  rows(rows: readonly FrameRow[]): void {
    for (const row of rows) this.#row(row);
  }

  /** From a trailer; the tag beside it says the tick. */
  anchor(bytes: Uint8Array): void {
    const anchor = decodeAnchor(bytes);
    const stream = anchor.ok ? this.#host.anchors.heard(anchor.value) : undefined;
    if (!anchor.ok || stream === undefined) return;
    this.#stream = stream;
    this.#anchorTick = anchor.value.tick;
  }

  /** The peer said which tick an RTP timestamp of this SSRC is; its anchor was heard. */
  place(place: PeerPlace, stream: Stream): void {
    this.#known = place;
    this.#stream = stream;
    if (this.#axis === undefined) this.#axisOf(place.ssrc);
    this.#placeByPeer();
    this.#release();
  }

  /** From getStats: mean of the last interval, decoder to device. */
  playoutDelay(ms: number): void {
    this.#playoutMs = ms;
  }

  /** From getSynchronizationSources: this timestamp left the jitter buffer then. */
  played(ssrc: number, timestamp: number, atMs: number): void {
    const axis = this.#axisOf(ssrc);
    const rtp = axis.rtp.unwrap(timestamp);
    if (!axis.rtp.isPlaced && !this.#isPeerAwaited) axis.rtp.place(rtp, this.#position());
    const span = axis.playout.add({ rtp, atMs });
    if (span !== undefined) axis.spans.push(span);
    this.#markSpans(axis, atMs);
  }

  /** Nothing more will come: marks what waited to be sure. */
  finish(): void {
    if (this.#axis !== undefined) this.#markSpans(this.#axis, Infinity);
  }

  #position(): number {
    return this.#stream?.position ?? 0;
  }

  #axisOf(ssrc: number): Axis {
    if (this.#axis?.ssrc === ssrc) return this.#axis;
    const clockRate = this.#host.clockRate();
    if (!this.#isPeerAwaited) this.#stream ??= this.#host.streamAt(clockRate);
    this.#axis = new Axis(ssrc, this.#stream?.sampleRate ?? clockRate, clockRate);
    this.#placeByPeer();
    return this.#axis;
  }

  #row(row: FrameRow): void {
    const axis = this.#axisOf(row.ssrc);
    const rtp = axis.rtp.unwrap(row.rtpTimestamp);
    if (row.tag !== undefined && this.#stream !== undefined) {
      const near = axis.rtp.tickOf(rtp) ?? this.#anchorTick;
      axis.rtp.place(rtp, unwrapTick(row.tag.tickLow, near));
      this.#release();
    }
    if (axis.rtp.isPlaced) return this.#mark(axis, rtp, row);
    if (this.#isPeerAwaited && this.#waiting.length < WAITING_MAX) {
      this.#waiting.push(row);
      return;
    }
    this.#isPeerAwaited = false;
    this.#stream ??= this.#host.streamAt(axis.rtp.clockRate);
    const first = this.#waiting[0]?.rtpTimestamp ?? row.rtpTimestamp;
    axis.rtp.place(axis.rtp.unwrap(first), this.#position());
    this.#release();
    this.#mark(axis, rtp, row);
  }

  #placeByPeer(): void {
    const [axis, known] = [this.#axis, this.#known];
    if (axis === undefined || known === undefined || known.ssrc !== axis.ssrc) return;
    axis.rtp.place(axis.rtp.unwrap(known.rtp), known.anchor.tick);
  }

  /** Marks what waited, with the times at which it came. */
  #release(): void {
    const axis = this.#axis;
    if (axis === undefined || !axis.rtp.isPlaced) return;
    for (const row of this.#waiting.splice(0))
      if (row.ssrc === axis.ssrc) this.#mark(axis, axis.rtp.unwrap(row.rtpTimestamp), row);
  }

  #mark(axis: Axis, rtp: number, row: FrameRow): void {
    const { last } = axis;
    if (row.byteLength === 0) return this.#pad(axis, row.sequence);
    const isNext = last?.sequence !== undefined && ((last.sequence + 1) & 0xffff) === row.sequence;
    if (last !== undefined && isNext) axis.rtp.learnFrame(last.rtp, rtp);
    const { sequence } = row;
    if (last !== undefined && last.rtp === rtp) axis.last = { rtp, sequence };
    if (!axis.log.add({ rtp, length: axis.rtp.frameRtp, sequence })) return;
    if (last === undefined || rtp > last.rtp) axis.last = { rtp, sequence };
    const tick = axis.rtp.tickOf(rtp);
    if (tick === undefined || this.#stream === undefined) return;
    if (last !== undefined && rtp > last.rtp) this.#tellSilence(axis, last.rtp, rtp);
    const atNs = clockNsOf(this.#host.port.clock, row.mediaMs ?? row.atMs);
    this.#stream.hop('receive').markAt(tick, axis.rtp.ticksIn(axis.rtp.frameRtp), atNs);
  }

  /** A packet with nothing in it uses up a sequence number: what follows it is not lost. */
  #pad(axis: Axis, sequence: number | undefined): void {
    const { last } = axis;
    if (last === undefined || sequence === undefined) return;
    axis.log.add({ rtp: last.rtp, length: axis.rtp.frameRtp, sequence });
    const isLater = ((sequence - (last.sequence ?? sequence)) & 0xffff) < 0x8000;
    if (isLater) axis.last = { rtp: last.rtp, sequence };
  }

  #tellSilence(axis: Axis, fromRtp: number, toRtp: number): void {
    for (const stretch of axis.log.between(fromRtp, toRtp))
      if (stretch.kind === 'silence') this.#declare('silence', axis, stretch);
  }

  #declare(kind: 'silence' | 'conceal', axis: Axis, { rtp, length }: Stretch): void {
    const tick = axis.rtp.tickOf(rtp);
    if (tick === undefined || this.#stream === undefined) return;
    const hop = kind === 'silence' ? 'receive' : 'jitter_buffer';
    this.#stream[kind](hop, tick, axis.rtp.ticksIn(length));
  }

  /**
   * What left the buffer is marked once it is sure what came before it: rows arrive in batches, and a
   * packet that was overtaken comes with a later one.
   */
  #markSpans(axis: Axis, nowMs: number): void {
    if (!axis.rtp.isPlaced) return;
    const settledRtp = (axis.last?.rtp ?? 0) - axis.rtp.clockRate * SETTLED_S;
    while (axis.spans.length > 0) {
      const span = axis.spans[0]!;
      const isSettled = axis.log.isEmpty || span.to.rtp <= settledRtp;
      const isOld = nowMs - span.to.atMs > WAIT_MS_MAX || axis.spans.length > SPANS_MAX;
      if (!isSettled && !isOld) return;
      axis.spans.shift();
      this.#markSpan(axis, span);
    }
  }

  #markSpan(axis: Axis, span: PlayoutSpan): void {
    const { from, to } = span;
    const stretches = axis.log.isEmpty
      ? evenly(from.rtp, to.rtp, axis.rtp.frameRtp)
      : axis.log.between(from.rtp, to.rtp);
    for (const stretch of stretches) {
      if (stretch.kind === 'lost') this.#declare('conceal', axis, stretch);
      if (stretch.kind === 'received') this.#markLeft(axis, stretch, leftAtMs(span, stretch.rtp));
    }
  }

  #markLeft(axis: Axis, { rtp, length }: Stretch, leftMs: number): void {
    const tick = axis.rtp.tickOf(rtp);
    if (tick === undefined || this.#stream === undefined) return;
    const { clock } = this.#host.port;
    const samples = axis.rtp.ticksIn(length);
    this.#stream.hop('jitter_buffer').markAt(tick, samples, clockNsOf(clock, leftMs));
    if (this.#playoutMs === undefined) return;
    const audibleNs = clockNsOf(clock, leftMs + this.#playoutMs);
    this.#stream.hop('playout').markAt(tick, samples, audibleNs);
  }
}

/** No transform saw the frames: they are taken to be all there, of one length. */
function evenly(fromRtp: number, toRtp: number, length: number): Stretch[] {
  const frames: Stretch[] = [];
  for (let rtp = fromRtp; rtp < toRtp; rtp += length)
    frames.push({ kind: 'received', rtp, length });
  return frames;
}
