// One call at the caller's end: microphone → Opus → line, and line → jitter
// buffer → Opus → loudspeaker, both on one 20 ms device clock.

import { createDecoder, createEncoder } from 'libopus-wasm';
import type { OpusDecoderHandle, OpusEncoderHandle } from 'libopus-wasm';
import { setTimeout as pause } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../common/audio.ts';
import { Metronome, nodeTimers, type NowMs } from '../common/clock.ts';
import { DelayLine } from '../common/delay-line.ts';
import { isCutOff, urlForCall, type CallMessage } from '../common/messages.ts';
import { tickOf, type Packet } from '../common/packet.ts';
import { randomFrom } from '../common/random.ts';
import { clipOfTurn, loadClipAudio, type Clip } from '../common/script.ts';
import { connect, type Connected } from '../common/socket.ts';
import { CALL_CODEC, CALL_HOPS, type OpenWire, type Wire } from '../common/wire.ts';
import { Handovers } from './handovers.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import { Microphone } from './microphone.ts';
import { Playout } from './playout.ts';
import { User, type UserOptions } from './user.ts';

export interface CallOptions {
  readonly session: string;
  /** The first is used; the others when it goes away, in turn. */
  readonly edgeUrls: readonly string[];
  readonly seed: number;
  readonly turns: number;
  readonly bargesIn: UserOptions['bargesIn'];
  /** Frames of the microphone that leave together. */
  readonly chunkFrames: number;
  /** Depth of the jitter buffer; absent: it adapts. */
  readonly bufferMs: number | undefined;
  readonly slowMs: number;
  readonly nowMs: NowMs;
  readonly clips: readonly Clip[];
  readonly openWire: OpenWire;
}

interface Codec {
  readonly encoder: OpusEncoderHandle;
  readonly decoder: OpusDecoderHandle;
  readonly preSkip: number;
}

function urlOf({ session, seed }: CallOptions, preSkip: number, edgeUrl: string): string {
  return urlForCall(edgeUrl, { session, seed, preSkip });
}

/** Without a relay for so long, the caller gives up. */
const RECONNECT_LIMIT_MS = 6_000;
/** Callers of one relay do not all come back in the same instant. */
const RECONNECT_PAUSE_MS = 200;
const RECONNECT_SPREAD_MS = 300;

export class Call {
  readonly #options: CallOptions;
  #socket: WebSocket;
  readonly #wire: Wire;
  readonly #codec: Codec;
  readonly #microphone: Microphone;
  readonly #user: User;
  readonly #buffer: JitterBuffer;
  readonly #playout: Playout;
  readonly #device: Metronome;
  readonly #inbound: DelayLine<Packet>;
  readonly #ended: Promise<void>;
  readonly #handovers = new Handovers();
  #end: () => void = () => undefined;
  /** When the call was asked for, and when the agent's first frame became audible. */
  readonly #askedMs: number;
  #soundMs: number | undefined;
  #isHungUp = false;
  #chunk: Packet[] = [];
  #sequence = 0;
  #turn = 0;
  #answerCount = 0;

  static async start(options: CallOptions): Promise<Call> {
    const encoder = await createEncoder({
      sampleRate: SAMPLE_RATE_HZ,
      channels: 1,
      frameSize: FRAME_SAMPLES,
      bitrate: 24_000,
      complexity: 5,
    });
    const decoder = await createDecoder({ sampleRate: SAMPLE_RATE_HZ, channels: 1 });
    const preSkip = encoder.getLookahead();
    const connected = await connect(urlOf(options, preSkip, options.edgeUrls[0] ?? ''), 'edge');
    return new Call(options, connected, { encoder, decoder, preSkip });
  }

