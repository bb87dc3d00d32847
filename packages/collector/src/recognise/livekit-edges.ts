// Which moment waits for which in LiveKit Agents.
//
//   speech_end_received ─┬─endpointing──▶ endpointing_ended ─┐ min_delay, or max_delay by the detector
//                        └─transcription▶ transcript_final ──┴ latest ─▶ turn_decided ─▶ turn_handled
//                              └─endpointing─▶ detector_answered ┘
//
//   model_requested   waits for the transcript; for the decision too where it came first, that is
//                     without preemptive generation, or when it was cancelled and asked again
//   first_speakable ─aggregation─▶ speech_text_sent   waits for the decision as well, unless
//                     preemptive_tts is on: that is said by the moment itself
//   first_audio ─delivery─▶ first_frame_sent           waits for the decision and for the floor
//
// The same edges hold in Python and Node, since 1.2: what differs is which moments are told.

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

/** Source of `first_audio` where a realtime model made it. */
export const REALTIME = 'realtime model';

export function liveKitProfile(facts: PipelineFacts): Profile {
  return new Map([
    ...hearing(facts),
    ['tool_started', rule('inference', always('model_requested'))],
    ['tool_ended', rule('tool', always('tool_started'))],
    ...thinking(facts),
    ['floor_free', rule('floor')],
    [
      'first_frame_sent',
      rule(
        'delivery',
        always('first_audio'),
        ifBefore('turn_decided'),
        ifBefore('turn_handled'),
        ifBefore('floor_free'),
      ),
    ],
    ...TO_THE_EAR,
  ]);
}

function hearing({ kind }: PipelineFacts): [string, EdgeRule][] {
  if (kind !== 'response') return [];
  return [
    ['speech_end_received', rule('uplink', always('speech_end_captured'))],
    ['transcript_final', rule('transcription', always('speech_end_received'))],
    ['endpointing_ended', rule('endpointing', always('speech_end_received'))],
    // The detector is asked with the transcript.
    [
      'detector_answered',
      rule('endpointing', always('speech_end_received'), ifBefore('transcript_final')),
    ],
    [
      'turn_decided',
      rule(
        'endpointing',
        always('speech_end_received'),
        ifBefore('endpointing_ended'),
        ifBefore('transcript_final'),
        ifBefore('detector_answered'),
      ),
    ],
    // The agent's own handler of a completed turn.
    ['turn_handled', rule('preparation', always('turn_decided'))],
  ];
}

function thinking({ kind, known, audioFrom }: PipelineFacts): [string, EdgeRule][] {
  const isRealtime = audioFrom === REALTIME;
  const asked: EdgeInput[] =
    kind === 'response'
      ? [
          ifBeforeOrUnseen('turn_decided'),
          ifBefore('turn_handled'),
          // A realtime model hears for itself.
          isRealtime ? ifBefore('transcript_final') : ifBeforeOrUnseen('transcript_final'),
          ifBefore('tool_ended'),
        ]
      : [ifBefore('tool_ended')];
  const requested = rule('preparation', ...asked);
  const hasModel = known.has('model_requested') || known.has('first_speakable');
  // `session.say`: no model was asked, so none is missed.
  if (!hasModel && !isRealtime)
    return [
      ['speech_text_sent', requested],
      ['first_audio', rule('synthesis', always('speech_text_sent'))],
    ];
  if (isRealtime && !known.has('first_speakable'))
    return [
      ['model_requested', requested],
      ['first_audio', rule('inference', always('model_requested'))],
    ];
  return [
    ['model_requested', requested],
    ['first_speakable', rule('inference', always('model_requested'))],
    [
      'speech_text_sent',
      rule(
        'aggregation',
        always('first_speakable'),
        ifBefore('turn_decided'),
        ifBefore('turn_handled'),
      ),
    ],
    ['first_audio', rule('synthesis', always('speech_text_sent'))],
  ];
}
