// One turn in true time: what the agent does and when, and what each wait is made of.
//
// The schedule is run forward (wait-truth.ts); `shortened` runs it again with one
// part at zero, which is what "saves" means.

import { NS_PER_MS } from '@framescope/protocol';
import { utteranceTruth, type Utterance, type UtteranceTruth } from './agent-truth.ts';
import { SAMPLE_RATE, TICKS_PER_MS } from './mic-truth.ts';
import { type AnswerSpec, type Scenario, type TurnSpec } from './scenario.ts';
import { type AgentAct, hopOf, passed } from './truth.ts';
import { clip, latest, startAt, type Step, type Stretch, spend } from './wait-truth.ts';

/** VAD needs so much silence before it speaks of an end; it then says where it was. */
const VAD_WINDOW_MS = 60;

const ms = (value: number): number => Math.round(value * NS_PER_MS);

/** The user's side of a turn, as the agent sees it. */
export interface Speech {
  readonly startTick: number;
  /** One past the last voiced sample. */
  readonly endTick: number;
  readonly capturedNs: number;
  /** First and last frame of the speech at the agent. */
  readonly heardNs: number;
  readonly receivedNs: number;
}

/** One answer: what was done for it, when it sounded, and the way that led there. */
export interface AnswerTruth {
  readonly acts: readonly AgentAct[];
  readonly utterance: Utterance;
  readonly truth: UtteranceTruth;
  readonly voicedTick: number;
  readonly audibleNs: number;
  readonly audible: Step;
  /** When the text for the voice was out: a tool may start then. */
  readonly textSentNs: number;
  /** The last frame has left and its audio is over. */
  readonly sentNs: number;
  /** Before it, a hang-up keeps the answer from sounding. */
  readonly firstFrameNs: number;
}

export interface Understanding {
  readonly acts: readonly AgentAct[];
  /** From here the model may be asked. */
  readonly ready: Step;
  /** From here the answer may sound. */
  readonly decided: Step;
}

/** Speech end → transcript and decision, in parallel or one after the other. */
export function understand(turn: TurnSpec, speech: Speech): Understanding {
  const received = spend(
    startAt(speech.capturedNs),
    'uplink',
    speech.receivedNs - speech.capturedNs,
  );
  const transcript = spend(received, 'transcription', ms(turn.transcriptionMs));
  const silence = spend(received, 'endpointing', ms(turn.endpointingMs));
  const decided =
    turn.detectorMs === undefined
      ? silence
      : spend(latest(silence, transcript), 'endpointing', ms(turn.detectorMs));
  const ready = turn.preemptive === true ? transcript : latest(decided, transcript);
  const vadMs = Math.min(VAD_WINDOW_MS, turn.endpointingMs, turn.transcriptionMs);
  const vadNs = speech.receivedNs + ms(vadMs);
  const tick = speech.endTick + Math.round((turn.vadOffMs ?? 0) * TICKS_PER_MS);
  const acts: AgentAct[] = [
    { atNs: speech.heardNs + 1_000, act: 'start' },
    { atNs: speech.heardNs + 2_000, act: 'begin', stage: 'stt', id: 'stt' },
    { atNs: vadNs, act: 'speechEnded', tick },
    { atNs: vadNs + 1_000, act: 'begin', stage: 'endpointing', id: 'endpointing' },
    { atNs: transcript.atNs, act: 'finish', stage: 'stt', id: 'stt' },
    { atNs: transcript.atNs, act: 'heard', text: turn.text ?? 'What time do you close today?' },
    { atNs: decided.atNs, act: 'finish', stage: 'endpointing', id: 'endpointing' },
    ...(turn.detectorMs === undefined
      ? []
      : [
          {
            atNs: decided.atNs,
            act: 'moment',
            name: 'turn_decided',
            after: ['transcript_final'],
          } as const,
        ]),
    ...discarded(turn, speech),
  ];
  return { acts, ready, decided };
}

function discarded(turn: TurnSpec, speech: Speech): AgentAct[] {
  if (turn.discardedAfterMs === undefined) return [];
  const startNs = speech.receivedNs + ms(turn.discardedAfterMs);
  const name = { stage: 'llm', id: 'llm discarded' } as const;
  return [
    { atNs: startNs, act: 'begin', ...name, generation: 'speculative' },
    { atNs: startNs + ms(90), act: 'finish', ...name, discarded: true },
  ];
}

/** What an answer needs to know of its turn. */
export interface AnswerPlace {
  readonly name: string;
  readonly fromTick: number;
  readonly ready: Step;
  /** Holds the first frame when the model was asked before the decision. */
  readonly gate?: Step;
  readonly generation?: string;
  readonly isFiller: boolean;
  /** The agent's own earlier speech is still on its way: the answer waits for its end. */
  readonly floor?: { readonly fromNs: number; readonly toNs: number };
  /** Words that are there already: no model is asked. */
  readonly isFixed?: boolean;
}

