// A scripted conversation through unmodified LiveKit Agents (Node), with the local services of
// examples/livekit-agents: the same scripts, and the same lines of what really happened, as agent.py.
//
//   node agent.mjs SCRIPT.json FOLDER     FOLDER: where @livekit/agents is installed

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { localCall } from '../../../../examples/livekit-agents/agent/local-call.js';
import { nowUnixNs } from '../../../../examples/livekit-agents/agent/local-sound.js';
import { watchStalls } from '../stalls.mjs';

const [, , scriptPath = '', folder = ''] = process.argv;
const script = JSON.parse(readFileSync(scriptPath, 'utf8'));
const require = createRequire(join(folder, 'package.json'));
const load = name => import(pathToFileURL(require.resolve(name)).href);

const agents = await load('@livekit/agents');
const { AudioFrame } = await load('@livekit/rtc-node');
const { NodeTracerProvider, BatchSpanProcessor } = await load('@opentelemetry/sdk-trace-node');
const { OTLPTraceExporter } = await load('@opentelemetry/exporter-trace-otlp-proto');
const { resourceFromAttributes } = await load('@opentelemetry/resources');
const { initializeLogger, llm, telemetry, voice } = agents;

initializeLogger({ pretty: false, level: 'error' });
const call = localCall({ agents, AudioFrame, script });
const { log, talk } = call;

class ScriptedAgent extends voice.Agent {
  #name;

  constructor(name = 'first') {
    super({
      id: name,
      instructions: `You are the ${name} agent of a script.`,
      tools: toolsOf(),
    });
    this.#name = name;
  }

  async onEnter() {
    if (this.#name !== 'first') log('agent_entered', talk.at, { agent: this.#name });
    else if (script.greeting) this.session.say(script.greeting);
  }

  async onUserTurnCompleted() {
    log('turn_completed', talk.at);
    if (talk.turn.handlerMs) await sleep(talk.turn.handlerMs);
  }
}

function toolsOf() {
  const tool = (name, description, execute) => llm.tool({ name, description, execute });
  return [
    tool('look_up', 'Looks something up.', async () => {
      const { at, turn } = talk;
      log('tool_started', at);
      if (turn.tool.filler) session.say(turn.tool.filler);
      await sleep(turn.tool.ms);
      log('tool_ended', at);
      return 'It will rain.';
    }),
    tool('hand_over', 'Hands over to a colleague.', async () => {
      log('tool_started', talk.at);
      log('tool_ended', talk.at);
      return llm.handoff({
        agent: new ScriptedAgent('second'),
        returns: 'The colleague takes over.',
      });
    }),
  ];
}

const fanout = new telemetry.FanoutSpanProcessor();
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': script.service ?? 'voice-agent' }),
  spanProcessors: [
    fanout,
    new BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 500 }),
  ],
});
provider.register();
telemetry.setTracerProvider(provider, {
  ...(script.metadata && { metadata: script.metadata }),
  registerSpanProcessor: processor => fanout.add(processor),
});

const session = new voice.AgentSession({
  vad: call.vad,
  stt: call.stt,
  llm: call.llm,
  tts: call.tts,
  aecWarmupDuration: null,
  connOptions: { llmConnOptions: call.connect },
  turnHandling: {
    turnDetection: script.detectorMs === undefined ? 'vad' : call.turnDetector(script.detectorMs),
    endpointing: { minDelay: script.minDelayMs ?? 500, maxDelay: script.maxDelayMs ?? 3_000 },
    interruption: { mode: 'vad', minDuration: 200 },
    preemptiveGeneration: {
      enabled: script.preemptive ?? true,
      preemptiveTts: script.preemptiveTts ?? false,
    },
  },
});
const gaps = watchStalls(nowUnixNs);
session.input.audio = call.microphone;
session.output.audio = call.speaker;
await session.start({ agent: new ScriptedAgent() });
await call.play();
await session.close();
log('stalls', null, { gaps });
await provider.shutdown();
process.exit(0);
