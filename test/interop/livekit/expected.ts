// What each scripted conversation must come out as: kinds and outcomes of its waits, and the path of
// the first wait of each turn, by the events that end its parts.

import { SPEECH_END, SPOKEN, type Path } from './truth.ts';

export interface Expected {
  /** By turn, the path of its first wait; null: the turn owes nothing, or was not answered. */
  readonly paths: readonly (Path | null)[];
  /** Kinds and outcomes of all waits, in order. */
  readonly waits: readonly string[];
  readonly owners?: Readonly<Record<string, string>>;
}

const preemptive: Path = {
  from: SPEECH_END,
  parts: [['transcription', 'transcript_final'], ['preparation', 'model_requested'], ...SPOKEN],
};
const inOrder: Path = {
  from: SPEECH_END,
  parts: [['endpointing', 'turn_completed'], ['preparation', 'model_requested'], ...SPOKEN],
};
const greeting: Path = { from: ['text_sent', 0], parts: [['synthesis', 'first_audio', 0]] };

const S2S: Path = {
  from: ['turn_completed', -1],
  parts: [
    ['preparation', 'model_requested'],
    ['inference', 'first_audio'],
    ['delivery', 'first_frame_sent'],
  ],
};

const ANSWERED = 'response answered';

export const EXPECTED: Readonly<Record<string, Expected>> = {
  preemptive: {
    paths: [greeting, preemptive, preemptive],
    waits: ['greeting answered', ANSWERED, ANSWERED],
    owners: {
      transcription: 'STT service',
      inference: 'model service',
      aggregation: 'setting',
      synthesis: 'TTS service',
    },
  },
  'in-order': {
    paths: [inOrder, inOrder],
    waits: [ANSWERED, ANSWERED],
    owners: { endpointing: 'setting' },
  },
  'slow-stt': {
    paths: [
      {
        from: SPEECH_END,
        parts: [
          ['transcription', 'transcript_final'],
          ['endpointing', 'turn_completed'],
          ['preparation', 'model_requested'],
          ...SPOKEN,
        ],
      },
    ],
    waits: [ANSWERED],
    owners: { transcription: 'STT service' },
  },
  'long-window': {
    paths: [
      {
        from: SPEECH_END,
        parts: [
          ['endpointing', 'turn_completed'],
          ['delivery', 'first_frame_sent'],
        ],
      },
    ],
    waits: [ANSWERED],
    owners: { endpointing: 'setting' },
  },
  unsure: {
    paths: [
      {
        from: SPEECH_END,
        parts: [
          ['endpointing', 'turn_completed'],
          ['aggregation', 'text_sent'],
          ['synthesis', 'first_audio'],
          ['delivery', 'first_frame_sent'],
        ],
      },
    ],
    waits: [ANSWERED],
    owners: { endpointing: 'detector' },
  },
  handler: { paths: [preemptive], waits: [ANSWERED] },
  tool: {
    paths: [
      {
        from: SPEECH_END,
        parts: [
          ['transcription', 'transcript_final'],
          ['preparation', 'model_requested', 0],
          ['inference', 'first_token', 0],
          ['aggregation', 'text_sent', 0],
          ['synthesis', 'first_audio', 0],
          ['delivery', 'first_frame_sent', 0],
        ],
      },
    ],
    waits: ['response filler_only', 'resume answered'],
    owners: { tool: 'tool' },
  },
  'tool-filler': {
    paths: [
      {
        from: SPEECH_END,
        parts: [
          ['transcription', 'transcript_final'],
          ['preparation', 'model_requested', 0],
          ['inference', 'tool_started', 0],
          ['aggregation', 'text_sent', 0],
          ['synthesis', 'first_audio', 0],
          ['delivery', 'first_frame_sent', 0],
        ],
      },
    ],
    waits: ['response filler_only', 'resume answered'],
    owners: { tool: 'tool' },
  },
  interruption: {
    // Right behind an interruption Node's LiveKit asks in order, Python's mostly ahead.
    paths: [preemptive, { ...preemptive, inOrder }],
    waits: ['response interrupted_after', ANSWERED],
  },
  'hand-over': {
    paths: [
      {
        from: SPEECH_END,
        parts: [
          ['transcription', 'transcript_final'],
          ['preparation', 'model_requested', 0],
          ['inference', 'tool_started'],
          ['tool', 'tool_ended'],
          ['preparation', 'model_requested'],
          ...SPOKEN,
        ],
      },
      preemptive,
    ],
    waits: [ANSWERED, ANSWERED],
  },
  'hang-up': { paths: [preemptive, null], waits: [ANSWERED, 'response abandoned'] },
  resumes: { paths: [preemptive], waits: [ANSWERED] },
  retry: {
    paths: [
      {
        from: SPEECH_END,
        parts: [
          ['transcription', 'transcript_final'],
          ['preparation', 'model_requested', 0],
          ['failed_attempt', 'attempt_failed'],
          ['preparation', 'model_requested'],
          ...SPOKEN,
        ],
      },
    ],
    waits: [ANSWERED],
    owners: { failed_attempt: 'provider' },
  },
  // The model hears for itself: how long it had listened to silence nobody tells, so the wait is "at
  // least so long", from its decision on.
  realtime: {
    paths: [S2S, S2S],
    waits: [ANSWERED, ANSWERED],
    owners: { inference: 'model service' },
  },
};
