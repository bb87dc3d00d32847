// A voice agent on LiveKit Agents, unmodified, traced by LiveKit's own telemetry: no package of ours.
// Its services and its caller are local (local-call.js), so that it runs without a key and without a room.

import * as agents from '@livekit/agents';
import { AudioFrame } from '@livekit/rtc-node';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { localCall } from './local-call.js';

const { initializeLogger, llm, telemetry, voice } = agents;

// All there is to tracing: LiveKit's spans go where OTEL_EXPORTER_OTLP_ENDPOINT says.
const fanout = new telemetry.FanoutSpanProcessor();
const provider = new NodeTracerProvider({
  spanProcessors: [fanout, new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();
telemetry.setTracerProvider(provider, {
  registerSpanProcessor: processor => fanout.add(processor),
  metadata: { 'session.id': `call-${Date.now()}` }, // in a job: ctx.room.name
});

const script = {
  greeting: 'Hello, this is the weather line.',
  turns: [
    {
      speechMs: 1_200,
      text: 'What is the weather like tomorrow?',
      sttMs: 380,
      ttftMs: 440,
      reply: 'Let me look.',
      ttfbMs: 190,
      tool: { name: 'look_up', ms: 1_200 },
      afterTool: { ttftMs: 350, reply: 'It will rain in the morning.' },
      utterances: 2,
    },
    {
      speechMs: 900,
      text: 'And on Sunday?',
      sttMs: 300,
      ttftMs: 900,
      reply: 'Sun again, all day long, and not a cloud to be seen anywhere.',
      ttfbMs: 160,
      msACharacter: 40,
    },
    {
      bargeInMs: 800,
      speechMs: 700,
      text: 'Thank you, that will do.',
      sttMs: 250,
      ttftMs: 300,
      reply: 'Goodbye.',
      ttfbMs: 150,
    },
  ],
};

initializeLogger({ pretty: false, level: 'error' });
const call = localCall({ agents, AudioFrame, script });

class WeatherAgent extends voice.Agent {
  constructor() {
    const lookUp = llm.tool({
      name: 'look_up',
      description: 'Looks up the weather.',
      execute: async () => {
        await new Promise(resolve => setTimeout(resolve, call.talk.turn.tool.ms));
        return 'It will rain.';
      },
    });
    super({ instructions: 'You know the weather.', tools: [lookUp] });
  }

  async onEnter() {
    this.session.say(script.greeting);
  }
}

const session = new voice.AgentSession({
  vad: call.vad,
  stt: call.stt,
  llm: call.llm,
  tts: call.tts,
  turnHandling: { turnDetection: 'vad', interruption: { mode: 'vad', minDuration: 200 } },
});
session.input.audio = call.microphone;
session.output.audio = call.speaker;
await session.start({ agent: new WeatherAgent() });
await call.play();
await session.close();
await provider.shutdown();
process.exit(0);
