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
