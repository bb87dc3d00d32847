// What a Realtime session was told of audio and of turns, in the words of the
// API as it is (`session.audio.input.…`) and as its beta was (`session.…`).

import { MULAW_8K, PCM_24K, type AudioFormat } from '../common/audio.ts';
import { at, numberAt, textAt } from '../common/foreign.ts';

/** How the vendor finds the end of the user's speech. */
export type TurnDetection =
  /** A window of silence: speech ended so long before the vendor says so. */
  | { readonly kind: 'server_vad'; readonly silenceMs: number; readonly prefixMs: number }
  /** A model's judgement: speech ended somewhere in the last `withinMs`. */
  | { readonly kind: 'semantic_vad'; readonly withinMs: number }
  /** The application says so: push to talk. */
  | { readonly kind: 'none' };

export interface RealtimeConfig {
  readonly input: AudioFormat;
  readonly output: AudioFormat;
  readonly detection: TurnDetection;
  /** User transcripts will come, perhaps after the answer. */
  readonly isTranscribed: boolean;
  readonly model: string | undefined;
}

/** The vendor's defaults. */
export const DEFAULT_CONFIG: RealtimeConfig = {
  input: PCM_24K,
  output: PCM_24K,
  detection: { kind: 'server_vad', silenceMs: 500, prefixMs: 300 },
  isTranscribed: false,
  model: undefined,
};

/** After so long semantic VAD gives up waiting, by eagerness (`auto` is medium). */
const SEMANTIC_MS: Readonly<Record<string, number>> = { low: 8_000, medium: 4_000, high: 2_000 };

/** The configuration in a `session.created` or `session.updated`; what it does not say stays. */
export function configOf(session: unknown, before: RealtimeConfig): RealtimeConfig {
  const input = at(session, 'audio', 'input');
  const isBeta = input === undefined && at(session, 'audio') === undefined;
  const output = at(session, 'audio', 'output');
  const detection = isBeta ? at(session, 'turn_detection') : at(input, 'turn_detection');
  const transcription = isBeta
    ? at(session, 'input_audio_transcription')
    : at(input, 'transcription');
  return {
    input: formatOf(isBeta ? at(session, 'input_audio_format') : at(input, 'format'), before.input),
    output: formatOf(
      isBeta ? at(session, 'output_audio_format') : at(output, 'format'),
      before.output,
    ),
    detection: detectionOf(detection, before.detection),
    isTranscribed:
      transcription === undefined
        ? before.isTranscribed
        : typeof transcription === 'object' && transcription !== null,
    model: textAt(session, 'model') ?? before.model,
  };
}

function detectionOf(value: unknown, before: TurnDetection): TurnDetection {
  if (value === null) return { kind: 'none' };
  const type = textAt(value, 'type');
  if (type === 'server_vad')
    return {
      kind: 'server_vad',
      silenceMs: numberAt(value, 'silence_duration_ms') ?? 500,
      prefixMs: numberAt(value, 'prefix_padding_ms') ?? 300,
    };
  if (type === 'semantic_vad') {
    const eagerness = textAt(value, 'eagerness') ?? 'medium';
    return { kind: 'semantic_vad', withinMs: SEMANTIC_MS[eagerness] ?? 4_000 };
  }
  return before;
}

/** An audio format in the words of either API; `before` where it says none. */
export function formatOf(value: unknown, before: AudioFormat): AudioFormat {
  const type = typeof value === 'string' ? value : textAt(value, 'type');
  const rate = numberAt(value, 'rate');
  const isRate = rate !== undefined && Number.isInteger(rate) && rate > 0 && rate <= 192_000;
  if (type === 'audio/pcm' || type === 'pcm16')
    return { encoding: 'pcm16', sampleRate: isRate ? rate : PCM_24K.sampleRate };
  if (type === 'audio/pcmu' || type === 'g711_ulaw') return MULAW_8K;
  if (type === 'audio/pcma' || type === 'g711_alaw') return { ...MULAW_8K, encoding: 'alaw' };
  return before;
}
