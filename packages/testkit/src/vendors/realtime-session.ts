// A session as the Realtime API opens it when the client says nothing.

import type { RealtimeSessionCreateRequest } from 'openai/resources/realtime/realtime';

/** The vendor's defaults, with `audio` laid over them. */
export const sessionOf = (
  audio: RealtimeSessionCreateRequest['audio'],
): RealtimeSessionCreateRequest => ({
  type: 'realtime',
  model: 'gpt-realtime',
  output_modalities: ['audio'],
  audio: {
    input: {
      format: { type: 'audio/pcm', rate: 24_000 },
      transcription: { model: 'gpt-4o-mini-transcribe' },
      turn_detection: {
        type: 'server_vad',
        threshold: 0.5,
        prefix_padding_ms: 300,
        silence_duration_ms: 500,
        create_response: true,
        interrupt_response: true,
      },
      ...audio?.input,
    },
    output: { format: { type: 'audio/pcm', rate: 24_000 }, ...audio?.output },
  },
});
