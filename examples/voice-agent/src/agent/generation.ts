// One answer in the making: model → sentences → synthesiser, with tool calls in
// between. Model and synthesiser run side by side: while one sentence is being
// spoken the next is being written. Nothing is synthesised before `commit`, so
// an answer that was begun early (--preemptive) can be dropped for the price of
// its tokens.

import type { ChatMessage } from '../common/messages.ts';
import { SentenceAggregator, sentencesOf } from '../common/sentences.ts';
import { Inbox } from './inbox.ts';
import type { ModelsLink } from './models-link.ts';

export interface GenerationEvents {
  readonly onAudio: (pcm: Int16Array, isFiller: boolean) => void;
  /** A sentence is about to be synthesised; answers where on the agent's stream it will stand. */
  readonly onSpeaking: (text: string) => number;
  /** A sentence is complete as audio. */
  readonly onSpoken: (isFiller: boolean) => void;
  readonly onFinished: () => void;
  readonly onFailed: (reason: unknown) => void;
}

type Piece = { readonly text: string; readonly isFiller: boolean } | 'end';

/** A model that calls tools for ever is stopped here. */
const ROUNDS_MAX = 4;

export class Generation {
  readonly #link: ModelsLink;
  readonly #events: GenerationEvents;
  readonly #abort = new AbortController();
  readonly #pieces = new Inbox<Piece>();
  #messages: readonly ChatMessage[];
  #commit: () => void = () => undefined;
  readonly #committed: Promise<void>;

  constructor(link: ModelsLink, messages: readonly ChatMessage[], events: GenerationEvents) {
    this.#link = link;
    this.#messages = messages;
    this.#events = events;
    this.#committed = new Promise(resolve => {
      this.#commit = resolve;
    });
  }

  /** Asks the model now. `tools`: it may call one. */
  start(tools: boolean): void {
    this.#run(Promise.all([this.#write(tools), this.#speak()]));
  }

  #run(work: Promise<unknown>): void {
    work.then(
      () => this.#events.onFinished(),
      (reason: unknown) => {
        if (!this.#abort.signal.aborted) this.#events.onFailed(reason);
      },
    );
  }

  /** Speaks `text` with no model asked. */
  say(text: string): void {
    for (const sentence of sentencesOf(text))
      this.#pieces.push({ text: sentence, isFiller: false });
    this.#pieces.push('end');
    this.commit();
    this.#run(this.#speak());
  }

  /** The turn is the agent's: from here on it is spoken. */
  commit(): void {
    this.#commit();
  }

  cancel(): void {
    this.#abort.abort(new Error('cancelled'));
    this.#pieces.fail(this.#abort.signal.reason);
  }

  async #write(tools: boolean): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const tool = await this.#writeRound(tools);
      if (tool === undefined) break;
      const output = await this.#link.tool(tool, this.#abort.signal);
      this.#messages = [...this.#messages, { role: 'tool', content: output }];
    }
    this.#pieces.push('end');
  }

  /** One request to the model; returns the tool it wants called. */
  async #writeRound(tools: boolean): Promise<string | undefined> {
    const sentences = new SentenceAggregator();
    let tool: string | undefined;
    const request = { type: 'llm.request', messages: this.#messages, tools } as const;
    for await (const answer of this.#link.ask(request, this.#abort.signal)) {
      if (answer.type === 'llm.tool') tool = answer.name;
      if (answer.type !== 'llm.token') continue;
      for (const text of sentences.push(answer.text)) this.#pieces.push({ text, isFiller: false });
    }
    const rest = sentences.flush();
    if (rest !== undefined) this.#pieces.push({ text: rest, isFiller: tool !== undefined });
    return tool;
  }

  async #speak(): Promise<void> {
    await this.#committed;
    for await (const piece of this.#pieces) {
      if (piece === 'end') return;
      const tick = this.#events.onSpeaking(piece.text);
      const request = { type: 'tts.request', text: piece.text, tick } as const;
      for await (const answer of this.#link.ask(request, this.#abort.signal)) {
        if (answer.type === 'tts.audio') this.#events.onAudio(answer.pcm, piece.isFiller);
      }
      this.#events.onSpoken(piece.isFiller);
    }
  }
}
