// The replayed services: words and tokens from a script, timings drawn from
// heavy-tailed shapes by seed. The audio that TTS gives is really synthesised;
// only the pace at which it is handed over is replayed.

import { SAMPLE_RATE_HZ } from '../common/audio.ts';
import { sleep } from '../common/clock.ts';
import type { ChatMessage } from '../common/messages.ts';
import { heavyTailMs, randomFrom, type Random } from '../common/random.ts';
import { clipOfTurn, type Clip } from '../common/script.ts';
import { REPLIES } from './replies.ts';
import type { LlmEvent, Services, SpeechToText } from './services.ts';
import { burstMs, LLM_FIRST_TOKEN, LLM_NEXT_TOKEN, shapeOf, speechShape } from './timings.ts';
import { STT_FINAL, TOOL_CALL } from './timings.ts';
import type { Voice } from './voice.ts';

/** What each request takes longer. */
export interface Slowness {
  readonly sttMs: () => number;
  readonly llmMs: () => number;
  readonly ttsMs: () => number;
}

export interface ReplayOptions {
  readonly seed: number;
  readonly clips: readonly Clip[];
  readonly voice: Voice;
  /** Without the tails that response times of real services have. */
  readonly isSteady: boolean;
  readonly slowness: Slowness;
}

const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;
/** Words per chunk of 100 ms that the recogniser is behind with, as speech goes. */
const WORDS_PER_CHUNK = 0.3;
const TOOL_NAME = 'search_catalogue';

export function replayServices(options: ReplayOptions): Services {
  const { seed, slowness, voice, isSteady } = options;
  const llmRandom = randomFrom(seed, 'llm');
  const ttsRandom = randomFrom(seed, 'tts');
  const toolRandom = randomFrom(seed, 'tool');
  return {
    stt: new ReplayedStt(options),
    chat: (messages, tools, signal) =>
      paced(
        eventsFor(messages, tools, seed),
        { random: llmRandom, isSteady, slowMs: slowness.llmMs() },
        signal,
      ),
    speak: (text, signal) =>
      spoken(text, { voice, random: ttsRandom, isSteady, slowMs: slowness.ttsMs() }, signal),
    runTool: async (_name, signal) => {
      await sleep(heavyTailMs(toolRandom, shapeOf(TOOL_CALL, isSteady)), signal);
      return '{"entries": 2}';
    },
  };
}

class ReplayedStt implements SpeechToText {
  readonly #options: ReplayOptions;
  readonly #random: Random;
  #words: readonly string[] = [];
  #heard = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#random = randomFrom(options.seed, 'stt');
  }

  begin(turn: number): void {
    this.#words = clipOfTurn(this.#options.clips, this.#options.seed, turn).text.split(' ');
    this.#heard = 0;
  }

  audio(_pcm: Int16Array, onPartial: (text: string) => void): void {
    const before = Math.floor(this.#heard);
    this.#heard = Math.min(this.#words.length, this.#heard + WORDS_PER_CHUNK);
    const now = Math.floor(this.#heard);
    if (now > before) onPartial(this.#words.slice(0, now).join(' '));
  }

  async finalize(signal: AbortSignal): Promise<string> {
    const { isSteady, slowness } = this.#options;
    const usualMs = heavyTailMs(this.#random, shapeOf(STT_FINAL, isSteady));
    await sleep(usualMs + slowness.sttMs(), signal);
    return this.#words.join(' ');
  }
}

/** The reply to what the user said last: a filler and a tool call, or the answer. */
function eventsFor(messages: readonly ChatMessage[], tools: boolean, seed: number): LlmEvent[] {
  const turn = messages.filter(message => message.role === 'user').length;
  const first = Math.floor(randomFrom(seed, 'reply')() * REPLIES.length);
  const reply = REPLIES[(first + turn) % REPLIES.length];
  if (reply === undefined) return [];
  const asksTool = tools && turn % 2 === 1 && messages.at(-1)?.role === 'user';
  const tokens: LlmEvent[] = tokensOf(asksTool ? reply.filler : reply.text);
  if (asksTool) tokens.push({ kind: 'tool', name: TOOL_NAME, input: '{"query":"it"}' });
  return tokens;
}

/** Words with the space before them, as tokenisers cut. */
function tokensOf(text: string): LlmEvent[] {
  return text.split(/(?= )/).map(token => ({ kind: 'token', text: token }));
}

interface Pace {
  readonly random: Random;
  readonly isSteady: boolean;
  readonly slowMs: number;
}

async function* paced(
  events: readonly LlmEvent[],
  { random, isSteady, slowMs }: Pace,
  signal: AbortSignal,
): AsyncIterable<LlmEvent> {
  await sleep(heavyTailMs(random, shapeOf(LLM_FIRST_TOKEN, isSteady)) + slowMs, signal);
  for (const event of events) {
    yield event;
    await sleep(heavyTailMs(random, shapeOf(LLM_NEXT_TOKEN, isSteady)), signal);
  }
}

async function* spoken(
  text: string,
  pace: Pace & { readonly voice: Voice },
  signal: AbortSignal,
): AsyncIterable<Int16Array> {
  const { voice, random, isSteady, slowMs } = pace;
  const shape = speechShape(random, isSteady);
  // Rendering is part of the wait for the first byte, not on top of it.
  const [pcm] = await Promise.all([voice.render(text), sleep(shape.firstByteMs + slowMs, signal)]);
  const silence = Math.round(shape.leadingSilenceMs * SAMPLES_PER_MS);
  const speech = new Int16Array(silence + pcm.length);
  speech.set(pcm, silence);
  for (let at = 0; at < speech.length;) {
    const samples = Math.round(burstMs(random) * SAMPLES_PER_MS);
    yield speech.slice(at, at + samples);
    at += samples;
    await sleep(samples / SAMPLES_PER_MS / shape.speed, signal);
  }
}
