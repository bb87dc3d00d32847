// Speech recogniser, language model and synthesiser behind one WebSocket each
// call. Replayed by default (README.md says what that means); OpenAI's with a key.

import { callFromUrl, type CallIdentity } from './common/messages.ts';
import { slowness, type Options } from './common/options.ts';
import { closeServer, listen, runProgram, type Running } from './common/process.ts';
import { loadClips } from './common/script.ts';
import type { Wires } from './common/wire.ts';
import { serveModels } from './models/connection.ts';
import { openAiServices } from './models/openai.ts';
import { replayServices } from './models/replay.ts';
import type { LlmEvent, Services } from './models/services.ts';
import { Slots } from './models/slots.ts';
import { findVoice } from './models/voice.ts';

async function start(options: Options, { open: openWire, gauge }: Wires): Promise<Running> {
  const servicesFor = await serviceFactory(options, gauge);
  const { server, url } = await listen(options.port);
  server.on('connection', (socket, request) => {
    const call = callFromUrl(request.url);
    if (call === undefined) socket.close(1008, 'the URL needs ?session=');
    else serveModels(socket, { callId: call.session, services: servicesFor(call), openWire });
  });
  return { url, stop: () => closeServer(server) };
}

async function serviceFactory(
  options: Options,
  gauge: Wires['gauge'],
): Promise<(call: CallIdentity) => Services> {
  const apiKey = process.env['OPENAI_API_KEY'];
  if (apiKey !== undefined && apiKey !== '') {
    const baseUrl = process.env['OPENAI_BASE_URL'] ?? 'https://api.openai.com/v1';
    return () => openAiServices({ apiKey, baseUrl });
  }
  const voice = await findVoice();
  const clips = loadClips(options.brief);
  const slots = new Slots(options.slots, waiting => gauge('llm_queue', waiting));
  return ({ seed }) => {
    const services = replayServices({
      seed,
      clips,
      voice,
      isSteady: options.steady,
      slowness: {
        sttMs: slowness(options, 'stt', seed),
        llmMs: slowness(options, 'llm', seed),
        ttsMs: slowness(options, 'tts', seed),
      },
    });
    const chat: Services['chat'] = (messages, tools, signal) =>
      timed(started => {
        const work = (): AsyncIterable<LlmEvent> => {
          started();
          return services.chat(messages, tools, signal);
        };
        return slots.use(work, signal);
      });
    return { ...services, chat };
  };
}

/** Says how long the request waited and was worked on, as services do in a header, ahead of its first event. */
async function* timed(
  ask: (started: () => void) => AsyncIterable<LlmEvent>,
): AsyncIterable<LlmEvent> {
  const askedMs = performance.now();
  let startedMs = askedMs;
  let isFirst = true;
  const events = ask(() => {
    startedMs = performance.now();
  });
  for await (const event of events) {
    if (isFirst) {
      const processingMs = performance.now() - askedMs;
      yield { kind: 'timing', queueMs: startedMs - askedMs, processingMs };
    }
    isFirst = false;
    yield event;
  }
}

runProgram('models', start);
