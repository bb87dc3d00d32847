// One sender of audio: each encoded frame marked at `capture` and `encode`, and,
// for a peer that traces as well, told which tick it is.

import { encodeAnchor, sessionCheck } from '@framescope/protocol';
import type { Stream } from '../../hop/stream.ts';
import type { SessionPort } from '../../ports.ts';
import type { AnchorExchange } from '../anchor-exchange.ts';
import type { FrameRow, Tap, TapEvents } from './frame-tap.ts';
import { clockNsOf } from './page-clock.ts';
import type { TapSettings } from './frame-worker.ts';
import type { PeerChannel } from './peer-channel.ts';
import { RtpAxis } from './rtp-axis.ts';

/** What a sender or receiver trace works with. */
export interface TraceHost {
  readonly port: SessionPort;
  /** Made when the first frame tells the RTP clock. */
  streamAt(clockRate: number): Stream;
  /** RTP timestamps a second, as negotiated. */
  clockRate(): number;
  readonly anchors: AnchorExchange;
  readonly channel: PeerChannel | undefined;
}

export class SenderTrace implements TapEvents {
  readonly #host: TraceHost;
  readonly #streamNumber: number;
  #tap: Tap | undefined;
  #ssrc: number | undefined;
  #axis: RtpAxis | undefined;
  #stream: Stream | undefined;
  #lastRtp: number | undefined;
  #peerReadsTrailers = false;
  #isTrailing = false;
  #settings: TapSettings | undefined;

  constructor(host: TraceHost, streamNumber: number) {
    this.#host = host;
    this.#streamNumber = streamNumber;
  }

  /** Once a frame was sent. */
  get stream(): Stream | undefined {
    return this.#stream;
  }

  attach(tap: Tap | undefined): void {
    this.#tap = tap;
  }

  /** The peer said whether it takes trailers off. */
  peerReadsTrailers(does: boolean): void {
    this.#peerReadsTrailers = does;
    if (does || this.#settings === undefined) return;
    // At once: what it does not take off would reach its decoder.
    this.#isTrailing = false;
    this.#settings = { ...this.#settings, trailer: false };
    this.#tap?.set(this.#settings);
  }

  rows(rows: readonly FrameRow[]): void {
    for (const row of rows) this.#row(row);
    this.#tellPeer();
  }

  anchor(): void {
    // Nobody sends anchors into our own sender.
  }

  #row(row: FrameRow): void {
    const { port } = this.#host;
    const axis = this.#axisOf(row);
    const stream = this.#stream;
    if (stream === undefined) return;
    const rtp = axis.unwrap(row.rtpTimestamp);
    if (this.#lastRtp !== undefined) axis.learnFrame(this.#lastRtp, rtp);
    if (!axis.isPlaced) axis.place(rtp, stream.position);
    this.#lastRtp = rtp;
    const tick = axis.tickOf(rtp);
    if (tick === undefined) return;
    const samples = axis.ticksIn(axis.frameRtp);
    if (row.mediaMs !== undefined) {
      // The browser tells when the first sample was taken; a frame leaves `capture` with its last.
      const frameMs = (axis.frameRtp * 1_000) / axis.clockRate;
      const lastMs = Math.min(row.mediaMs + frameMs, row.atMs);
      stream.hop('capture').markAt(tick, samples, clockNsOf(port.clock, lastMs));
    }
    const encodedNs = clockNsOf(port.clock, row.atMs);
    stream.hop('encode').markAt(tick, samples, encodedNs);
    // The next thing after the transform is the network.
    stream.hop('send').markAt(tick, samples, encodedNs);
  }

  #axisOf(row: FrameRow): RtpAxis {
    if (this.#axis !== undefined && this.#ssrc === row.ssrc) return this.#axis;
    const clockRate = this.#host.clockRate();
    this.#stream ??= this.#host.streamAt(clockRate);
    this.#ssrc = row.ssrc;
    this.#lastRtp = undefined;
    this.#isTrailing = false;
    this.#axis = new RtpAxis(this.#stream.sampleRate, clockRate);
    return this.#axis;
  }

  /** Once a second, after a jump, and when the peer is new: which tick comes next, and its timestamp. */
  #tellPeer(): void {
    const { channel, anchors } = this.#host;
    if (channel === undefined || !channel.isOpen) return;
    if (this.#stream === undefined || this.#axis === undefined || this.#ssrc === undefined) return;
    const anchor = anchors.due(this.#stream);
    if (anchor === undefined && this.#isTrailing === this.#peerReadsTrailers) return;
    const next = anchor?.tick ?? this.#stream.position;
    if (anchor !== undefined)
      channel.place({ anchor, ssrc: this.#ssrc, rtp: this.#axis.timestampOf(next) });
    this.#isTrailing = this.#peerReadsTrailers;
    const settings = {
      trailer: this.#isTrailing,
      isQuiet: false,
      check: sessionCheck(this.#host.port.traceId),
      streamNumber: this.#streamNumber,
      rtp0: this.#axis.timestampOf(next),
      tick0: next,
      sampleRate: this.#stream.sampleRate,
      clockRate: this.#axis.clockRate,
    };
    this.#settings = settings;
    this.#tap?.set(anchor === undefined ? settings : { ...settings, anchor: encodeAnchor(anchor) });
  }
}
