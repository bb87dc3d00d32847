// What each measure is called and between which two moments it is taken.
// Shown on hover: a number whose definition is not known is worth nothing.

const PLACES: Readonly<Record<string, string>> = {
  client: 'last voiced user sample captured → first voiced agent sample audible, at the client',
  carrier: 'last voiced user sample on the carrier’s media clock → echo of its playout mark',
  server: 'last voiced user sample received → first voiced agent sample sent, at the agent',
  framework: 'as the framework itself reports it',
  setup: 'call asked for → first voiced agent sample audible, or sent where no client tells',
  recording: 'end of user energy → start of agent energy in a two-channel recording',
};

const PARTS: Readonly<Record<string, string>> = {
  signalling: 'call asked for → both ends know each other',
  ice: 'signalled → a way for the media was found',
  dtls: 'a way was found → its keys are agreed',
  dispatch: 'an agent was asked for → its process has the call',
  cold_start: 'the process has the call → it is ready to work on it',
  uplink: 'last voiced user sample captured → received by the server',
  endpointing: 'speech end → end of turn decided, as far as the silence window or detector held it',
  transcription: 'as far as the final transcript held the turn',
  preparation: 'decision → request to the model sent',
  inference: 'request sent → first speakable token',
  tool: 'tool calls between generations',
  failed_attempt: 'a try that failed, timed out or fell back',
  aggregation: 'first speakable token → text sent to TTS',
  synthesis: 'text sent to TTS → first audio byte',
  leading_silence: 'first audio → first voiced sample',
  floor: 'own earlier speech still playing or queued',
  delivery: 'first audio ready → first frame sent',
  downlink: 'first voiced sample sent → received by the client',
  jitter_buffer: 'received by the client → out of the jitter buffer',
  playout: 'out of the jitter buffer → audible',
  unattributed: 'inside the wait, owned by nothing known',
};

/** What is told of the flow of a stream beside the age of its frames. */
const FLOWS: Readonly<Record<string, MeasureWords>> = {
  slack: {
    title: 'Slack at',
    definition:
      'frame came → its turn to sound; more is better: percentiles count from above (p99: 99 % of frames had at least this), below 0 is an underrun',
  },
  underrun: {
    title: 'Underrun at',
    definition: 'turn of the frame to sound → it came, of frames that came too late for it',
  },
  lead: {
    title: 'Lead at',
    definition:
      'how far ahead of a listener who began with the first frame it left; more is better: percentiles count from above',
  },
  gap: { title: 'Gap between chunks at', definition: 'the chunk before came → this one came' },
  rtf: {
    title: 'Real-time factor at',
    definition: 'time since the chunk before, for each second of audio; under 1 s it keeps up',
  },
  oldest: {
    title: 'Age of the oldest sample at',
    definition:
      'media time of the frame’s first sample → it left this hop, where frames were put together',
  },
};

/** Where two streams are listened to and nobody tells turns. */
const FLOOR: Readonly<Record<string, MeasureWords>> = {
  gap: {
    title: 'Floor transfer, gap',
    definition: 'last voiced user sample → first of the agent, at one place, by energy of both',
  },
  overlap: {
    title: 'Floor transfer, overlap',
    definition:
      'first voiced agent sample → last of the user, where the agent began before the user was done',
  },
};

/** Families of measures whose values are one a frame, kept by the minute. */
const FRAME_FAMILIES: ReadonlySet<string> = new Set(['frame', ...Object.keys(FLOWS)]);

const familyOf = (measure: string): string => measure.split('.', 1)[0] ?? measure;

export const isOfFrames = (measure: string): boolean => FRAME_FAMILIES.has(familyOf(measure));

/** The hop that a measure of frames is taken at: its key without the instance. */
export const hopOfMeasure = (measure: string): string => measure.slice(measure.indexOf('.') + 1);

/** More of it is better: its bad end is the low one. */
export const isLowWorse = (measure: string): boolean =>
  familyOf(measure) === 'slack' || familyOf(measure) === 'lead';

export interface MeasureWords {
  readonly title: string;
  readonly definition: string;
}

/** Title and definition of a measure; unknown ones are shown under their own name. */
export function wordsOf(measure: string): MeasureWords {
  const dot = measure.indexOf('.');
  const family = dot === -1 ? measure : measure.slice(0, dot);
  const rest = dot === -1 ? '' : measure.slice(dot + 1);
  if (family === 'voice_to_voice' && PLACES[rest] !== undefined)
    return { title: `Voice to voice (${rest})`, definition: PLACES[rest] };
  if (family === 'time_to_answer' && PLACES[rest] !== undefined)
    return {
      title: `Time to answer (${rest})`,
      definition: `${PLACES[rest]}; a filler does not count as the answer`,
    };
  if (family === 'greeting' && PLACES[rest] !== undefined)
    return {
      title: rest === 'setup' ? 'Greeting, set-up included' : `Greeting (${rest})`,
      definition: rest === 'setup' ? PLACES[rest] : 'greeting owed → its first voiced sample',
    };
  if (family === 'floor_transfer' && FLOOR[rest] !== undefined) return FLOOR[rest];
  if (family === 'part') return partWords(rest);
  if (family === 'frame')
    return {
      title: `Frame age at ${rest}`,
      definition: `media time of the frame’s end → it left ${rest}; toward the user: since the agent first sent it`,
    };
  const flow = FLOWS[family];
  if (flow !== undefined) return { title: `${flow.title} ${rest}`, definition: flow.definition };
  if (family === 'metric')
    return {
      title: rest,
      definition: 'a histogram of time that another program sent (OTLP metrics)',
    };
  return { title: measure, definition: 'as its source defines it' };
}

function partWords(name: string): MeasureWords {
  const definition = name
    .split('+')
    .map(part => PARTS[part] ?? part)
    .join('; then ');
  return { title: `Part: ${name.replaceAll('_', ' ')}`, definition };
}

/** The limit that applies: the measure’s own, else that of its family. */
export function budgetOf(
  budgets: Readonly<Record<string, number>>,
  measure: string,
): number | null {
  const family = measure.split('.', 1)[0] ?? measure;
  return budgets[measure] ?? budgets[family] ?? null;
}
