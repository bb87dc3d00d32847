// One line for a peer connection:
//
//   tracePeerConnection(pc, { session: call });
//
// Each sender and receiver of audio gets an encoded transform; 16 times a second
// the receivers are asked what left their jitter buffer; once a second getStats
// is read. Two methods are wrapped, to see senders when they are made; at the
// end these are put back, and the transforms only pass frames on.

import { NS_PER_MS, sessionCheck, type DomainNs, type MediaFigures } from '@framescope/protocol';
import { ConnectionWatch } from '../../adapters/common/connection-watch.ts';
import { propertyOf, type Hooks } from '../../adapters/common/hooks.ts';
import {
  follow,
  type AdapterTrace,
  type Following,
  type OfScope,
  type OfSession,
} from '../../adapters/common/session-of.ts';
import type { Stream } from '../../hop/stream.ts';
import type { Session } from '../../session.ts';
import type { SessionPort, Timer } from '../../ports.ts';
import { AnchorExchange } from '../anchor-exchange.ts';
import { plainOptions } from '../plain-options.ts';
import { FrameTaps } from './frame-tap.ts';
import { pageMsOf } from './page-clock.ts';
import { PeerChannel, type PeerPlace } from './peer-channel.ts';
import { ReceiverTrace } from './receiver-trace.ts';
import { SenderTrace, type TraceHost } from './sender-trace.ts';
import { StatsDeltas } from './stats-deltas.ts';

/** 16 a second: every fourth frame of 20 ms is seen itself. */
const PLAYOUT_EVERY_MS = 60;
const STATS_EVERY_MS = 1_000;
/** Audio senders and receivers that get a stream each. */
const DIRECTIONS_MAX = 8;
const OPUS_CLOCK_RATE = 48_000;

interface Choices {
  /** Name of the first stream that is sent; default `mic`, where the session's role is `agent` `agent`. */
  readonly sends?: string;
  /** Name of the first stream that is received; default `agent`, for an agent `mic`. */
  readonly receives?: string;
  /**
   * The other end calls `tracePeerConnection` with this too: both make a negotiated data channel (call
   * it before the offer), tell each other ticks, measure their clocks, and put trailers on frames once
   * both have said that they take them off. Default false.
   */
  readonly isPeerTraced?: boolean;
  /** Told the figures of each second and receiver or sender, as they go to the collector. */
  readonly onFigures?: (stream: string, figures: MediaFigures) => void;
}

/** The call (`session`, or `scope` and `id`), and how to follow it. */
export type PeerConnectionOptions = (OfSession | OfScope) & Choices;

interface Direction<T> {
  readonly of: RTCRtpSender | RTCRtpReceiver;
  readonly name: string;
  readonly trace: T;
  readonly stats: StatsDeltas;
  /** When its statistics were read last. */
  lookedAt: DomainNs | undefined;
}

/**
 * Traces the audio of a peer connection: frames at `capture`, `encode`, `send`, `receive`,
 * `jitter_buffer` and `playout`, losses, and what getStats says each second. Call it right after
 * `new RTCPeerConnection`. Costs 8 kB to load, a worker that sees each frame and tells the page ten
 * times a second, 16 timers and a getStats a second. Where encoded transforms are missing or taken
 * (end-to-end encryption), playout is still seen. Never throws; the connection behaves as before.
 */
export function tracePeerConnection(
  pc: RTCPeerConnection,
  options: PeerConnectionOptions = {},
): AdapterTrace {
  const choices = plainOptions(options);
  const start = ({ hooks, session, gone }: Following): void =>
    new PeerTrace(pc, { session, choices, hooks, gone }).start();
  return follow('peer-connection', choices, start, { role: 'client' });
}

class PeerTrace {
  readonly #pc: RTCPeerConnection;
  readonly #session: Session;
  readonly #choices: Choices;
  readonly #gone: () => void;
  readonly #port: SessionPort;
  readonly #hooks: Hooks;
  readonly #taps: FrameTaps;
  readonly #anchors: AnchorExchange;
  readonly #senders: Direction<SenderTrace>[] = [];
  readonly #receivers: Direction<ReceiverTrace>[] = [];
  #channel: PeerChannel | undefined;
  #timer: Timer | undefined;
  #isStopped = false;
  #statsDueMs = 0;

