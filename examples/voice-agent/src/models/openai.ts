// The real services: OpenAI's HTTP endpoints, by fetch alone. Not run against
// the vendor here (no key, no way out); tested against a local server that
// speaks the same shape.

import { bytesToPcm, SAMPLE_RATE_HZ } from '../common/audio.ts';
import type { ChatMessage } from '../common/messages.ts';
import { resample } from '../common/resample.ts';
import { encodeWav } from '../common/wav.ts';
import type { LlmEvent, Services, SpeechToText } from './services.ts';
import { serverSentData } from './server-sent.ts';

const STT_MODEL = 'gpt-4o-mini-transcribe';
const LLM_MODEL = 'gpt-4o-mini';
const TTS_MODEL = 'gpt-4o-mini-tts';
const TTS_VOICE = 'alloy';
/** `response_format: pcm` is 24 kHz, 16 bit, mono, headerless. */
const TTS_RATE_HZ = 24_000;
/** Resampled a quarter of a second at a time; the seams are inaudible in speech. */
const TTS_PIECE_BYTES = 12_000;
/** A minute of speech: what is longer loses its beginning. */
const UTTERANCE_CHUNKS = 600;
/** Audio kept from before speech was noticed. */
const PRE_ROLL_CHUNKS = 5;
const INSTRUCTIONS =
  'You are a voice agent. Answer in one or two short spoken sentences, without lists or markup.';
const TOOL = {
  type: 'function',
  function: { name: 'search_catalogue', parameters: { type: 'object', properties: {} } },
};

export interface OpenAiOptions {
  readonly apiKey: string;
  /** `https://api.openai.com/v1`, or a server that speaks the same. */
  readonly baseUrl: string;
}

export function openAiServices(options: OpenAiOptions): Services {
  return {
    stt: new OpenAiStt(options),
    chat: (messages, tools, signal) => chat(options, messages, tools, signal),
    speak: (text, signal) => speak(options, text, signal),
    runTool: () => Promise.resolve('{"entries": 2}'),
  };
}

async function post(
  options: OpenAiOptions,
  path: string,
  body: FormData | string,
  signal: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { authorization: `Bearer ${options.apiKey}` };
  if (typeof body === 'string') headers['content-type'] = 'application/json';
  const response = await fetch(`${options.baseUrl}${path}`, {
    method: 'POST',
    headers,
    body,
    signal,
  });
  if (response.ok) return response;
  const detail = (await response.text()).slice(0, 300);
  throw new Error(`${path} answered ${response.status}: ${detail}`);
}

class OpenAiStt implements SpeechToText {
  readonly #options: OpenAiOptions;
  #chunks: Int16Array[] = [];
  #isSpeech = false;

  constructor(options: OpenAiOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#isSpeech = true;
  }

  audio(pcm: Int16Array): void {
    this.#chunks.push(pcm);
    const limit = this.#isSpeech ? UTTERANCE_CHUNKS : PRE_ROLL_CHUNKS;
    while (this.#chunks.length > limit) this.#chunks.shift();
  }

  async finalize(signal: AbortSignal): Promise<string> {
    const pcm = Int16Array.from(this.#chunks.flatMap(chunk => [...chunk]));
    this.#chunks = [];
    this.#isSpeech = false;
    const form = new FormData();
    const wav = new Uint8Array(encodeWav({ sampleRateHz: SAMPLE_RATE_HZ, pcm }));
    form.set('file', new Blob([wav], { type: 'audio/wav' }), 'speech.wav');
    form.set('model', STT_MODEL);
    const response = await post(this.#options, '/audio/transcriptions', form, signal);
    const body: unknown = await response.json();
    const hasText = typeof body === 'object' && body !== null && 'text' in body;
    return hasText ? String(body.text) : '';
  }
}

async function* chat(
  options: OpenAiOptions,
  messages: readonly ChatMessage[],
  tools: boolean,
  signal: AbortSignal,
): AsyncIterable<LlmEvent> {
  const body = JSON.stringify({
    model: LLM_MODEL,
    stream: true,
    messages: [{ role: 'system', content: INSTRUCTIONS }, ...messages.map(asOpenAi)],
    ...(tools ? { tools: [TOOL] } : {}),
  });
  const response = await post(options, '/chat/completions', body, signal);
  let tool = { name: '', input: '' };
  for await (const data of serverSentData(response)) {
    const delta = deltaOf(data);
    if (delta.text !== '') yield { kind: 'token', text: delta.text };
    tool = { name: tool.name + delta.toolName, input: tool.input + delta.toolInput };
  }
  if (tool.name !== '') yield { kind: 'tool', ...tool };
}

/** A tool's result is told as text: no call IDs to carry through the agent. */
function asOpenAi(message: ChatMessage): { role: string; content: string } {
  if (message.role !== 'tool') return message;
  return { role: 'system', content: `Result of the tool: ${message.content}` };
}

interface Delta {
  readonly text: string;
  readonly toolName: string;
  readonly toolInput: string;
}

interface ChatChunk {
  readonly choices?: readonly {
    readonly delta?: {
      readonly content?: string | null;
      readonly tool_calls?: readonly {
        readonly function?: { readonly name?: string; readonly arguments?: string };
      }[];
    };
  }[];
}

function deltaOf(data: string): Delta {
  const delta = (JSON.parse(data) as ChatChunk).choices?.[0]?.delta;
  const call = delta?.tool_calls?.[0]?.function;
  return {
    text: delta?.content ?? '',
    toolName: call?.name ?? '',
    toolInput: call?.arguments ?? '',
  };
}

async function* speak(
  options: OpenAiOptions,
  text: string,
  signal: AbortSignal,
): AsyncIterable<Int16Array> {
  const body = JSON.stringify({
    model: TTS_MODEL,
    voice: TTS_VOICE,
    input: text,
    response_format: 'pcm',
  });
  const response = await post(options, '/audio/speech', body, signal);
  let held = Buffer.alloc(0);
  for await (const bytes of response.body ?? []) {
    held = Buffer.concat([held, bytes]);
    const whole = held.length - (held.length % TTS_PIECE_BYTES);
    if (whole > 0) yield resample(bytesToPcm(held.subarray(0, whole)), TTS_RATE_HZ, SAMPLE_RATE_HZ);
    held = held.subarray(whole);
  }
  if (held.length > 0) yield resample(bytesToPcm(held), TTS_RATE_HZ, SAMPLE_RATE_HZ);
}
