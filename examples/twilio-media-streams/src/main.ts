// A telephone call to a speech-to-speech model: Twilio streams the call here, the
// audio goes on to the model as it is (G.711, 8 kHz), and back.
//
//   caller ─▶ Twilio ─ wss://…/call ─▶ this server ─ wss ─▶ model
//
//   node out/main.js [--port 8080]        Twilio's webhook: https://…/voice

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { Framescope } from '@framescope/instrument'; // trace
import { traceOpenAIRealtime, traceTwilioMediaStream } from '@framescope/instrument/adapters'; // trace
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { WebSocketServer, type WebSocket } from 'ws';

interface Start {
  readonly callSid: string;
  readonly streamSid: string;
}

/** What Twilio says, as far as it is used here. */
interface FromTwilio {
  readonly event: 'connected' | 'start' | 'media' | 'mark' | 'dtmf' | 'stop';
  readonly start?: Start;
  readonly media?: { readonly payload: string };
}

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    model: { type: 'string', default: 'gpt-realtime' },
  },
});

const openai = new OpenAI();
const scope = new Framescope({ serviceName: 'telephone-agent' }); // trace

function connectModel(): OpenAIRealtimeWS {
  // The client asks for TLS whatever the base URL says; a stand-in on this machine has none.
  const base = new URL(openai.baseURL);
  const createConnection = (): ReturnType<typeof connect> =>
    connect(Number(base.port), base.hostname);
  const model = new OpenAIRealtimeWS(
    { model: options.model, options: base.protocol === 'http:' ? { createConnection } : {} },
    openai,
  );
  model.on('error', error => void process.stderr.write(`${error.message}\n`));
  model.on('session.created', () => {
    model.send({
      type: 'session.update',
      session: {
        type: 'realtime',
        instructions: 'You answer the telephone of a library. One short sentence at a time.',
        audio: {
          input: {
            format: { type: 'audio/pcmu' },
            turn_detection: { type: 'server_vad', silence_duration_ms: 500 },
            transcription: { model: 'gpt-4o-mini-transcribe' },
          },
          output: { format: { type: 'audio/pcmu' } },
        },
      },
    });
  });
  return model;
}

/** The two ends of one call, tied together. */
function bridge(caller: WebSocket, { callSid, streamSid }: Start): OpenAIRealtimeWS {
  const model = connectModel();
  const { session } = traceTwilioMediaStream(caller, { scope, id: callSid, playoutMarks: true }); // trace
  traceOpenAIRealtime(model, { session }); // trace
  const send = (message: object): void => {
    if (caller.readyState === caller.OPEN) caller.send(JSON.stringify({ ...message, streamSid }));
  };
  model.on('response.output_audio.delta', ({ delta }) => {
    send({ event: 'media', media: { payload: delta } });
  });
  // The model stops by itself when the caller speaks; what Twilio has queued does not.
  model.on('input_audio_buffer.speech_started', () => send({ event: 'clear' }));
  return model;
}

function answer(caller: WebSocket): void {
  let model: OpenAIRealtimeWS | undefined;
  caller.on('message', data => {
    const message = JSON.parse(String(data)) as FromTwilio;
    if (message.start !== undefined) model = bridge(caller, message.start);
    else if (message.media !== undefined && model?.socket.readyState === model?.socket.OPEN)
      model?.send({ type: 'input_audio_buffer.append', audio: message.media.payload });
    else if (message.event === 'stop') caller.close();
  });
  caller.on('close', () => model?.close());
}

/** TwiML: stream the call to `/call` of this same host. */
function twiml(request: IncomingMessage, response: ServerResponse): void {
  const url = `wss://${request.headers.host ?? ''}/call`;
  response.setHeader('content-type', 'text/xml');
  response.end(`<Response><Connect><Stream url="${url}"/></Connect></Response>`);
}

const server = createServer(twiml);
new WebSocketServer({ server, path: '/call' }).on('connection', answer);
server.listen(Number(options.port), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`Waiting for Twilio on http://127.0.0.1:${port}/voice\n`);
});