  constructor(
    pc: RTCPeerConnection,
    { session, choices, hooks, gone }: Following & { readonly choices: Choices },
  ) {
    this.#pc = pc;
    this.#session = session;
    this.#choices = choices;
    this.#hooks = hooks;
    this.#gone = gone;
    this.#port = session.port();
    this.#taps = new FrameTaps(this.#port);
    this.#anchors = new AnchorExchange(this.#port, 'tracePeerConnection');
  }

  start(): void {
    this.#hooks.onStop(() => this.#stop());
    // By itself: a second tracing of the same connection finds the channel's number taken.
    if (this.#choices.isPeerTraced === true) this.#hooks.run(() => this.#openChannel());
    const scan = (): void => this.#scan();
    // At once: Chromium lets frames bypass scripts for good when a sender or receiver got no
    // transform in the task that made it.
    for (const method of ['addTrack', 'addTransceiver']) this.#hooks.wrap(this.#pc, method, scan);
    for (const event of ['track', 'signalingstatechange'])
      this.#hooks.listen(this.#pc, event, scan);
    scan();
    this.#watchConnection();
    this.#schedule();
  }

  /** From its making on: a connection that is there already was set up unseen. */
  #watchConnection(): void {
    const pc = this.#pc;
    const watch = new ConnectionWatch(this.#port, 'webrtc');
    const look = (): void => {
      const { connectionState: state, iceConnectionState: ice } = pc;
      if (pc.signalingState === 'stable' && pc.remoteDescription !== null) watch.saw('signalled');
      if (ice === 'connected' || ice === 'completed') watch.saw('ice_connected');
      if (state === 'connected') watch.stands();
      else if (state === 'disconnected' || state === 'failed') watch.broke();
    };
    if (pc.connectionState === 'new') watch.saw('call_started');
    for (const event of ['signaling', 'iceconnection', 'connection'])
      this.#hooks.listen(pc, `${event}statechange`, look);
  }

  #stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const { trace } of this.#receivers) trace.finish();
    this.#channel?.close();
    this.#taps.stop(() => propertyOf(this.#pc, 'connectionState') === 'closed');
  }

