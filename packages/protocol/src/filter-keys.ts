// What the filter language knows by name. Any other key is an attribute of the session.

/** `duration`: needs a unit; `count`: a plain number; `flag`: true or false. */
export type FilterKind = 'text' | 'duration' | 'count' | 'flag';

/** What a key is asked of: a turn is also its session, a trace also the session it belongs to. */
export type FilterScope = 'session' | 'turn' | 'trace';

export interface FilterKeyInfo {
  readonly kind: FilterKind;
  readonly scope: FilterScope;
  readonly help: string;
}

const key = (scope: FilterScope, kind: FilterKind, help: string): FilterKeyInfo => ({
  kind,
  scope,
  help,
});

const place = (what: string): FilterKeyInfo =>
  key('session', 'text', `${what} of any process of the session`);
const exposed = (what: string): FilterKeyInfo =>
  key('turn', 'duration', `${what}, as far as the wait shows it`);

/** A text is also what its session has, that of any of its turns; a number is its turn's alone. */
const made = (kind: FilterKind, help: string): FilterKeyInfo =>
  key(kind === 'text' ? 'session' : 'turn', kind, help);

/** What a turn was made with, as its telemetry tells it: filtered and grouped by turn where turns are asked. */
export const TURN_FEATURES: Readonly<Record<string, FilterKeyInfo>> = {
  'stt.model': made('text', 'model that heard the turn'),
  'stt.provider': made('text', 'whose model heard it'),
  'stt.language': made('text', 'language that was heard'),
  'stt.audio_seconds': made('duration', 'audio that was heard'),
  'llm.model': made('text', 'model that answered'),
  'llm.provider': made('text', 'whose model answered'),
  'llm.calls': made('count', 'generations of the turn'),
  'llm.input_tokens': made('count', 'tokens read'),
  'llm.cached_tokens': made('count', 'tokens read from a cache'),
  'llm.output_tokens': made('count', 'tokens written'),
  'llm.reasoning_tokens': made('count', 'tokens of thought'),
  'llm.audio_input_tokens': made('count', 'tokens of audio heard'),
  'llm.audio_output_tokens': made('count', 'tokens of audio spoken'),
  'tts.model': made('text', 'model that spoke'),
  'tts.provider': made('text', 'whose model spoke'),
  'tts.voice': made('text', 'voice that spoke'),
  'tts.characters': made('count', 'characters spoken'),
  'tool.name': made('text', 'a tool that was called'),
  'tool.calls': made('count', 'tools that were called'),
  bargein: made('text', 'speech over the agent: interrupted, resumed or echo'),
};

/** Keys with a meaning of their own; a turn's durations are those of any of its waits. */
export const FILTER_KEYS: Readonly<Record<string, FilterKeyInfo>> = {
  id: key('session', 'text', '`session.id` or its 13-character key'),
  status: key('session', 'text', 'live, idle, ended or broken_off'),
  service: place('`service.name`'),
  instance: place('`service.instance.id`'),
  host: place('`host.name`'),
  zone: place('`cloud.availability_zone`'),
  region: place('`cloud.region`'),
  pinned: key('session', 'flag', 'the call is kept'),
  synthetic: key('session', 'text', 'label of generated calls'),
  turns: key('session', 'count', 'turns of the session'),
  lost: key('session', 'count', 'frames lost'),
  late: key('session', 'count', 'frames late'),
  concealed: key('session', 'count', 'frames concealed'),
  bargeins: key('session', 'count', 'turns with a barge-in'),
  overbudget: key('session', 'count', 'turns over budget'),
  length: key('session', 'duration', 'from the first to the last data of the session'),
  v2v: key('turn', 'duration', 'voice to voice, best covered definition; of a session: its worst'),
  tta: key('turn', 'duration', 'time to answer: a filler does not count'),
  outcome: key('turn', 'text', 'answered, filler_only, interrupted_after, abandoned, failed, …'),
  interrupted: key('turn', 'flag', 'the user spoke over the agent, or before it answered'),
  answered: key('turn', 'flag', 'the wait came to its end'),
  worst: key('turn', 'text', 'name of the largest part of the wait'),
  resolved: key('turn', 'count', 'share of the wait with one owner, 0 to 1'),
  uplink: exposed('user to server'),
  endpointing: exposed('end of turn decided'),
  transcription: exposed('final transcript'),
  preparation: exposed('context, retrieval, connection'),
  inference: exposed('first speakable token'),
  tool: exposed('tool calls'),
  aggregation: exposed('sentence buffering'),
  synthesis: exposed('first audio byte'),
  leading_silence: exposed('silence before the voice'),
  delivery: exposed('first frame sent'),
  downlink: exposed('server to user'),
  jitter_buffer: exposed('jitter buffer'),
  playout: exposed('out of the buffer to audible'),
  unattributed: exposed('owned by nothing known'),
  ...TURN_FEATURES,
  name: key('trace', 'text', 'name of the root span'),
  trace: key('trace', 'text', 'trace ID'),
  duration: key('trace', 'duration', 'of the whole trace'),
  spans: key('trace', 'count', 'spans of the trace or session'),
  errors: key('trace', 'count', 'spans with an error'),
  error: key('trace', 'flag', 'any span has an error'),
};

/** What `key` is, attributes of the session included. */
export const filterKeyOf = (name: string): FilterKeyInfo =>
  (Object.hasOwn(FILTER_KEYS, name) ? FILTER_KEYS[name] : undefined) ??
  (name.startsWith('part.')
    ? exposed('a part of the wait')
    : key('session', 'text', 'session attribute'));
