// One agent's connection to the models: JSON requests and binary PCM in, JSON
// replies and binary speech out. Each request can be cancelled by its ID.

import type { WebSocket } from 'ws';
import type { ModelReply, ModelRequest } from '../common/messages.ts';
import { MODELS_CODEC, type Speech } from '../common/model-frames.ts';
import type { OpenWire, Wire } from '../common/wire.ts';
import type { Services } from './services.ts';

export interface ModelsSetup {
  readonly callId: string;
  readonly services: Services;
  readonly openWire: OpenWire;
}

export function serveModels(socket: WebSocket, setup: ModelsSetup): void {
  const connection = new ModelsConnection(socket, setup);
  socket.on('close', () => connection.close());
}

class ModelsConnection {
  readonly #wire: Wire<Speech | ModelReply>;
  readonly #services: Services;
  readonly #running = new Map<number, AbortController>();

  constructor(socket: WebSocket, { callId, services, openWire }: ModelsSetup) {
    this.#services = services;
    this.#wire = openWire({
      socket,
      callId,
      incoming: 'mic',
      outgoing: 'agent',
      hops: { in: 'receive', out: 'tts' },
      codec: MODELS_CODEC,
      receive: item => this.#receive(item),
    });
  }

  #receive(item: Speech | ModelRequest): void {
    if (!('pcm' in item)) return this.#handle(item);
    const onPartial = (text: string): void => this.#send({ type: 'stt.partial', text });
    this.#services.stt.audio(item.pcm, onPartial);
  }

  close(): void {
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
    this.#wire.close();
  }

  #handle(request: ModelRequest): void {
    if (request.type === 'stt.begin') this.#services.stt.begin(request.turn);
    else if (request.type === 'cancel') this.#running.get(request.id)?.abort();
    else void this.#run(request);
  }

  async #run(request: Exclude<ModelRequest, { type: 'stt.begin' | 'cancel' }>): Promise<void> {
    const controller = new AbortController();
    this.#running.set(request.id, controller);
    try {
      await this.#answer(request, controller.signal);
      this.#send({ type: 'done', id: request.id });
    } catch (error) {
      if (!controller.signal.aborted) {
        this.#send({ type: 'failed', id: request.id, reason: String(error) });
      }
    } finally {
      this.#running.delete(request.id);
    }
  }

  async #answer(
    request: Exclude<ModelRequest, { type: 'stt.begin' | 'cancel' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { id } = request;
    if (request.type === 'stt.finalize') {
      this.#send({ type: 'stt.final', id, text: await this.#services.stt.finalize(signal) });
    } else if (request.type === 'tool.request') {
      const output = await this.#services.runTool(request.name, signal);
      this.#send({ type: 'tool.result', id, output });
    } else if (request.type === 'tts.request') {
      await this.#speak(request, signal);
    } else {
      for await (const event of this.#services.chat(request.messages, request.tools, signal)) {
        if (event.kind === 'token') this.#send({ type: 'llm.token', id, text: event.text });
        else if (event.kind === 'tool')
          this.#send({ type: 'llm.tool', id, name: event.name, input: event.input });
        else this.#send({ type: 'llm.timing', ...event, id });
      }
    }
  }

  async #speak(
    { id, text, tick }: Extract<ModelRequest, { type: 'tts.request' }>,
    signal: AbortSignal,
  ): Promise<void> {
    let at = tick;
    for await (const pcm of this.#services.speak(text, signal)) {
      this.#wire.send({ id, tick: at, pcm });
      at += pcm.length;
    }
  }

  #send(reply: ModelReply): void {
    this.#wire.send(reply);
  }
}
