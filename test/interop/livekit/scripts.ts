// The conversations that LiveKit Agents are led through: what the user says and when, and how long
// each local service takes. Python (programs/livekit/agent.py) and Node (programs/livekit/agent.mjs)
// read the same scripts. All times in ms.

export interface ScriptTurn {
  /** How long the user speaks. */
  readonly speechMs: number;
  /** Silence before it; ignored with `bargeInMs`. */
  readonly pauseMs?: number;
  /** Begins so long after the agent's first frame, over its voice. */
  readonly bargeInMs?: number;
  /** Pauses inside the utterance, each with the length of speech after it. */
  readonly resumes?: readonly (readonly [pauseMs: number, speechMs: number])[];
  /** What speech-to-text understands. */
  readonly text: string;
  /** Last voiced frame → final transcript. */
  readonly sttMs: number;
  /** Request → first token. */
  readonly ttftMs: number;
  readonly wordMs?: number;
  readonly reply?: string;
  /** Text sent → first audio. */
  readonly ttfbMs?: number;
  readonly leadingSilenceMs?: number;
  readonly msACharacter?: number;
  /** The agent's own handler of a completed turn takes so long. */
  readonly handlerMs?: number;
  /** The first request fails after so long. */
  readonly failFirstMs?: number;
  readonly tool?: {
    readonly name: 'look_up' | 'hand_over';
    readonly ms: number;
    readonly filler?: string;
  };
  readonly afterTool?: {
    readonly ttftMs: number;
    readonly reply: string;
    readonly wordMs?: number;
  };
  /** The detector thinks that the user will go on: the longest delay is waited. */
  readonly isUnlikely?: boolean;
  /** The caller hangs up so long after the speech, whatever has come by then. */
  readonly hangUpMs?: number;
  /** Times that the agent speaks in answer. */
  readonly utterances?: number;
}

export interface Script {
  readonly name: string;
  readonly turns: readonly ScriptTurn[];
  readonly greeting?: string;
  readonly vadSilenceMs?: number;
  readonly minDelayMs?: number;
  readonly maxDelayMs?: number;
  readonly detectorMs?: number;
  readonly preemptive?: boolean;
  readonly preemptiveTts?: boolean;
  /** Speech to speech: one model for all of it. */
  readonly realtime?: { readonly decideMs: number };
  readonly metadata?: Readonly<Record<string, string>>;
  readonly job?: { readonly id: string; readonly record?: boolean };
}

const WEATHER: ScriptTurn = {
  speechMs: 1_200,
  text: 'What is the weather like tomorrow?',
  sttMs: 380,
  ttftMs: 440,
  wordMs: 20,
  reply: 'It will rain in the morning all day. Take an umbrella.',
  ttfbMs: 190,
  leadingSilenceMs: 110,
};

const SUNDAY: ScriptTurn = {
  speechMs: 1_000,
  text: 'And on Sunday?',
  sttMs: 250,
  ttftMs: 700,
  wordMs: 20,
  reply: 'Sun again, all day.',
  ttfbMs: 150,
};

export const SCRIPTS: readonly Script[] = [
  // The worked example of the ledger: the model is asked before the end of the turn is decided.
  {
    name: 'preemptive',
    greeting: 'Hello, how can I help?',
    detectorMs: 45,
    turns: [WEATHER, SUNDAY],
  },
  { name: 'in-order', preemptive: false, detectorMs: 45, turns: [WEATHER, SUNDAY] },
  // The transcript comes after the silence window: the window is not to blame.
  { name: 'slow-stt', preemptive: false, turns: [{ ...WEATHER, sttMs: 900 }] },
  // The window is: everything else was ready before it.
  {
    name: 'long-window',
    minDelayMs: 1_500,
    preemptiveTts: true,
    turns: [{ ...WEATHER, sttMs: 150, ttftMs: 200 }],
  },
  { name: 'unsure', detectorMs: 60, maxDelayMs: 1_400, turns: [{ ...SUNDAY, isUnlikely: true }] },
  { name: 'handler', turns: [{ ...SUNDAY, handlerMs: 260 }] },
  {
    name: 'tool',
    turns: [
      {
        ...WEATHER,
        reply: 'Let me look that up.',
        tool: { name: 'look_up', ms: 1_400 },
        afterTool: { ttftMs: 350, reply: 'It will rain.' },
        utterances: 2,
      },
    ],
  },
  {
    name: 'tool-filler',
    turns: [
      {
        ...WEATHER,
        reply: '',
        tool: { name: 'look_up', ms: 1_600, filler: 'One moment.' },
        afterTool: { ttftMs: 350, reply: 'It will rain.' },
        utterances: 2,
      },
    ],
  },
  {
    name: 'interruption',
    turns: [
      {
        ...WEATHER,
        reply:
          'It will rain in the morning, and in the afternoon, and also in the evening, all day.',
        msACharacter: 60,
      },
      { ...SUNDAY, bargeInMs: 900 },
    ],
  },
  {
    name: 'hand-over',
    turns: [
      {
        ...WEATHER,
        reply: '',
        tool: { name: 'hand_over', ms: 0 },
        afterTool: { ttftMs: 350, reply: 'Hello from your colleague.' },
      },
      SUNDAY,
    ],
  },
  { name: 'hang-up', turns: [SUNDAY, { ...WEATHER, ttftMs: 3_000, hangUpMs: 1_300 }] },
  { name: 'resumes', minDelayMs: 700, turns: [{ ...WEATHER, resumes: [[500, 700]] }] },
  { name: 'retry', turns: [{ ...WEATHER, failFirstMs: 300 }] },
  { name: 'realtime', realtime: { decideMs: 400 }, turns: [WEATHER, SUNDAY] },
];
