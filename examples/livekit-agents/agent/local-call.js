// A caller and the services of an agent, all on this machine: no key, no network, no room.
//
// The services are built on LiveKit's own base classes and take as long as the script says; the
// caller is a tone, spoken into LiveKit's own audio input in real time. What really happened is told
// to `log`, with Unix nanoseconds: it is what a ledger can be held against.
//
// A script is a list of turns with times in ms; examples of all it can say: test/interop/livekit/scripts.ts.

import { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { detectorOf, llmOf, sttOf, ttsOf, vadOf } from './local-services.js';
import {
  CONNECT,
  FRAME_MS,
  FRAME_SAMPLES,
  RATE,
  VOICE,
  isVoiced,
  nowUnixNs,
  toStdout,
} from './local-sound.js';

/** A promise that is settled from outside, again and again. */
class Signal {
  constructor() {
    this.clear();
  }

  clear() {
    this.isSet = false;
    this.promise = new Promise(resolve => (this.resolve = resolve));
  }

  set() {
    this.isSet = true;
    this.resolve();
  }

  async wait(ms) {
    const late = sleep(ms, 'late', { ref: true });
    if ((await Promise.race([this.promise, late])) === 'late')
      throw new Error(`the script waited ${ms} ms for nothing`);
  }
}

class Conversation {
  constructor(script) {
    this.script = script;
  }

  at = -1;
  voiced = false;
  agentSpoke = new Signal();
  agentDone = new Signal();

  get turn() {
    return this.script.turns[Math.max(this.at, 0)];
  }
}

/**
 * `agents`: the module `@livekit/agents`; `AudioFrame`: that of `@livekit/rtc-node`. `log` takes
 * `{ what, turn, unixNs, … }`.
 */
export function localCall({ agents, AudioFrame, script, log: write = toStdout }) {
  const talk = new Conversation(script);
  const log = (what, turn = null, more = {}) =>
    write({ what, turn, unixNs: String(nowUnixNs()), ...more });
  const frameOf = isVoiced =>
    new AudioFrame(
      isVoiced ? VOICE.slice() : new Int16Array(FRAME_SAMPLES),
      RATE,
      1,
      FRAME_SAMPLES,
    );
  const kit = { agents, script, talk, log, frameOf };
  return {
    talk,
    log,
    connect: CONNECT,
    microphone: microphoneOf(kit),
    speaker: speakerOf(kit),
    vad: vadOf(kit),
    stt: sttOf(kit),
    llm: llmOf(kit),
    tts: ttsOf(kit),
    turnDetector: ms => detectorOf(kit, ms),
    play: () => play(kit),
  };
}

/** The caller, as LiveKit hears it. */
function microphoneOf(kit) {
  const { agents, talk, log, frameOf } = kit;

  /** Frames of 10 ms in real time: a tone while the user speaks, zeros else. */
  class Microphone extends agents.voice.AudioInput {
    constructor() {
      super();
      let frames = 0;
      let wasVoiced = false;
      let voicedAt = 0n;
      const start = performance.now();
      this.multiStream.addInputStream(
        new ReadableStream(
          {
            async pull(controller) {
              frames++;
              const due = start + frames * FRAME_MS;
              await sleep(Math.max(0, due - performance.now()));
              const { voiced } = talk;
              if (wasVoiced && !voiced)
                log('speech_ended', talk.at, { atUnixNs: String(voicedAt) });
              else if (voiced && !wasVoiced) log('speech_started', talk.at);
              wasVoiced = voiced;
              if (voiced) voicedAt = nowUnixNs();
              controller.enqueue(frameOf(voiced));
            },
          },
          { highWaterMark: 0 },
        ),
      );
    }
  }

  return new Microphone();
}

/** The caller's ear. */
function speakerOf(kit) {
  const { agents, talk, log } = kit;

  /** Plays in real time, as a room's track does, and says when it began and ended. */
  class Speaker extends agents.voice.AudioOutput {
    #queuedMs = 0;
    #startedMs;
    #timer;
    #isVoiced = false;

    constructor() {
      super(RATE, undefined, { pause: true });
    }

    async captureFrame(frame) {
      await super.captureFrame(frame);
      if (this.#startedMs === undefined) {
        this.#startedMs = Date.now();
        log('first_frame_sent', talk.at);
        this.onPlaybackStarted(this.#startedMs);
        talk.agentSpoke.set();
      }
      if (!this.#isVoiced && isVoiced(frame)) {
        this.#isVoiced = true;
        log('first_voiced_sent', talk.at, { afterMs: Math.round(this.#queuedMs) });
      }
      this.#queuedMs += (frame.samplesPerChannel / frame.sampleRate) * 1_000;
    }

    flush() {
      super.flush();
      if (this.#startedMs === undefined || this.#timer !== undefined) return;
      const leftMs = this.#startedMs + this.#queuedMs - Date.now();
      this.#timer = setTimeout(() => this.#finish(false), Math.max(0, leftMs));
    }

    clearBuffer() {
      if (this.#startedMs !== undefined) this.#finish(true);
    }

    #finish(interrupted) {
      clearTimeout(this.#timer);
      const playedMs = Math.min(this.#queuedMs, Date.now() - this.#startedMs);
      this.#timer = undefined;
      this.#startedMs = undefined;
      this.#queuedMs = 0;
      this.#isVoiced = false;
      log('playback_ended', talk.at, { interrupted });
      // What was cut off is no answer.
      if (!interrupted) talk.agentDone.set();
      this.onPlaybackFinished({ playbackPosition: playedMs / 1_000, interrupted });
    }
  }

  return new Speaker();
}

async function speak(talk, ms) {
  talk.voiced = true;
  await sleep(ms);
  talk.voiced = false;
}

/** Says what the script says, when it says it. */
async function play({ script, talk, log }) {
  if (script.greeting) await talk.agentDone.wait(20_000);
  for (const [at, turn] of script.turns.entries()) {
    if (turn.bargeInMs === undefined) await sleep(turn.pauseMs ?? 500);
    else {
      await talk.agentSpoke.wait(20_000);
      await sleep(turn.bargeInMs);
    }
    talk.agentSpoke.clear();
    talk.agentDone.clear();
    talk.at = at;
    await speak(talk, turn.speechMs);
    for (const [pauseMs, againMs] of turn.resumes ?? []) {
      await sleep(pauseMs);
      await speak(talk, againMs);
    }
    if (turn.hangUpMs !== undefined) {
      await sleep(turn.hangUpMs);
      log('hung_up', at);
      return;
    }
    if (script.turns[at + 1]?.bargeInMs !== undefined) continue;
    for (let i = 0; i < (turn.utterances ?? 1); i++) {
      await talk.agentDone.wait(30_000);
      talk.agentDone.clear();
    }
  }
  await sleep(400);
}
