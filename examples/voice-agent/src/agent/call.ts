// One call in the agent: ears, conversation and mouth, put together.

import type { OpusDecoderHandle, OpusEncoderHandle } from 'libopus-wasm';
import { createDecoder, createEncoder } from 'libopus-wasm';
import type { WebSocket } from 'ws';
import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../common/audio.ts';
import { nodeTimers } from '../common/clock.ts';
import { DelayLine } from '../common/delay-line.ts';
import { parseMessage, type CallIdentity, type CallMessage } from '../common/messages.ts';
import { slownessMs, type Options } from '../common/options.ts';
import { decodePacket, encodePacket, type Packet } from '../common/packet.ts';
import { onMessage, sendIfOpen, type Message } from '../common/socket.ts';
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
}

interface Codec {
  readonly encoder: OpusEncoderHandle;
  readonly decoder: OpusDecoderHandle;
}

export class AgentCall {
  readonly #client: WebSocket;
  readonly #link: ModelsLink;
  readonly #codec: Codec;
  readonly #ears: Ears;
  readonly #mouth: Mouth;
  readonly #conversation: Conversation;
  readonly #inbound: DelayLine<Packet>;

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
    const { client, models, identity, options } = setup;
    this.#client = client;
    this.#link = new ModelsLink(models);
    this.#codec = codec;
    this.#mouth = this.#createMouth(options['lead-ms']);
    this.#conversation = this.#createConversation(options);
    this.#ears = this.#createEars(identity.preSkip, options['endpoint-ms']);
    this.#inbound = new DelayLine<Packet>({
      shape: { delayMs: slownessMs(options, 'agent'), jitterMs: 0, loss: 0 },
      nowMs,
      timers: nodeTimers,
      random: Math.random,
      deliver: packet => this.#ears.hear(packet),
    });
    onMessage(client, message => this.#receive(message));
    client.once('close', () => this.#close());
    models.once('close', () => client.close(1011, 'the models went away'));
    this.#conversation.greet();
  }

  #createMouth(leadMs: number): Mouth {
    return new Mouth({
      encoder: this.#codec.encoder,
      nowMs,
      leadMs,
      send: packet => {
        sendIfOpen(this.#client, encodePacket(packet));
      },
      onVoiced: () => this.#conversation.voiced(),
      onDrained: isFinished => {
        if (isFinished) this.#say({ type: 'agent_done' });
      },
    });
  }

  #createConversation(options: Options): Conversation {
    return new Conversation({
      link: this.#link,
      mouth: this.#mouth,
      isPreemptive: options.preemptive,
      usesTools: options.tool,
      clearClient: () => this.#say({ type: 'clear' }),
    });
  }

  #createEars(preSkip: number, endpointMs: number): Ears {
    const conversation = this.#conversation;
    return new Ears(
      this.#codec.decoder,
      { preSkip, endpointMs },
      {
        onSpeechStart: () => conversation.speechStarted(),
        onSpeechStop: () => conversation.speechStopped(),
        onTurnOver: () => conversation.turnOver(),
        onHeard: speakingTicks => conversation.heard(speakingTicks),
        onChunk: pcm => this.#link.hear(pcm),
      },
    );
  }

  #receive(message: Message): void {
    if (typeof message === 'string') {
      const told = parseMessage<CallMessage>(message, ['cleared', 'bye']);
      if (told?.type === 'bye') this.#client.close();
      return;
    }
    const packet = decodePacket(message);
    if (packet !== undefined) this.#inbound.send(packet, false);
  }

  #say(message: CallMessage): void {
    sendIfOpen(this.#client, JSON.stringify(message));
  }

  #close(): void {
    this.#inbound.close();
    this.#conversation.close();
    this.#mouth.clear();
    this.#link.close();
    this.#codec.encoder.free();
    this.#codec.decoder.free();
  }
}