/** Asked → first voiced sample audible. */
export function answerTruth(
  scenario: Scenario,
  answer: AnswerSpec,
  place: AnswerPlace,
): AnswerTruth {
  const first = spend(place.ready, 'preparation', ms(answer.preparationMs));
  const failedMs = answer.failedAttemptMs;
  const asked = failedMs === undefined ? first : spend(first, 'failed_attempt', ms(failedMs));
  const speakable =
    place.isFixed === true ? asked : spend(asked, 'inference', ms(answer.inferenceMs));
  const textSent =
    place.isFixed === true ? asked : spend(speakable, 'aggregation', ms(answer.aggregationMs));
  const audio = spend(textSent, 'synthesis', ms(answer.synthesisMs));
  const gated = place.gate === undefined ? audio : latest(place.gate, audio);
  const free = afterFloor(gated, place.floor);
  const firstFrame = spend(free, 'delivery', ms(answer.deliveryMs));
  const utterance: Utterance = {
    fromTick: place.fromTick,
    audioMs: answer.audioMs,
    firstAudioNs: audio.atNs,
    firstFrameNs: firstFrame.atNs,
  };
  const voicedTick = place.fromTick + (answer.leadingSilenceMs * SAMPLE_RATE) / 1_000;
  const truth = utteranceTruth(scenario, utterance);
  const voicedAt = (key: string): number => passed(hopOf(truth, key), voicedTick);
  const voiced = spend(
    firstFrame,
    'leading_silence',
    voicedAt('agent.agent/send') - firstFrame.atNs,
  );
  const audible = downTo(voiced, voicedAt);
  const steps = { first, asked, speakable, textSent, audio, firstFrame, voiced };
  return {
    acts: answerActs(answer, place, voicedTick, steps),
    utterance,
    truth,
    voicedTick,
    audible,
    audibleNs: audible.atNs,
    textSentNs: textSent.atNs,
    sentNs: firstFrame.atNs + ms(answer.audioMs),
    firstFrameNs: firstFrame.atNs,
  };
}

/** Own speech that was not over when the answer was ready owns all the time until it was. */
function afterFloor(ready: Step, floor: AnswerPlace['floor']): Step {
  if (floor === undefined || floor.toNs <= ready.atNs) return ready;
  return { atNs: floor.toNs, path: [{ part: 'floor', ...floor }] };
}

function downTo(voiced: Step, voicedAt: (key: string) => number): Step {
  const down = spend(voiced, 'downlink', voicedAt('agent.client/receive') - voiced.atNs);
  const out = spend(down, 'jitter_buffer', voicedAt('agent.client/jitter_buffer') - down.atNs);
  return spend(out, 'playout', voicedAt('agent.client/playout') - out.atNs);
}

type AnswerSteps = Readonly<
  Record<'first' | 'asked' | 'speakable' | 'textSent' | 'audio' | 'firstFrame' | 'voiced', Step>
>;

function answerActs(
  answer: AnswerSpec,
  place: AnswerPlace,
  voicedTick: number,
  steps: AnswerSteps,
): AgentAct[] {
  const generation = place.generation === undefined ? {} : { generation: place.generation };
  const llm = { stage: 'llm', id: `llm ${place.name}`, ...generation } as const;
  const tts = { stage: 'tts', id: `tts ${place.name}`, ...generation } as const;
  const failed = { stage: 'llm', id: `llm failed ${place.name}` } as const;
  const model: AgentAct[] =
    place.isFixed === true
      ? []
      : [
          { atNs: steps.asked.atNs, act: 'begin', ...llm },
          { atNs: steps.speakable.atNs, act: 'first', ...llm },
          { atNs: steps.textSent.atNs + 1_000, act: 'finish', ...llm },
        ];
  return [
    ...(steps.asked === steps.first
      ? []
      : ([
          { atNs: steps.first.atNs, act: 'begin', ...failed },
          { atNs: steps.asked.atNs, act: 'finish', ...failed, error: 'status 529: overloaded' },
        ] as const)),
    ...model,
    ...(place.floor === undefined
      ? []
      : ([{ atNs: place.floor.toNs, act: 'moment', name: 'floor_free' }] as const)),
    { atNs: steps.textSent.atNs, act: 'begin', ...tts },
    { atNs: steps.audio.atNs, act: 'first', ...tts },
    {
      atNs: steps.firstFrame.atNs,
      act: 'moment',
      name: 'first_frame_sent',
      ...(place.gate === undefined ? {} : { after: ['turn_decided', 'first_audio'] }),
      ...generation,
    },
    { atNs: steps.firstFrame.atNs, act: 'said', text: answer.text ?? 'We close at six.' },
    { atNs: steps.voiced.atNs, act: 'firstVoiced', tick: voicedTick, filler: place.isFiller },
    { atNs: steps.firstFrame.atNs + ms(answer.audioMs / 3), act: 'finish', ...tts },
  ];
}

/** The stretches of a wait, from its opening to its close. */
export const partsOf = (audible: Step, openNs: number): readonly Stretch[] =>
  clip(audible.path, openNs, audible.atNs);

/** The speech of a turn that starts at `startMs`, from the mic's frames. */
export function speechOf(
  startMs: number,
  speechMs: number,
  frameAt: (tick: number) => { readonly capturedNs: number; readonly receivedNs: number },
): Speech {
  const startTick = startMs * TICKS_PER_MS;
  const endTick = startTick + speechMs * TICKS_PER_MS;
  const last = frameAt(endTick - 1);
  return {
    startTick,
    endTick,
    capturedNs: last.capturedNs,
    heardNs: frameAt(startTick).receivedNs,
    receivedNs: last.receivedNs,
  };
}
