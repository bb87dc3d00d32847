// What the models process offers, whoever is behind it: replayed or OpenAI.

import type { ChatMessage } from '../common/messages.ts';

/** One per call. Takes all audio of the call; knows which of it is speech when told. */
export interface SpeechToText {
  begin(turn: number): void;
  /** 100 ms of the call; words heard so far go to `onPartial`. */
  audio(pcm: Int16Array, onPartial: (text: string) => void): void;
  /** The words of the utterance since `begin`. */
  finalize(signal: AbortSignal): Promise<string>;
}

/** What a service says of its own work, before its first token: its queue, and all until then. */
export interface LlmTiming {
  readonly kind: 'timing';
  readonly queueMs: number;
  readonly processingMs: number;
}

export type LlmEvent =
  | { readonly kind: 'token'; readonly text: string }
  | LlmTiming
  | { readonly kind: 'tool'; readonly name: string; readonly input: string };

export interface Services {
  readonly stt: SpeechToText;
  chat(
    messages: readonly ChatMessage[],
    tools: boolean,
    signal: AbortSignal,
  ): AsyncIterable<LlmEvent>;
  /** PCM at 16 kHz in pieces of any size, ahead of real time. */
  speak(text: string, signal: AbortSignal): AsyncIterable<Int16Array>;
  runTool(name: string, signal: AbortSignal): Promise<string>;
}
