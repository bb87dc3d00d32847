// Live state as JSON → StateMessage, every field proved: assembling takes it
// without looking again.

import {
  domainNs,
  durationNs,
  rejected,
  tick,
  type BargeInState,
  type Decoded,
  type MomentState,
  type SessionState,
  type StageState,
  type StateMessage,
  type StreamState,
  type TurnState,
  type WaitState,
  type WordsState,
} from '@framescope/protocol';
import {
  either,
  flag,
  listOf,
  mapOf,
  object,
  oneOf,
  pattern,
  readShape,
  text,
  whole,
  type Shape,
} from './shape.ts';

const NAME_LENGTH_MAX = 256;
const VALUE_LENGTH_MAX = 10_240;
const WORDS_LENGTH_MAX = 4_096;
const ATTRIBUTES_MAX = 256;
const STREAMS_MAX = 64;
const TURNS_MAX = 4_096;
const MOMENTS_MAX = 1_024;

const name = text(NAME_LENGTH_MAX);
const at = whole(domainNs);
const span = whole(durationNs);
const position = whole(tick, 0);
const spanId = pattern(/^[0-9a-f]{16}$/, '16 hex digits');
const traceId = pattern(/^[0-9a-f]{32}$/, '32 hex digits');
const plain = (value: number): number => value;
const finite: Shape<number> = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) ? value : whole(plain)(value, path);
const attributes = mapOf(either(text(VALUE_LENGTH_MAX), either(finite, flag)), ATTRIBUTES_MAX);

const moment: Shape<MomentState> = object<MomentState>(
  { name, at, source: name, errorNs: span, after: listOf(name, 64), generation: name },
  ['source', 'errorNs', 'after', 'generation'],
);

const words: Shape<WordsState> = object<WordsState>(
  { who: oneOf('user', 'agent', 'tool'), text: text(WORDS_LENGTH_MAX), at, cut: flag },
  ['cut'],
);

const stage: Shape<StageState> = object<StageState>(
  {
    name,
    spanId,
    startedAt: at,
    firstAt: at,
    endedAt: at,
    generation: name,
    discarded: flag,
    error: text(VALUE_LENGTH_MAX),
    attributes,
  },
  ['firstAt', 'endedAt', 'generation', 'discarded', 'error', 'attributes'],
);

type Opens = WaitState['opens'];
const opens: Shape<Opens> = either(
  object<Extract<Opens, { tick: unknown }>>({
    stream: name,
    tick: position,
    source: name,
    errorNs: span,
  }),
  object<Extract<Opens, { at: unknown }>>({ at, source: name, errorNs: span }),
);

const closes: Shape<NonNullable<WaitState['closes']>> = object<NonNullable<WaitState['closes']>>(
  { stream: name, tick: position, source: name, errorNs: span, filler: flag },
  ['filler'],
);

const wait: Shape<WaitState> = object<WaitState>(
  {
    kind: oneOf('response', 'greeting', 'resume'),
    opens,
    closes,
    moments: listOf(moment, MOMENTS_MAX),
    outcome: oneOf('interrupted_after', 'interrupted_before', 'abandoned', 'failed', 'none'),
  },
  ['closes', 'outcome'],
);

const bargeIn: Shape<BargeInState> = object<BargeInState>(
  { onsetTick: position, detectedAt: at, decidedAt: at, cancelledAt: at, generatedTick: position },
  ['detectedAt', 'decidedAt', 'cancelledAt', 'generatedTick'],
);

const turn: Shape<TurnState> = object<TurnState>(
  {
    tick: position,
    stream: name,
    traceId,
    spanId,
    rev: whole(plain, 0),
    startedAt: at,
    endedAt: at,
    outcome: oneOf('completed', 'interrupted', 'abandoned', 'failed'),
    waits: listOf(wait, MOMENTS_MAX),
    stages: listOf(stage, MOMENTS_MAX),
    words: listOf(words, MOMENTS_MAX),
    bargeIn,
  },
  ['endedAt', 'outcome', 'bargeIn'],
);

const stream: Shape<StreamState> = object<StreamState>({
  name,
  sampleRate: whole(plain, 1),
  direction: oneOf('up', 'down'),
});

const session: Shape<SessionState> = object<SessionState>(
  {
    attributes,
    authority: flag,
    startedAt: at,
    endedAt: at,
    flushNs: whole(durationNs, 1),
    streams: listOf(stream, STREAMS_MAX),
  },
  ['endedAt'],
);

const message: Shape<StateMessage> = object<StateMessage>(
  {
    v: oneOf(1),
    session,
    turns: listOf(turn, TURNS_MAX),
    dropped: mapOf(whole(plain, 0), ATTRIBUTES_MAX),
  },
  ['session', 'turns', 'dropped'],
);

/** The `framescope.state` attribute: JSON text. */
export const decodeState = (json: unknown, path: string): Decoded<StateMessage> =>
  fromJson(message, json, path);

/** The `framescope.turn.state` attribute: JSON text. */
export const decodeTurnState = (json: unknown, path: string): Decoded<TurnState> =>
  fromJson(turn, json, path);

function fromJson<T>(shape: Shape<T>, json: unknown, path: string): Decoded<T> {
  if (typeof json !== 'string') return rejected(path, `expected JSON in a string`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return rejected(path, 'not JSON');
  }
  return readShape(shape, value, path);
}
