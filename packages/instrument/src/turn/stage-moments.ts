import type { RECORDED_MOMENTS, STAGE } from '@framescope/protocol';

type Recorded = (typeof RECORDED_MOMENTS)[number];
type When = 'started' | 'first' | 'ended';

/** What the beginning, the first output and the end of a standard stage mean in a wait. */
const MOMENT_OF: Readonly<Record<keyof typeof STAGE, Partial<Record<When, Recorded>>>> = {
  endpointing: { ended: 'turn_decided' },
  stt: { ended: 'transcript_final' },
  llm: { started: 'model_requested', first: 'first_speakable' },
  tool: { started: 'tool_started', ended: 'tool_ended' },
  tts: { started: 'speech_text_sent', first: 'first_audio' },
};

/** `undefined` for stages of the user's own. */
export const momentOfStage = (stage: string, when: When): Recorded | undefined =>
  isStandard(stage) ? MOMENT_OF[stage][when] : undefined;

const isStandard = (stage: string): stage is keyof typeof MOMENT_OF =>
  Object.hasOwn(MOMENT_OF, stage);