  #schedule(): void {
    this.#timer = this.#port.timers.after(PLAYOUT_EVERY_MS, () => {
      if (this.#isStopped) return;
      let isClosed = false;
      this.#hooks.run(() => {
        isClosed = this.#pc.connectionState === 'closed';
        if (!isClosed) this.#look();
      });
      if (!isClosed) return this.#schedule();
      // Not only at the session's end: a page that reconnects would keep a worker for each connection.
      this.#hooks.stop();
      this.#gone();
    });
  }

  /** What left the jitter buffers; each second, what getStats says. */
  #look(): void {
    for (const { of, trace } of this.#receivers)
      if ('getSynchronizationSources' in of)
        for (const { source, rtpTimestamp, timestamp } of of.getSynchronizationSources())
          trace.played(source, rtpTimestamp, pageMsOf(timestamp));
    if (performance.now() < this.#statsDueMs || this.#pc.connectionState !== 'connected') return;
    this.#statsDueMs = performance.now() + STATS_EVERY_MS;
    for (const one of [...this.#receivers, ...this.#senders]) this.#readStats(one);
  }

  #readStats(one: Direction<SenderTrace | ReceiverTrace>): void {
    const take = (report: RTCStatsReport): void => {
      const figures = one.stats.add(report.values());
      const fromAt = one.lookedAt;
      const toAt = (one.lookedAt = this.#port.clock.now());
      if (figures === undefined || fromAt === undefined) return;
      const { playoutNs } = figures;
      if (one.trace instanceof ReceiverTrace && playoutNs !== undefined)
        one.trace.playoutDelay(playoutNs / NS_PER_MS);
      const stream = one.trace.stream?.name ?? one.name;
      this.#remember(one.trace.stream, figures);
      this.#port.mediaInterval({ stream, role: this.#port.role, fromAt, toAt, figures });
      this.#choices.onFigures?.(stream, figures);
    };
    const failed = (): void => undefined;
    one.of.getStats().then(report => this.#hooks.run(() => take(report)), failed);
  }

  /** For the flight recorder: leaves the page only when something went wrong. */
  #remember(stream: Stream | undefined, figures: MediaFigures): void {
    const { jitterBufferNs, jitterBufferTargetNs, rttNs, concealedSamples } = figures;
    const sample = (name: string, value: number | undefined): void => {
      if (value !== undefined) stream?.sample(name, value);
    };
    sample('jitter_buffer_ms', jitterBufferNs && jitterBufferNs / NS_PER_MS);
    sample('jitter_buffer_target_ms', jitterBufferTargetNs && jitterBufferTargetNs / NS_PER_MS);
    sample('rtt_ms', rttNs && rttNs / NS_PER_MS);
    sample('concealed_samples', concealedSamples);
  }

  #scan(): void {
    for (const transceiver of this.#pc.getTransceivers()) {
      if (transceiver.receiver.track.kind !== 'audio') continue;
      this.#addSender(transceiver.sender);
      this.#addReceiver(transceiver.receiver);
    }
  }

  #addSender(of: RTCRtpSender): void {
    if (this.#senders.some(one => one.of === of) || this.#senders.length >= DIRECTIONS_MAX) return;
    const isAgent = this.#port.role === 'agent';
    const name = numbered(this.#choices.sends ?? (isAgent ? 'agent' : 'mic'), this.#senders.length);
    const host = this.#hostOf(of, name);
    const trace = new SenderTrace(host, this.#senders.length);
    trace.attach(this.#taps.add(of, true, trace));
    this.#senders.push({ of, name, trace, stats: new StatsDeltas(), lookedAt: undefined });
  }

  #addReceiver(of: RTCRtpReceiver): void {
    const count = this.#receivers.length;
    if (this.#receivers.some(one => one.of === of) || count >= DIRECTIONS_MAX) return;
    const isAgent = this.#port.role === 'agent';
    const name = numbered(this.#choices.receives ?? (isAgent ? 'mic' : 'agent'), count);
    const trace = new ReceiverTrace(this.#hostOf(of, name), this.#channel !== undefined);
    const tap = this.#taps.add(of, false, trace);
    if (this.#channel !== undefined)
      tap?.set({
        trailer: true,
        check: sessionCheck(this.#port.traceId),
        streamNumber: 0,
        rtp0: 0,
        tick0: 0,
        sampleRate: 1,
        clockRate: 1,
        isQuiet: false,
      });
    this.#receivers.push({ of, name, trace, stats: new StatsDeltas(), lookedAt: undefined });
  }

  #hostOf(of: RTCRtpSender | RTCRtpReceiver, name: string): TraceHost {
    return {
      port: this.#port,
      anchors: this.#anchors,
      channel: this.#channel,
      clockRate: () => of.getParameters().codecs[0]?.clockRate ?? OPUS_CLOCK_RATE,
      streamAt: sampleRate => this.#streamOf(name, sampleRate),
    };
  }

  #streamOf(name: string, sampleRate: number): Stream {
    const isAgent = this.#port.role === 'agent';
    const isSent = this.#senders.some(one => one.name === name);
    return this.#session.stream(name, {
      sampleRate,
      direction: isSent === isAgent ? 'down' : 'up',
    });
  }

  #openChannel(): void {
    this.#channel = new PeerChannel(this.#pc, {
      opened: () => this.#hooks.run(() => this.#channel?.hello(true)),
      hello: canRead =>
        this.#hooks.run(() => {
          for (const { trace } of this.#senders) trace.peerReadsTrailers(canRead);
        }),
      place: place => this.#hooks.run(() => this.#place(place)),
    });
  }

  #place(place: PeerPlace): void {
    const stream = this.#anchors.heard(place.anchor);
    if (stream === undefined) return;
    const isTheirs = (one: Direction<ReceiverTrace>): boolean => one.trace.ssrc === place.ssrc;
    const known = this.#receivers.find(isTheirs);
    const free = this.#receivers.find(({ trace }) => trace.ssrc === undefined);
    (known ?? free)?.trace.place(place, stream);
  }
}

/** `mic`, `mic-2`, … */
const numbered = (name: string, before: number): string =>
  before === 0 ? name : `${name}-${before + 1}`;
