// A conversation with a speech-to-speech model. The user's voice comes from WAV
// files, 20 ms at a time in real time; the model's goes to another.
//
//   node out/main.js [--say question.wav]… [--write answers.wav]

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Framescope } from '@framescope/instrument'; // trace
import { traceOpenAIRealtime } from '@framescope/instrument/openai-realtime'; // trace
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { RATE_HZ, readSpeech, writeSpeech } from './audio.ts';

const FRAME_MS = 20;
const FRAME_SAMPLES = (RATE_HZ * FRAME_MS) / 1_000;
/** A model that does not answer for so long is given up. */
const PATIENCE_MS = 20_000;
const CLIPS = ['reader-0880.wav', 'cards-001.wav'];

const { values: options } = parseArgs({
  options: {
    say: { type: 'string', multiple: true },
    write: { type: 'string' },
    model: { type: 'string', default: 'gpt-realtime' },
    session: { type: 'string', default: `realtime-${Date.now()}` },
  },
});
const clip = (name: string): string =>
  fileURLToPath(new URL(`../../voice-agent/clips/${name}`, import.meta.url));
const utterances = (options.say ?? CLIPS.map(clip)).map(readSpeech);

const openai = new OpenAI();
// The client asks for TLS whatever the base URL says; a stand-in on this machine has none.
const base = new URL(openai.baseURL);
const createConnection = (): ReturnType<typeof connect> =>
  connect(Number(base.port), base.hostname);
const realtime = new OpenAIRealtimeWS(
  { model: options.model, options: base.protocol === 'http:' ? { createConnection } : {} },
  openai,
);

const scope = new Framescope({ serviceName: 'realtime-agent' }); // trace
traceOpenAIRealtime(realtime, { session: scope.startSession({ id: options.session }) }); // trace

/** When the loudspeaker will be silent again. */
let playsUntilMs = 0;
let answers = 0;
const answered: Buffer[] = [];

realtime.on('error', error => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
realtime.on('response.output_audio.delta', ({ delta }) => {
  const pcm = Buffer.from(delta, 'base64');
  const lengthMs = (pcm.length / 2 / RATE_HZ) * 1_000;
  playsUntilMs = Math.max(playsUntilMs, performance.now()) + lengthMs;
  answered.push(pcm);
});
realtime.on('response.done', () => {
  answers += 1;
});
realtime.on('response.output_audio_transcript.done', ({ transcript }) => {
  process.stdout.write(`agent: ${transcript}\n`);
});
realtime.on('conversation.item.input_audio_transcription.completed', ({ transcript }) => {
  process.stdout.write(`user:  ${transcript}\n`);
});

/** The next frame of the microphone, on time whatever the last one took. */
let dueMs = 0;
async function frame(pcm: Int16Array): Promise<void> {
  dueMs = Math.max(dueMs, performance.now() - FRAME_MS) + FRAME_MS;
  await sleep(dueMs - performance.now());
  const audio = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength).toString('base64');
  realtime.send({ type: 'input_audio_buffer.append', audio });
}

const silence = new Int16Array(FRAME_SAMPLES);

async function ask(speech: Int16Array): Promise<void> {
  const before = answers;
  for (let at = 0; at + FRAME_SAMPLES <= speech.length; at += FRAME_SAMPLES)
    await frame(speech.subarray(at, at + FRAME_SAMPLES));
  const givenUpMs = performance.now() + PATIENCE_MS;
  while (answers === before && performance.now() < givenUpMs) await frame(silence);
  while (performance.now() < playsUntilMs + 500) await frame(silence);
}

await new Promise(resolve => realtime.on('session.created', resolve));
realtime.send({
  type: 'session.update',
  session: {
    type: 'realtime',
    instructions: 'You are a friendly librarian. Answer in one short sentence.',
    audio: {
      input: {
        turn_detection: { type: 'server_vad', silence_duration_ms: 500 },
        transcription: { model: 'gpt-4o-mini-transcribe' },
      },
    },
  },
});
for (const speech of utterances) await ask(speech);
realtime.close();
if (options.write !== undefined) writeSpeech(options.write, answered);
await scope.shutdown(); // trace
