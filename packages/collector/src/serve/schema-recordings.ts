// JSON Schemas of what is answered about recordings; the types stand in protocol/recordings-api.ts.

import {
  count,
  list,
  ns,
  object,
  oneOf,
  orNull,
  ref,
  text,
  unixNs,
  type Schema,
} from './schema-words.ts';

export const RECORDING_SCHEMAS: Readonly<Record<string, Schema>> = {
  RecordingList: object({ items: list(ref('Recording')) }),
  Recording: object({
    id: text,
    url: text,
    source: oneOf('livekit'),
    contentType: text,
    bytes: count,
    startNs: orNull(ns),
    startUnixNs: orNull(unixNs),
    durationNs: orNull(ns),
    channels: orNull(count),
    sampleRate: orNull(count),
    receivedUnixNs: unixNs,
  }),
};
