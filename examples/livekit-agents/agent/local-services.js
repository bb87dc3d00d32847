// Services on LiveKit's own base classes that need no key: each takes as long as the script says, and
// tells what it did.

import { setTimeout as sleep } from 'node:timers/promises';
import { CONNECT, FRAME_MS, RATE, isVoiced, newId } from './local-sound.js';

/** Voice detection by energy: a frame is voiced or it is not. */
export function vadOf(kit) {
  const { agents, script, talk, log } = kit;

  class LocalVAD extends agents.VAD {
    label = 'local.VAD';

    constructor() {
      super({ updateInterval: FRAME_MS });
    }

    stream() {
      return new LocalVADStream(this);
    }
  }

  class LocalVADStream extends agents.VADStream {
    label = 'local.VADStream';

    constructor(owner) {
      super(owner);
      void this.#run();
    }

    async #run() {
      const silenceLimitMs = script.vadSilenceMs ?? 200;
      let [speaking, speechMs, silenceMs, index] = [false, 0, 0, 0];
      for (;;) {
        const { done, value: frame } = await this.inputReader.read();
        if (done) return;
        if (typeof frame === 'symbol') continue;
        index += frame.samplesPerChannel;
        const voiced = isVoiced(frame);
        if (voiced || (speaking && silenceMs > 0)) speechMs += FRAME_MS;
        silenceMs = voiced ? 0 : silenceMs + FRAME_MS;
        if (!voiced && !speaking) speechMs = 0;
        const send = (type, isSpeaking) =>
          this.sendVADEvent({
            type,
            samplesIndex: index,
            timestamp: Date.now(),
            speechDuration: speechMs,
            silenceDuration: silenceMs,
            frames: [frame],
            probability: voiced ? 1 : 0,
            inferenceDuration: 0,
            speaking: isSpeaking,
            rawAccumulatedSilence: silenceMs,
            rawAccumulatedSpeech: silenceMs === 0 ? speechMs : 0,
          });
        send(agents.VADEventType.INFERENCE_DONE, speaking);
        if (voiced && !speaking && speechMs >= 50) {
          speaking = true;
          send(agents.VADEventType.START_OF_SPEECH, true);
        } else if (speaking && silenceMs >= silenceLimitMs) {
          speaking = false;
          log('vad_ended', talk.at);
          send(agents.VADEventType.END_OF_SPEECH, false);
          speechMs = 0;
        }
      }
    }
  }

  return new LocalVAD();
}

/** Speech to text: the script's words, as late as it says. */
export function sttOf(kit) {
  const { agents, script, talk, log } = kit;

  class LocalSTT extends agents.stt.STT {
    label = 'local.STT';

    constructor() {
      super({ streaming: true, interimResults: true });
    }

    get model() {
      return 'local-stt';
    }

    get provider() {
      return 'local';
    }

    async _recognize() {
      throw new Error('a stream is all there is');
    }

    stream() {
      return new LocalSTTStream(this);
    }
  }

  class LocalSTTStream extends agents.stt.SpeechStream {
    label = 'local.SpeechStream';

    async run() {
      let wasVoiced = false;
      for await (const frame of this.input) {
        if (typeof frame === 'symbol') continue;
        const voiced = isVoiced(frame);
        if (wasVoiced && !voiced) void this.#finish(talk.at, performance.now());
        wasVoiced = voiced;
      }
    }

    async #finish(at, endedMs) {
      const turn = script.turns[at];
      await sleep(Math.max(0, endedMs + turn.sttMs - performance.now()));
      if (this.queue.closed) return;
      log('transcript_final', at);
      this.queue.put({
        type: agents.stt.SpeechEventType.FINAL_TRANSCRIPT,
        alternatives: [
          { language: 'en', text: turn.text, startTime: 0, endTime: 0, confidence: 0.9 },
        ],
      });
    }
  }

  return new LocalSTT();
}

