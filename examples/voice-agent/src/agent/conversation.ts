// Whose turn is it, and what is being done about it. One object a call.
//
//   user speaks ──▶ listening ──turn over──▶ decided ──transcript──▶ answering
//        ▲              │                                               │
//        │              └─ final transcript + --preemptive: asks early ─┤
//        └──────────── user speaks again: cancelled, or barge-in ◀──────┘

import type { ChatMessage } from '../common/messages.ts';
import { GREETING } from '../common/script.ts';
import { Generation } from './generation.ts';
import type { Wire } from '../common/wire.ts';
import type { ModelsLink } from './models-link.ts';
import type { Mouth } from './mouth.ts';

/** A barge-in must be this long: a cough is none. 200 ms at 16 kHz. */
const BARGE_IN_GUARD_TICKS = 3_200;

export interface ConversationOptions {
  readonly link: ModelsLink;
  readonly mouth: Mouth;
  readonly wire: Wire;
  readonly isPreemptive: boolean;
  readonly usesTools: boolean;
}

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #history: ChatMessage[] = [];
  #turnIndex = -1;
  #isTurnOpen = false;
  #isDecided = false;
  /** The agent has been heard in this turn: more speech of the user is the next one. */
  #isVoiced = false;
  #transcript: string | undefined;
  #listening = new AbortController();
  #generation: Generation | undefined;
  #onsetTick = 0;
  #isFiller = false;
  #hasFailed = false;
  /** Sentences by where they begin; said when that is sent. */
  #sentences: { readonly tick: number; readonly text: string }[] = [];
  #endpointed: (isOver: boolean) => void = () => undefined;

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  greet(): void {
    const { link, mouth, wire } = this.#options;
    wire.turn = wire.call.greeting(); // trace
    this.#isTurnOpen = true;
    this.#isDecided = true;
    this.#isVoiced = true;
    mouth.awaitVoice();
    const generation = new Generation(link, [], this.#events());
    this.#generation = generation;
    generation.say(GREETING);
  }

  speechStarted(tick: number): void {
    this.#onsetTick = tick;
    const { wire, mouth } = this.#options;
    // While the agent is heard this may be a barge-in: `heard` decides after the guard.
    if (!mouth.isSpeaking) this.#listen();
    else wire.turn?.bargeIn({ onsetTick: tick }).detected(); // trace
  }

  /** The user has been speaking for so long. */
  heard(speakingTicks: number): void {
    if (speakingTicks < BARGE_IN_GUARD_TICKS || this.#isListening()) return;
    if (this.#options.mouth.isSpeaking) this.#interrupt();
    this.#listen();
  }

  /** `tick`: the last voiced sample. */
  speechStopped(tick: number): void {
    if (!this.#isListening()) return;
    const { turn } = this.#options.wire;
    turn?.speechEnded({ tick }); // trace
    const stage = turn?.stage('endpointing'); // trace
    this.#endpointed = isOver => void stage?.end({ discarded: !isOver }); // trace
    void this.#transcribe(this.#listening.signal);
  }

  turnOver(): void {
    if (!this.#isListening()) return;
    this.#isDecided = true;
    this.#endpointed(true);
    this.#answerIfReady();
  }

  close(): void {
    this.#listening.abort(new Error('the call is over'));
    this.#generation?.cancel();
  }

  #isListening(): boolean {
    return this.#isTurnOpen && !this.#isDecided;
  }

  /** A new turn of the user, or more of the one that has no answer yet. */
  #listen(): void {
    this.#drop();
    if (this.#isVoiced) this.#closeTurn('interrupted');
    if (!this.#isDecided) this.#endpointed(false);
    this.#endpointed = () => undefined;
    if (!this.#isTurnOpen) {
      this.#isTurnOpen = true;
      this.#turnIndex += 1;
      const { wire } = this.#options;
      wire.turn = wire.call.startTurn({ at: this.#onsetTick }); // trace
    }
    this.#isDecided = false;
    this.#isVoiced = false;
    this.#isFiller = false;
    this.#hasFailed = false;
    this.#transcript = undefined;
    this.#listening.abort(new Error('the user went on'));
    this.#listening = new AbortController();
    this.#options.link.beginUtterance(this.#turnIndex);
  }

  async #transcribe(signal: AbortSignal): Promise<void> {
    try {
      this.#transcript = await this.#options.link.transcript(signal);
    } catch (reason) {
      if (!signal.aborted) this.#failed(reason);
      return;
    }
    this.#options.wire.turn?.heard(this.#transcript); // trace
    if (this.#options.isPreemptive) this.#generate(this.#transcript);
    this.#answerIfReady();
  }

  #answerIfReady(): void {
    if (!this.#isDecided || this.#transcript === undefined) return;
    if (this.#generation === undefined) this.#generate(this.#transcript);
    this.#options.mouth.awaitVoice();
    this.#generation?.commit();
  }

  #generate(transcript: string): void {
    const messages = [...this.#history, { role: 'user', content: transcript } as const];
    this.#generation = new Generation(this.#options.link, messages, this.#events());
    this.#generation.start(this.#options.usesTools);
  }

  #events(): ConstructorParameters<typeof Generation>[2] {
    const { mouth } = this.#options;
    return {
      onAudio: (pcm, isFiller) => {
        this.#isFiller = isFiller;
        mouth.say(pcm);
      },
      onSpeaking: text => {
        const tick = mouth.generatedTick;
        this.#sentences.push({ tick, text });
        return tick;
      },
      onSpoken: isFiller => mouth.endPiece(isFiller ? () => this.#fillerSent() : undefined),
      onFinished: () => {
        this.#generation = undefined;
        mouth.finish();
      },
      onFailed: reason => this.#failed(reason),
    };
  }

  /** The frame from `tick` on is sent: a sentence that begins with it is being said. */
  sent(tick: number): void {
    const [next] = this.#sentences;
    if (next === undefined || tick < next.tick) return;
    this.#sentences.shift();
    this.#options.wire.turn?.said(next.text); // trace
    this.#history.push({ role: 'assistant', content: next.text });
  }

  /** The agent's sound in this turn is on its way: the next speech is a new turn. */
  voiced(tick: number): void {
    const { wire } = this.#options;
    const filler = this.#isFiller;
    wire.turn?.firstVoiced({ tick, stream: wire.call.stream('agent'), filler }); // trace
    if (!this.#isVoiced && this.#transcript !== undefined) {
      this.#history.push({ role: 'user', content: this.#transcript });
    }
    this.#isVoiced = true;
  }

  /** All that was to be said is sent, for now or (`isFinished`) for this turn. */
  drained(isFinished: boolean): void {
    if (!isFinished) return;
    this.#options.wire.send({ type: 'agent_done' });
  }

  /** The turn lasts until its last sound is heard: until then the user may still cut in. */
  answerHeard(): void {
    this.#closeTurn(this.#hasFailed ? 'failed' : 'completed');
  }

  /** From here on the agent owes the answer itself. */
  #fillerSent(): void {
    const { wire, mouth } = this.#options;
    wire.turn?.wait('resume', { source: 'filler_end' }); // trace
    mouth.awaitVoice();
  }

  #interrupt(): void {
    this.#drop();
    const { wire, mouth } = this.#options;
    const generatedTick = mouth.generatedTick;
    const dropped = mouth.clear();
    wire.send({ type: 'clear' });
    const onsetTick = this.#onsetTick;
    this.#sentences = [];
    wire.call.stream('agent').drop('encode', mouth.generatedTick - dropped, dropped); // trace
    wire.turn?.bargeIn({ onsetTick }).decided().cancelled({ generatedTick }); // trace
    this.#closeTurn('interrupted');
  }

  #closeTurn(outcome: 'completed' | 'interrupted' | 'failed'): void {
    if (!this.#isTurnOpen) return;
    this.#isTurnOpen = false;
    this.#options.wire.turn?.end({ outcome }); // trace
  }

  #drop(): void {
    this.#generation?.cancel();
    this.#generation = undefined;
  }

  #failed(reason: unknown): void {
    process.stderr.write(`agent: ${String(reason)}\n`);
    this.#hasFailed = true;
    this.#drop();
    this.#options.mouth.finish();
  }
}
