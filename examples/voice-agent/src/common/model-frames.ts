// What travels between agent and models: JSON messages, and audio with its place.
//
//   0            4                8
//   +------------+----------------+--------------- - -
//   | request ID | first tick     | PCM, 16 bit
//   +------------+----------------+--------------- - -
//
// The agent says in its request where on its stream the answer will stand, so
// that both ends name a sample alike. The microphone's audio has request ID 0.

import { bytesToPcm, pcmToBytes } from './audio.ts';
import { parseMessage, type ModelReply, type ModelRequest } from './messages.ts';
import type { Message } from './socket.ts';
import type { Codec } from './wire.ts';

const HEADER_BYTES = 8;

export interface Speech {
  readonly id: number;
  readonly tick: number;
  readonly pcm: Int16Array;
}

const REQUESTS = [
  'stt.begin',
  'stt.finalize',
  'llm.request',
  'tts.request',
  'tool.request',
  'cancel',
] as const;
const REPLIES = [
  'stt.partial',
  'stt.final',
  'llm.timing',
  'llm.token',
  'llm.tool',
  'tool.result',
  'done',
  'failed',
] as const;

function encodeSpeech({ id, tick, pcm }: Speech): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt32BE(id, 0);
  head.writeUInt32BE(tick, 4);
  return Buffer.concat([head, pcmToBytes(pcm)]);
}

function decodeSpeech(bytes: Buffer): Speech | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const pcm = bytesToPcm(bytes.subarray(HEADER_BYTES));
  return { id: bytes.readUInt32BE(0), tick: bytes.readUInt32BE(4), pcm };
}

const encode = (item: Speech | object): Message =>
  'pcm' in item ? encodeSpeech(item) : JSON.stringify(item);

const placeOf = (item: Speech | object): { tick: number; samples: number } | undefined =>
  'pcm' in item && item.pcm.length > 0 ? { tick: item.tick, samples: item.pcm.length } : undefined;

/** At the agent. */
export const AGENT_CODEC: Codec<Speech | ModelReply, Speech | ModelRequest> = {
  encode,
  placeOf,
  decode: message =>
    typeof message === 'string'
      ? parseMessage<ModelReply>(message, REPLIES)
      : decodeSpeech(message),
};

/** At the models. */
export const MODELS_CODEC: Codec<Speech | ModelRequest, Speech | ModelReply> = {
  encode,
  placeOf,
  decode: message =>
    typeof message === 'string'
      ? parseMessage<ModelRequest>(message, REQUESTS)
      : decodeSpeech(message),
};
