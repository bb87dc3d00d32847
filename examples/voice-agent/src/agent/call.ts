// One call in the agent: ears, conversation and mouth, put together.

import type { OpusDecoderHandle, OpusEncoderHandle } from 'libopus-wasm';
import { createDecoder, createEncoder } from 'libopus-wasm';
import type { WebSocket } from 'ws';
import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../common/audio.ts';
import { nodeTimers } from '../common/clock.ts';
import { DelayLine } from '../common/delay-line.ts';
import { isCutOff, type CallIdentity, type CallMessage } from '../common/messages.ts';
import { slowness, type Options } from '../common/options.ts';
import type { Packet } from '../common/packet.ts';
import { CALL_CODEC, CALL_HOPS, type OpenWire, type Wire } from '../common/wire.ts';
import { Conversation } from './conversation.ts';
import { Ears } from './ears.ts';
import { ModelsLink } from './models-link.ts';
import { Mouth } from './mouth.ts';

const nowMs = (): number => performance.now();

export interface AgentCallOptions {
  readonly client: WebSocket;
  readonly models: WebSocket;
  readonly identity: CallIdentity;
  readonly options: Options;
  readonly openWire: OpenWire;
  readonly onEnd: () => void;
}

/** A call whose relay went away waits so long for the caller to come back. */
const RESUME_LIMIT_MS = 8_000;

interface Codec {
  readonly encoder: OpusEncoderHandle;
  readonly decoder: OpusDecoderHandle;
}

export class AgentCall {
  #client: WebSocket;
  readonly #wire: Wire;
  readonly #onEnd: () => void;
  readonly #link: ModelsLink;
  readonly #codec: Codec;
  readonly #ears: Ears;
  readonly #mouth: Mouth;
  readonly #conversation: Conversation;
  readonly #inbound: DelayLine<Packet>;
  #resuming: NodeJS.Timeout | undefined;
  #nextSequence = 0;
  #isResumed = false;
  #isOver = false;

  static async start(setup: AgentCallOptions): Promise<AgentCall> {
    const encoder = await createEncoder({
      sampleRate: SAMPLE_RATE_HZ,
      channels: 1,
      frameSize: FRAME_SAMPLES,
      bitrate: 24_000,
      complexity: 5,
    });
    const decoder = await createDecoder({ sampleRate: SAMPLE_RATE_HZ, channels: 1 });
    return new AgentCall(setup, { encoder, decoder });
  }

  private constructor(setup: AgentCallOptions, codec: Codec) {
    const { client, models, identity, options, openWire } = setup;
    this.#client = client;
    this.#onEnd = setup.onEnd;
    this.#wire = openWire({
      socket: client,
      callId: identity.session,
      incoming: 'mic',
      outgoing: 'agent',
      hops: CALL_HOPS,
      codec: CALL_CODEC,
      receive: item => this.#receive(item),
    });
    this.#link = new ModelsLink(models, { callId: identity.session, wire: this.#wire, openWire });
    this.#codec = codec;
    this.#mouth = this.#createMouth(options['lead-ms']);
    this.#conversation = this.#createConversation(options);
    this.#ears = this.#createEars(identity.preSkip, options['endpoint-ms']);
    this.#inbound = new DelayLine<Packet>({
      shape: { delayMs: slowness(options, 'agent', identity.seed)(), jitterMs: 0, loss: 0 },
      nowMs,
      timers: nodeTimers,
      random: Math.random,
      deliver: packet => this.#ears.hear(packet),
    });
    this.#watch(client);
    models.once('close', () => {
      if (!this.#isOver) this.#client.close(1011, 'the models went away');
      this.close();
    });
    this.#conversation.greet();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The caller came back over another relay: the call goes on where it was. */
  resume(client: WebSocket): void {
    clearTimeout(this.#resuming);
    const before = this.#client;
    this.#client = client;
    this.#wire.attach(client);
    this.#isResumed = true;
    this.#watch(client);
    before.close(1000);
  }

  #watch(client: WebSocket): void {
    client.once('close', code => {
      if (client !== this.#client || this.#isOver) return;
      if (!isCutOff(code)) return this.close();
      this.#resuming = setTimeout(() => this.close(), RESUME_LIMIT_MS);
    });
  }

  #createMouth(leadMs: number): Mouth {
    const wire = this.#wire;
    return new Mouth({
      encoder: this.#codec.encoder,
      nowMs,
      leadMs,
      onEncoded: tick => wire.call.stream('agent').hop('encode').markAt(tick, FRAME_SAMPLES), // trace
      send: packet => void wire.send(packet),
      onSent: tick => this.#conversation.sent(tick),
      onBegun: () => wire.turn?.moment('first_frame_sent'), // trace
      onVoiced: tick => this.#conversation.voiced(tick),
      onDrained: isFinished => this.#conversation.drained(isFinished),
      onHeard: () => this.#conversation.answerHeard(),
    });
  }

  #createConversation(options: Options): Conversation {
    return new Conversation({
      link: this.#link,
      wire: this.#wire,
      mouth: this.#mouth,
      isPreemptive: options.preemptive,
      usesTools: options.tool,
    });
  }

  #createEars(preSkip: number, endpointMs: number): Ears {
    const conversation = this.#conversation;
    const wire = this.#wire;
    return new Ears(
      this.#codec.decoder,
      { preSkip, endpointMs },
      {
        onPassed: (hop, tick) => wire.call.stream('mic').hop(hop).markAt(tick, FRAME_SAMPLES), // trace
        onSpeechStart: tick => conversation.speechStarted(tick),
        onSpeechStop: tick => conversation.speechStopped(tick),
        onTurnOver: () => conversation.turnOver(),
        onHeard: speakingTicks => conversation.heard(speakingTicks),
        onChunk: (pcm, tick) => this.#link.hear(pcm, tick),
      },
    );
  }

  #receive(item: Packet | CallMessage): void {
    if ('opus' in item) {
      // Said to the caller, who counts what it could not send: the two must agree.
      if (this.#isResumed)
        this.#wire.send({ type: 'resumed', missing: item.sequence - this.#nextSequence });
      this.#isResumed = false;
      this.#nextSequence = item.sequence + 1;
      this.#inbound.send(item, false);
    } else if (item.type === 'bye') this.#client.close();
  }

  /** Ends the call; a caller that is to come back is waited for no longer. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#resuming);
    this.#onEnd();
    this.#wire.close();
    this.#inbound.close();
    this.#conversation.close();
    this.#mouth.clear();
    this.#link.close();
    this.#codec.encoder.free();
    this.#codec.decoder.free();
  }
}
