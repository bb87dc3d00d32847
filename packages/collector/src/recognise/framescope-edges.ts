// Which moment waits for which, in telemetry of our own instrument.
//
//   speech_end_captured ─uplink─▶ speech_end_received ─┬─endpointing──▶ turn_decided ──┐
//                                                      └─transcription▶ transcript_final┤
//        ┌───────────────────────────── latest of those that came before ──────────────┘
//        ▼
//   model_requested ─inference─▶ first_speakable ─aggregation─▶ speech_text_sent
//        ─synthesis─▶ first_audio ─┐
//            turn_decided, floor ──┴ latest ─delivery─▶ first_frame_sent ─leading_silence─▶
//   first_voiced_sent ─downlink─▶ _received ─jitter_buffer─▶ _unbuffered ─playout─▶ _audible

import { needsTranscript } from '../assemble/ledger/parts.ts';
import {
  always,
  ifBefore,
  ifBeforeOrUnseen,
  rule,
  TO_THE_EAR,
  type EdgeInput,
  type EdgeRule,
  type PipelineFacts,
  type Profile,
} from './edges.ts';

/** A realtime model: request to first audio is inference, with no text between. */
const SPEECH_TO_SPEECH = /realtime|speech.?to.?speech|s2s|\bmodel\b/i;

export function framescopeProfile(facts: PipelineFacts): Profile {
  return new Map([...hearing(facts), ...thinking(facts), ...SPEAKING]);
}

function hearing({ kind, decidedBy }: PipelineFacts): [string, EdgeRule][] {
  if (kind !== 'response') return [];
  const decidedAfter = needsTranscript(decidedBy) ? [ifBefore('transcript_final')] : [];
  return [
    ['speech_end_received', rule('uplink', always('speech_end_captured'))],
    ['transcript_final', rule('transcription', always('speech_end_received'))],
    ['endpointing_ended', rule('endpointing', always('speech_end_received'))],
    [
      'turn_decided',
      rule(
        'endpointing',
        always('speech_end_received'),
        ifBefore('endpointing_ended'),
        ...decidedAfter,
      ),
    ],
  ];
}

function thinking({ kind, known, audioFrom }: PipelineFacts): [string, EdgeRule][] {
  const tools: [string, EdgeRule][] = [
    ['tool_started', rule('inference', always('model_requested'))],
    ['tool_ended', rule('tool', always('tool_started'))],
  ];
  const hasModel = known.has('model_requested') || known.has('first_speakable');
  const hasText = known.has('first_speakable') || known.has('speech_text_sent');
  const requested = rule('preparation', ...requestInputs(kind, hasText));
  // A greeting read from a file, a filler after a tool: no model was asked, so none is missed.
  if (kind !== 'response' && !hasModel)
    return [
      ...tools,
      ['speech_text_sent', requested],
      ['first_audio', rule('synthesis', always('speech_text_sent'))],
    ];
  const asked: [string, EdgeRule][] = [...tools, ['model_requested', requested]];
  if (!hasText && SPEECH_TO_SPEECH.test(audioFrom ?? ''))
    return [...asked, ['first_audio', rule('inference', always('model_requested'))]];
  return [
    ...asked,
    ['first_speakable', rule('inference', always('model_requested'))],
    ['speech_text_sent', rule('aggregation', always('first_speakable'))],
    ['first_audio', rule('synthesis', always('speech_text_sent'))],
  ];
}

function requestInputs(kind: PipelineFacts['kind'], hasText: boolean): EdgeInput[] {
  if (kind !== 'response') return [ifBefore('tool_ended')];
  return [
    ifBeforeOrUnseen('turn_decided'),
    // Text was spoken, so text was understood: a transcript that nobody saw is missing, not absent.
    hasText ? ifBeforeOrUnseen('transcript_final') : ifBefore('transcript_final'),
    ifBefore('tool_ended'),
  ];
}

const SPEAKING: readonly (readonly [string, EdgeRule])[] = [
  // Own earlier speech still playing or queued: nobody's fault before it, policy from then on.
  ['floor_free', rule('floor')],
  [
    'first_frame_sent',
    rule('delivery', always('first_audio'), ifBefore('turn_decided'), ifBefore('floor_free')),
  ],
  ...TO_THE_EAR,
];