/** The model: the script's words and tool calls. */
export function llmOf(kit) {
  const { agents, talk, log } = kit;

  class LocalLLM extends agents.llm.LLM {
    label() {
      return 'local.LLM';
    }

    get model() {
      return 'local-llm';
    }

    get provider() {
      return 'local';
    }

    chat({ chatCtx, toolCtx, connOptions }) {
      return new LocalLLMStream(this, { chatCtx, toolCtx, connOptions: connOptions ?? CONNECT });
    }
  }

  class LocalLLMStream extends agents.llm.LLMStream {
    async run() {
      const { at, turn } = talk;
      const signal = this.abortController.signal;
      const items = this.chatCtx.items;
      const afterTool = items.at(-1)?.type === 'function_call_output';
      const step = afterTool ? turn.afterTool : turn;
      log('model_requested', at, { afterTool });
      if (turn.failFirstMs !== undefined && turn.hasFailed !== true) {
        turn.hasFailed = true;
        await sleep(turn.failFirstMs);
        log('attempt_failed', at);
        throw new agents.APIConnectionError({ message: 'the script lets this attempt fail' });
      }
      await sleep(step.ttftMs);
      if (signal.aborted) return;
      log('first_token', at, { afterTool });
      const id = newId('req');
      const words = step.reply ? step.reply.split(' ') : [];
      for (const word of words) {
        if (signal.aborted) return;
        this.queue.put({ id, delta: { role: 'assistant', content: `${word} ` } });
        await sleep(step.wordMs ?? 20);
      }
      if (signal.aborted) return;
      if (turn.tool && !afterTool) {
        const call = agents.llm.FunctionCall.create({
          callId: newId('call'),
          name: turn.tool.name,
          args: '{}',
        });
        this.queue.put({ id, delta: { role: 'assistant', toolCalls: [call] } });
      }
      this.queue.put({
        id,
        usage: {
          completionTokens: Math.max(1, words.length),
          promptTokens: 40,
          promptCachedTokens: 0,
          totalTokens: 40 + words.length,
        },
      });
    }
  }

  return new LocalLLM();
}

/** The voice: a tone, as long as its text. */
export function ttsOf(kit) {
  const { agents, talk, log, frameOf } = kit;

  class LocalTTS extends agents.tts.TTS {
    label = 'local.TTS';

    constructor() {
      super(RATE, 1, { streaming: true });
    }

    get model() {
      return 'local-voice';
    }

    get provider() {
      return 'local';
    }

    synthesize() {
      throw new Error('a stream is all there is');
    }

    stream() {
      return new LocalTTSStream(this);
    }
  }

  /** Collects to the end of a sentence, then is asked, as services with sentences are. */
  class LocalTTSStream extends agents.tts.SynthesizeStream {
    label = 'local.SynthesizeStream';

    async run() {
      const [requestId, segmentId] = [newId('tts'), newId('segment')];
      const state = { isFirst: true, last: undefined };
      let text = '';
      for await (const token of this.input) {
        if (this.abortController.signal.aborted) return;
        if (typeof token === 'string') {
          text += token;
          if (!/[.!?]\s*$/.test(text)) continue;
        }
        if (text.trim() !== '') await this.#speak(text.trim(), requestId, segmentId, state);
        text = '';
      }
      if (text.trim() !== '') await this.#speak(text.trim(), requestId, segmentId, state);
      if (state.last !== undefined)
        this.queue.put({ requestId, segmentId, frame: state.last, final: true });
      this.queue.put(agents.tts.SynthesizeStream.END_OF_STREAM);
    }

    async #speak(text, requestId, segmentId, state) {
      const { at, turn } = talk;
      const { isFirst } = state;
      state.isFirst = false;
      this.markStarted();
      if (isFirst) log('text_sent', at, { text });
      await sleep(turn.ttfbMs ?? 150);
      if (this.abortController.signal.aborted) return;
      if (isFirst) log('first_audio', at);
      const silent = isFirst ? Math.floor((turn.leadingSilenceMs ?? 0) / FRAME_MS) : 0;
      const voiced = Math.max(4, Math.floor((text.length * (turn.msACharacter ?? 20)) / FRAME_MS));
      for (let i = 0; i < silent + voiced; i++) {
        if (state.last !== undefined)
          this.queue.put({ requestId, segmentId, frame: state.last, final: false });
        state.last = frameOf(i >= silent);
      }
      // The first frame is not held back for the sake of the last.
      if (isFirst && state.last !== undefined) {
        this.queue.put({ requestId, segmentId, frame: state.last, final: false });
        state.last = undefined;
      }
    }
  }

  return new LocalTTS();
}

/** Sure of itself, after so many ms. */
export const detectorOf = ({ talk, log }, ms) => ({
  model: 'local-eou',
  provider: 'local',
  unlikelyThreshold: async () => 0.1,
  supportsLanguage: async () => true,
  predictEndOfTurn: async () => {
    await sleep(ms);
    log('detector_answered', talk.at);
    return talk.turn.isUnlikely ? 0.02 : 0.93;
  },
});
