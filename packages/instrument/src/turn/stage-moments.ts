import { STAGE, type RECORDED_MOMENTS } from '@framescope/protocol';

type Recorded = (typeof RECORDED_MOMENTS)[number];
type When = 'started' | 'first' | 'ended';

/** What the beginning, the first output and the end of a standard stage mean in a wait. */
const MOMENT_OF: Readonly<Record<string, Partial<Record<When, Recorded>>>> = {
  [STAGE.endpointing]: { ended: 'turn_decided' },
  [STAGE.stt]: { ended: 'transcript_final' },
  [STAGE.llm]: { started: 'model_requested', first: 'first_speakable' },
  [STAGE.tool]: { started: 'tool_started', ended: 'tool_ended' },
  [STAGE.tts]: { started: 'speech_text_sent', first: 'first_audio' },
};

/** `undefined` for stages of the user's own. */
export const momentOfStage = (stage: string, when: When): Recorded | undefined =>
  Object.hasOwn(MOMENT_OF, stage) ? MOMENT_OF[stage]?.[when] : undefined;
