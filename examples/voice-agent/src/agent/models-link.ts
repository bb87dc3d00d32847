// The agent's end of the connection to the models: requests by ID, each with a
// stream of replies; and the recogniser, which takes audio all the time.

import type { WebSocket } from 'ws';
import type { ModelReply, ModelRequest } from '../common/messages.ts';
import { AGENT_CODEC, type Speech } from '../common/model-frames.ts';
import type { OpenWire, Wire } from '../common/wire.ts';
import { Inbox } from './inbox.ts';

const MODELS = 'voice-models';

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
  readonly #models: Wire<Speech | ModelRequest>;
  readonly #open = new Map<number, Inbox<Answer>>();
  #lastId = 0;

  /** `wire`: the call that the models work for. */
  constructor(
    socket: WebSocket,
    { callId, wire, openWire }: { callId: string; wire: Wire; openWire: OpenWire },
  ) {
    this.#socket = socket;
    this.#wire = wire;
    const end = {
      socket,
      callId,
      incoming: 'agent',
      outgoing: 'mic',
      hops: { in: 'tts', out: 'stt' },
      codec: AGENT_CODEC,
      receive: (item: Speech | ModelReply) => this.#receive(item),
    } as const;
    this.#models = openWire(end, wire);
    socket.on('close', () => {
      for (const inbox of this.#open.values()) inbox.fail(new Error('the models went away'));
    });
  }

  /** 100 ms of the microphone, from `tick` on, for the recogniser. */
  hear(pcm: Int16Array, tick: number): void {
    this.#models.send({ id: 0, tick, pcm });
  }

  beginUtterance(turn: number): void {
    this.#models.send({ type: 'stt.begin', turn });
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
      this.#models.send({ type: 'cancel', id });
      inbox.fail(signal.reason);
    };
    signal.addEventListener('abort', cancel, { once: true });
    const stage = this.#wire.turn?.stage(request.type.split('.', 1)[0] ?? ''); // trace
    this.#models.send({ ...request, id });
    let timing: { readonly queueMs: number; readonly processingMs: number } | undefined;
    try {
      for await (const answer of inbox) {
        if (answer.type === 'failed') throw new Error(answer.reason);
        if (answer.type === 'done') return;
        if (answer.type === 'llm.timing') timing = answer;
        if (answer.type === 'llm.token' || answer.type === 'tts.audio') stage?.first(); // trace
        yield answer;
      }
    } finally {
      stage?.end({ discarded: signal.aborted, vendor: { name: MODELS, ...timing } }); // trace
      this.#open.delete(id);
      signal.removeEventListener('abort', cancel);
    }
  }

  close(): void {
    this.#socket.close();
  }

  #receive(item: Speech | ModelReply): void {
    if ('pcm' in item) this.#open.get(item.id)?.push({ type: 'tts.audio', pcm: item.pcm });
    else if ('id' in item) this.#open.get(item.id)?.push(item);
  }
}