  private constructor(options: CallOptions, { socket, tookMs }: Connected, codec: Codec) {
    this.#options = options;
    this.#socket = socket;
    this.#askedMs = options.nowMs() - tookMs;
    this.#codec = codec;
    this.#buffer = new JitterBuffer(options.bufferMs);
    const { seed, turns, bargesIn, nowMs, slowMs, session, openWire } = options;
    const wire = openWire({
      socket,
      callId: session,
      incoming: 'agent',
      outgoing: 'mic',
      hops: CALL_HOPS,
      codec: CALL_CODEC,
      receive: item => this.#receive(item),
      setup: { call_started: tookMs, signalled: 0 }, // trace
    });
    this.#wire = wire;
    this.#microphone = new Microphone(seed);
    this.#user = new User({ random: randomFrom(seed, 'user'), turns, bargesIn });
    this.#playout = new Playout({
      buffer: this.#buffer,
      decoder: codec.decoder,
      hooks: {
        passed: (where, tick) => wire.call.stream('agent').hop(where).markAt(tick, FRAME_SAMPLES), // trace
        concealed: tick => wire.call.stream('agent').conceal('jitter_buffer', tick, FRAME_SAMPLES), // trace
      },
    });
    this.#inbound = new DelayLine<Packet>({
      shape: { delayMs: slowMs, jitterMs: 0, loss: 0 },
      nowMs,
      timers: nodeTimers,
      random: Math.random,
      deliver: packet => {
        this.#buffer.push(packet, nowMs());
      },
    });
    this.#device = new Metronome({
      periodMs: FRAME_MS,
      nowMs,
      onTick: lateMs => this.#onPeriod(lateMs),
    });
    this.#ended = new Promise(resolve => {
      this.#end = resolve;
    });
    this.#watch(socket);
    this.#device.start();
  }

  /** Resolves when the call is over, whoever ended it; then everything is let go. */
  async finished(): Promise<string> {
    await this.#ended;
    this.#device.stop();
    this.#inbound.close();
    this.#wire.close();
    this.#codec.encoder.free();
    this.#codec.decoder.free();
    return this.#summary();
  }

  hangUp(): void {
    this.#isHungUp = true;
    this.#device.stop();
    this.#wire.send({ type: 'bye' });
    this.#socket.close(1000);
  }

  #watch(socket: WebSocket): void {
    socket.once('close', code => {
      if (this.#isHungUp || !isCutOff(code)) this.#end();
      else void this.#goOn();
    });
  }

  /** The relay went away: the call goes on over the next one, microphone and loudspeaker all the while. */
  async #goOn(): Promise<void> {
    this.#handovers.begin(this.#options.nowMs());
    const { edgeUrls, nowMs } = this.#options;
    const limitMs = nowMs() + RECONNECT_LIMIT_MS;
    for (let at = 1; nowMs() < limitMs && !this.#isHungUp; at += 1) {
      await pause(RECONNECT_PAUSE_MS + RECONNECT_SPREAD_MS * Math.random());
      const url = urlOf(this.#options, this.#codec.preSkip, edgeUrls[at % edgeUrls.length] ?? '');
      const connected = await connect(url, 'edge').catch(() => undefined);
      if (connected !== undefined) return this.#reconnected(connected.socket);
    }
    this.#end();
  }

  #reconnected(socket: WebSocket): void {
    if (this.#isHungUp) {
      socket.close(1000);
      return this.#end();
    }
    this.#socket = socket;
    this.#wire.attach(socket);
    this.#watch(socket);
  }

  #onPeriod(lateMs: number): void {
    const nowMs = this.#options.nowMs();
    const played = this.#playout.pull(nowMs, lateMs);
    if (this.#playout.heardTick > 0) this.#soundMs ??= nowMs;
    this.#capture(this.#microphone.next());
    const wish = this.#user.hear(played, this.#microphone.isSpeaking);
    if (wish === 'hang up') this.hangUp();
    else if (wish === 'speak') this.#speakNext();
  }

  #speakNext(): void {
    const clip = clipOfTurn(this.#options.clips, this.#options.seed, this.#turn);
    this.#turn += 1;
    this.#microphone.speak(loadClipAudio(clip));
  }

  #capture(pcm: Int16Array): void {
    const sequence = this.#sequence;
    this.#sequence += 1;
    const tick = tickOf({ sequence });
    this.#wire.call.stream('mic').hop('capture').markAt(tick, FRAME_SAMPLES); // trace
    const opus = this.#codec.encoder.encode(pcm);
    this.#wire.call.stream('mic').hop('encode').markAt(tick, FRAME_SAMPLES); // trace
    const sentMs = this.#options.nowMs();
    this.#chunk.push({ sequence, sentMs, isSpurtStart: sequence === 0, isSpurtEnd: false, opus });
    if (this.#chunk.length < this.#options.chunkFrames) return;
    for (const packet of this.#chunk) if (!this.#wire.send(packet)) this.#handovers.unsent();
    this.#chunk = [];
  }

  #receive(item: Packet | CallMessage): void {
    if ('opus' in item) {
      this.#handovers.received(item.sequence, this.#options.nowMs());
      this.#inbound.send(item, false);
    } else if (item.type === 'resumed') this.#handovers.resumed(item.missing);
    else if (item.type === 'agent_done') this.#answered();
    else if (item.type === 'clear') this.#clear();
  }

  #answered(): void {
    this.#user.agentDone();
    // The first thing an agent says is its greeting.
    if (this.#turn > 0) this.#answerCount += 1;
  }

  #clear(): void {
    for (const packet of this.#buffer.clear()) {
      this.#wire.call.stream('agent').drop('jitter_buffer', tickOf(packet), FRAME_SAMPLES); // trace
    }
    this.#wire.send({ type: 'cleared', heardTick: this.#playout.heardTick });
  }

  #summary(): string {
    const { played, concealed, late, underruns } = this.#buffer.counts;
    return [
      `${this.#options.session}: ${this.#turn} turns, ${this.#answerCount} answered`,
      `${played} frames played, ${concealed} concealed, ${late} late, ${underruns} underruns`,
      `jitter target ${Math.round(this.#buffer.targetMs)} ms`,
      `${this.#playout.tickCount} device ticks, ${this.#playout.lateCount} late`,
      `first sound after ${this.#soundMs === undefined ? '?' : Math.round(this.#soundMs - this.#askedMs)} ms`,
      ...this.#handovers.lines(),
    ].join(' · ');
  }
}
