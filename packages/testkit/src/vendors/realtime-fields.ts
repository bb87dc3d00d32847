// Every field of every event that a Realtime client may send. The vendor refuses
// any other with `unknown_parameter`; so does the stand-in.

import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime';

export type ClientType = RealtimeClientEvent['type'];
export type ClientEvent<T extends ClientType> = Extract<RealtimeClientEvent, { type: T }>;

/** Every field of every client event, checked against the vendor's types both ways. */
export const FIELDS: { readonly [T in ClientType]: Record<keyof Required<ClientEvent<T>>, true> } =
  {
    'conversation.item.create': { type: true, event_id: true, item: true, previous_item_id: true },
    'conversation.item.delete': { type: true, event_id: true, item_id: true },
    'conversation.item.retrieve': { type: true, event_id: true, item_id: true },
    'conversation.item.truncate': {
      type: true,
      event_id: true,
      item_id: true,
      content_index: true,
      audio_end_ms: true,
    },
    'input_audio_buffer.append': { type: true, event_id: true, audio: true },
    'input_audio_buffer.clear': { type: true, event_id: true },
    'input_audio_buffer.commit': { type: true, event_id: true },
    'output_audio_buffer.clear': { type: true, event_id: true },
    'response.cancel': { type: true, event_id: true, response_id: true },
    'response.create': { type: true, event_id: true, response: true },
    'session.update': { type: true, event_id: true, session: true },
  };
