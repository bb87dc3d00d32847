// Which moment waits for which in Pipecat.
//
//   speech_end_received ─┬─endpointing──▶ turn_decided ─┐  VAD stop, smart turn, timeouts; waits for
//                        └─transcription▶ transcript_final ┘  the transcript before it decides
//        ▼ latest
//   model_requested ─inference─▶ first_speakable ─aggregation─▶ speech_text_sent
//        ─synthesis─▶ first_audio ─delivery─▶ first_frame_sent
//
// Nothing is begun before the turn is decided: an LLM is asked by the frame that decides.
// Spans have no moment of the decision (through 1.14): what lies between the transcript and
// the request is endpointing and preparation together, and named so. The observer of
// examples/pipecat tells it.

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

const SPEAKABLE: readonly [string, EdgeRule][] = [
  ['first_speakable', rule('inference', always('model_requested'))],
];
const AGGREGATED: EdgeRule = rule('aggregation', always('first_speakable'));

export function pipecatProfile({ kind, known, audioFrom }: PipelineFacts): Profile {
  const isResponse = kind === 'response';
  const asked: EdgeInput[] = isResponse
    ? [ifBeforeOrUnseen('turn_decided'), ifBefore('transcript_final'), ifBefore('tool_ended')]
    : [ifBefore('tool_ended')];
  const hearing: [string, EdgeRule][] = isResponse
    ? [
        ['speech_end_received', rule('uplink', always('speech_end_captured'))],
        ['transcript_final', rule('transcription', always('speech_end_received'))],
        [
          'turn_decided',
          rule('endpointing', always('speech_end_received'), ifBefore('transcript_final')),
        ],
      ]
    : [];
  // Silence inside an answer with no model asked in it: none is missed.
  const hasModel = isResponse || known.has('model_requested') || known.has('first_speakable');
  const text = known.has('filler_text_sent') ? 'filler_text_sent' : 'speech_text_sent';
  // A realtime model answers speech with speech; there is no text in between to wait for.
  const isSpeechToSpeech = audioFrom === 'realtime' && !known.has('first_speakable');
  const speaking: [string, EdgeRule][] = isSpeechToSpeech
    ? [['first_audio', rule('inference', always('model_requested'))]]
    : [
        ['filler_text_sent', rule('preparation', always('tool_started'))],
        ...(hasModel ? SPEAKABLE : []),
        ['speech_text_sent', hasModel ? AGGREGATED : rule('preparation', ifBefore('tool_ended'))],
        ['first_audio', rule('synthesis', always(text))],
      ];
  return new Map([
    ...hearing,
    ['tool_started', rule('inference', always('model_requested'))],
    ['tool_ended', rule('tool', always('tool_started'))],
    ['model_requested', rule('preparation', ...asked)],
    ...speaking,
    ['floor_free', rule('floor')],
    ['first_frame_sent', rule('delivery', always('first_audio'), ifBefore('floor_free'))],
    ...TO_THE_EAR,
  ]);
}
