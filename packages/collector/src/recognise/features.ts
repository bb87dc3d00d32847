// What a turn was made with, under names of ours: models, voices, tokens, characters,
// tools, by which turns are grouped and filtered. Sources spell the same thing in several
// ways; all known spellings are read.

import type { Attributes, StageState } from '@framescope/protocol';
import { numberAt, textAt } from './span-reader.ts';

export type FeatureDraft = Record<string, string | number | boolean>;

/** Kind of service by the name of its span or operation. */
const KINDS: Readonly<Record<string, 'stt' | 'llm' | 'tts'>> = {
  stt: 'stt',
  speech_to_text: 'stt',
  tts: 'tts',
  text_to_speech: 'tts',
  llm: 'llm',
  chat: 'llm',
  llm_request: 'llm',
  llm_response: 'llm',
  realtime_inference: 'llm',
};

/** Added up over the spans of a turn, by kind. Spellings of one thing in order of trust. */
const SUMS: Readonly<Record<'stt' | 'llm' | 'tts', readonly (readonly [string, ...string[]])[]>> = {
  llm: [
    ['llm.input_tokens', 'gen_ai.usage.input_tokens', 'llm.token_count.prompt'],
    ['llm.output_tokens', 'gen_ai.usage.output_tokens', 'llm.token_count.completion'],
    [
      'llm.cached_tokens',
      'gen_ai.usage.cache_read.input_tokens',
      'gen_ai.usage.cache_read_input_tokens',
      'gen_ai.usage.cached_input_tokens',
    ],
    [
      'llm.reasoning_tokens',
      'gen_ai.usage.reasoning.output_tokens',
      'gen_ai.usage.reasoning_tokens',
    ],
    [
      'llm.audio_input_tokens',
      'gen_ai.usage.audio.input_tokens',
      'gen_ai.usage.input_audio_tokens',
    ],
    [
      'llm.audio_output_tokens',
      'gen_ai.usage.audio.output_tokens',
      'gen_ai.usage.output_audio_tokens',
    ],
  ],
  tts: [['tts.characters', 'metrics.character_count']],
  stt: [['stt.audio_seconds', 'metrics.audio_seconds']],
};

/** Adds what one span of a turn tells. */
export function addFeatures(draft: FeatureDraft, name: string, attributes: Attributes): void {
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind === undefined) return;
  const set = (key: string, value: string | undefined): void => {
    if (value !== undefined && value !== 'unknown') draft[`${kind}.${key}`] ??= value.slice(0, 256);
  };
  set('model', textAt(attributes, 'gen_ai.request.model'));
  set(
    'provider',
    textAt(attributes, 'gen_ai.provider.name') ?? textAt(attributes, 'gen_ai.system'),
  );
  if (kind === 'tts')
    set('voice', textAt(attributes, 'voice_id') ?? textAt(attributes, 'gen_ai.speech.voice'));
  if (kind === 'stt')
    set(
      'language',
      textAt(attributes, 'language') ?? textAt(attributes, 'gen_ai.speech.input.language'),
    );
  if (kind === 'llm') draft['llm.calls'] = Number(draft['llm.calls'] ?? 0) + 1;
  for (const [key, ...spellings] of SUMS[kind])
    for (const spelling of spellings) {
      const value = numberAt(attributes, spelling);
      if (value === undefined) continue;
      draft[key] = Number(draft[key] ?? 0) + value;
      break;
    }
}

/** Of a turn of our own instrument, by the conventions that its stages follow. */
export function featuresOfStages(stages: readonly StageState[]): FeatureDraft {
  const draft: FeatureDraft = {};
  for (const { name, attributes = {}, discarded } of stages)
    if (Object.keys(attributes).length > 0 && discarded !== true)
      addFeatures(draft, name, attributes);
  return draft;
}

const TOOL_NAMES = ['gen_ai.tool.name', 'tool.name', 'name'];

/** Tools that a turn called, by its stages; none: nothing is said of tools. */
export function featuresOfTools(stages: readonly StageState[]): FeatureDraft {
  const tools = stages.filter(stage => stage.name === 'tool' && stage.discarded !== true);
  const names = tools.flatMap(
    ({ attributes = {} }) => TOOL_NAMES.flatMap(key => textAt(attributes, key) ?? [])[0] ?? [],
  );
  if (tools.length === 0) return {};
  return {
    'tool.calls': tools.length,
    ...(names.length > 0 && { 'tool.name': [...new Set(names)].join(', ').slice(0, 256) }),
  };
}
