// The agent's end of the connection to the models: requests by ID, each with a
// stream of replies; and the recogniser, which takes audio all the time.

import type { WebSocket } from 'ws';
import { bytesToPcm, pcmToBytes } from '../common/audio.ts';
import { parseMessage, type ModelReply, type ModelRequest } from '../common/messages.ts';
import { onMessage, sendIfOpen, type Message } from '../common/socket.ts';
import type { Wire } from '../common/wire.ts';
import { Inbox } from './inbox.ts';

const REPLIES = [
  'stt.partial',
  'stt.final',
  'llm.token',
  'llm.tool',
  'tool.result',
  'done',
  'failed',
] as const;

type Answer = ModelReply | { readonly type: 'tts.audio'; readonly pcm: Int16Array };
/** A request still without its ID. */
type Ask =
  | Omit<Extract<ModelRequest, { type: 'stt.finalize' }>, 'id'>
  | Omit<Extract<ModelRequest, { type: 'llm.request' }>, 'id'>
  | Omit<Extract<ModelRequest, { type: 'tts.request' }>, 'id'>
  | Omit<Extract<ModelRequest, { type: 'tool.request' }>, 'id'>;

export class ModelsLink {
  readonly #socket: WebSocket;
  readonly #wire: Wire;
  readonly #open = new Map<number, Inbox<Answer>>();
  #lastId = 0;

  /** `wire`: the call that the models work for. */
  constructor(socket: WebSocket, wire: Wire) {
    this.#socket = socket;
    this.#wire = wire;
    onMessage(socket, message => this.#receive(message));
    socket.on('close', () => {
      for (const inbox of this.#open.values()) inbox.fail(new Error('the models went away'));
    });
  }

  /** 100 ms of the microphone for the recogniser. */
  hear(pcm: Int16Array): void {
    sendIfOpen(this.#socket, pcmToBytes(pcm));
  }

  beginUtterance(turn: number): void {
    this.#send({ type: 'stt.begin', turn });
  }

  /** The final words of the utterance. */
  async transcript(signal: AbortSignal): Promise<string> {
    for await (const answer of this.ask({ type: 'stt.finalize' }, signal)) {
      if (answer.type === 'stt.final') return answer.text;
    }
    return '';
  }

  async tool(name: string, signal: AbortSignal): Promise<string> {
    for await (const answer of this.ask({ type: 'tool.request', name }, signal)) {
      if (answer.type === 'tool.result') return answer.output;
    }
    return '';
  }

  /** Replies until done. Ends with the signal's reason when aborted; the models are told. */
  async *ask(request: Ask, signal: AbortSignal): AsyncGenerator<Answer, void, undefined> {
    signal.throwIfAborted();
    this.#lastId += 1;
    const id = this.#lastId;
    const inbox = new Inbox<Answer>();
    this.#open.set(id, inbox);
    const cancel = (): void => {
      this.#send({ type: 'cancel', id });
      inbox.fail(signal.reason);
    };
    signal.addEventListener('abort', cancel, { once: true });
    const stage = this.#wire.turn?.stage(request.type.split('.', 1)[0] ?? ''); // trace
    this.#send({ ...request, id });
    try {
      for await (const answer of inbox) {
        if (answer.type === 'failed') throw new Error(answer.reason);
        if (answer.type === 'done') return;
        if (answer.type === 'llm.token' || answer.type === 'tts.audio') stage?.first(); // trace
        yield answer;
      }
    } finally {
      stage?.end({ discarded: signal.aborted }); // trace
      this.#open.delete(id);
      signal.removeEventListener('abort', cancel);
    }
  }

  close(): void {
    this.#socket.close();
  }

  #send(request: ModelRequest): void {
    sendIfOpen(this.#socket, JSON.stringify(request));
  }

  #receive(message: Message): void {
    if (typeof message !== 'string') {
      if (message.length < 4) return;
      const pcm = bytesToPcm(message.subarray(4));
      this.#open.get(message.readUInt32BE(0))?.push({ type: 'tts.audio', pcm });
      return;
    }
    const reply = parseMessage<ModelReply>(message, REPLIES);
    if (reply !== undefined && 'id' in reply) this.#open.get(reply.id)?.push(reply);
  }
}
