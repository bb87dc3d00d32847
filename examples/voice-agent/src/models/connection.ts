// One agent's connection to the models: JSON requests and binary PCM in, JSON
// replies and binary speech out. Each request can be cancelled by its ID.

import type { RawData, WebSocket } from 'ws';
import { bytesToPcm, pcmToBytes } from '../common/audio.ts';
import { parseMessage, type ModelReply, type ModelRequest } from '../common/messages.ts';
import type { Services } from './services.ts';

const REQUESTS = [
  'stt.begin',
  'stt.finalize',
  'llm.request',
  'tts.request',
  'tool.request',
  'cancel',
] as const;

export function serveModels(socket: WebSocket, services: Services): void {
  const connection = new ModelsConnection(socket, services);
  socket.on('message', (data: RawData, isBinary) => connection.receive(asBuffer(data), isBinary));
  socket.on('close', () => connection.close());
}

function asBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

class ModelsConnection {
  readonly #socket: WebSocket;
  readonly #services: Services;
  readonly #running = new Map<number, AbortController>();

  constructor(socket: WebSocket, services: Services) {
    this.#socket = socket;
    this.#services = services;
  }

  receive(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      const onPartial = (text: string): void => this.#send({ type: 'stt.partial', text });
      this.#services.stt.audio(bytesToPcm(data), onPartial);
      return;
    }
    const request = parseMessage<ModelRequest>(data.toString(), REQUESTS);
    if (request !== undefined) this.#handle(request);
  }

  close(): void {
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
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
      await this.#speak(id, request.text, signal);
    } else {
      for await (const event of this.#services.chat(request.messages, request.tools, signal)) {
        if (event.kind === 'token') this.#send({ type: 'llm.token', id, text: event.text });
        else this.#send({ type: 'llm.tool', id, name: event.name, input: event.input });
      }
    }
  }

  async #speak(id: number, text: string, signal: AbortSignal): Promise<void> {
    for await (const pcm of this.#services.speak(text, signal)) {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(id);
      if (this.#socket.readyState === this.#socket.OPEN) {
        this.#socket.send(Buffer.concat([head, pcmToBytes(pcm)]));
      }
    }
  }

  #send(reply: ModelReply): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(reply));
  }
}
