// The Realtime API as its beta told it: other names, and a flat session. Clones
// of the API still speak so.

import type {
  RealtimeServerEvent,
  RealtimeSessionCreateRequest,
} from 'openai/resources/realtime/realtime';

const BETA_NAMES: Readonly<Record<string, string>> = {
  'response.output_audio.delta': 'response.audio.delta',
  'response.output_audio.done': 'response.audio.done',
  'response.output_audio_transcript.done': 'response.audio_transcript.done',
  'response.output_audio_transcript.delta': 'response.audio_transcript.delta',
  'conversation.item.added': 'conversation.item.created',
};

/** The same event as the beta told it: other names, and a flat session. */
export function asBeta(event: RealtimeServerEvent): RealtimeServerEvent {
  const type = BETA_NAMES[event.type] ?? event.type;
  if (event.type !== 'session.created' && event.type !== 'session.updated')
    return { ...event, type } as RealtimeServerEvent;
  const { audio, model } = event.session as RealtimeSessionCreateRequest;
  const session = {
    model,
    turn_detection: audio?.input?.turn_detection,
    input_audio_transcription: audio?.input?.transcription,
    input_audio_format: betaFormat(audio?.input?.format?.type),
    output_audio_format: betaFormat(audio?.output?.format?.type),
  };
  return { ...event, session } as unknown as RealtimeServerEvent;
}

const betaFormat = (type: string | undefined): string =>
  type === 'audio/pcmu' ? 'g711_ulaw' : type === 'audio/pcma' ? 'g711_alaw' : 'pcm16';
