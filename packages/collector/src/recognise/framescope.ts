// Telemetry of our own instrument: the live state of sessions and turns, read
// from JSON that any process on the network may have written.
//
// Everything is checked here once: types, lengths, whole numbers, IDs. What
// passes is a `StateMessage` with no doubts left; what does not is refused with
// the path of the problem, e.g. `state.turns[0].waits[2].closes.tick`.

import {
  changed,
  decoded,
  domainNs,
  durationNs,
  rejected,
  SETUP_MOMENTS,
  STATE_VERSION,
  tick,
  type BargeInState,
  type Decoded,
  type JsonObject,
  type LineageState,
  type MediaFigures,
  type MediaIntervalState,
  type MomentState,
  type SessionState,
  type SetupState,
  type StageState,
  type StateMessage,
  type StreamState,
  type TurnChange,
  type TurnState,
  type WaitState,
  type WordsState,
} from '@framescope/protocol';
import * as json from './json-shape.ts';
import { may, Mismatch, need, type Reader } from './json-shape.ts';

/** Longest state text that is parsed: some thousand moments; beyond it somebody is not us. */
export const STATE_LENGTH_MAX = 1_000_000;

const NAME_MAX = 256;
const TEXT_MAX = 4_000;
/** Limits of lists: twice what the instrument sends at most. */
const LIST_MAX = {
  turns: 1_000,
  waits: 64,
  moments: 256,
  stages: 500,
  words: 500,
  streams: 64,
  media: 512,
  lineage: 512,
  setup: 512,
};
const FIGURES: ReadonlySet<string> = new Set<keyof MediaFigures>([
  'jitterBufferNs',
  'jitterBufferTargetNs',
  'playoutNs',
  'rttNs',
  'jitterNs',
  'totalSamples',
  'concealedSamples',
  'concealmentEvents',
  'insertedSamples',
  'removedSamples',
  'synthesizedNs',
  'packets',
  'packetsLost',
  'packetsDiscarded',
  'underrunCount',
  'missingSamples',
  'fillSamplesMin',
]);
const SAMPLE_RATE_MAX = 768_000;
/** A clock counts from its own zero; differences of two readings have to stay exact in a double. */
const INSTANT_MIN: number = -(2 ** 51);

const name = json.text(NAME_MAX);
const instant: Reader<ReturnType<typeof domainNs>> = (value, path) =>
  domainNs(json.whole(INSTANT_MIN)(value, path));
const length: Reader<ReturnType<typeof durationNs>> = (value, path) =>
  durationNs(json.whole(0)(value, path));
const media: Reader<ReturnType<typeof tick>> = (value, path) => tick(json.whole()(value, path));
const attributes = json.attributes(128, TEXT_MAX);

/** Reads `framescope.state`. Never throws; `path` is where the text stood. */
export function decodeStateMessage(source: string, path: string): Decoded<StateMessage> {
  return decodeJson(source, path, stateMessage);
}

/** Reads `framescope.turn.state` of a `turn` span. */
export function decodeTurnState(source: string, path: string): Decoded<TurnState> {
  return decodeJson(source, path, turnState);
}

function decodeJson<T>(source: string, path: string, read: Reader<T>): Decoded<T> {
  if (source.length > STATE_LENGTH_MAX)
    return rejected(path, `${source.length} characters, at most ${STATE_LENGTH_MAX} are taken`);
  try {
    return decoded(read(JSON.parse(source), path));
  } catch (error) {
    if (error instanceof Mismatch) return rejected(error.path, error.message);
    // JSON.parse names neither our path nor anything worth more than this.
    if (error instanceof SyntaxError) return rejected(path, 'is not JSON');
    throw error;
  }
}

const stateMessage: Reader<StateMessage> = (value, path) => {
  const from = json.fields(value, path);
  const version = need(from, 'v', path, json.whole());
  if (version !== 1 && version !== 2)
    throw new Mismatch(`${path}.v`, `state version ${version}, known is ${STATE_VERSION}`);
  return {
    v: version,
    ...may(from, 'session', path, sessionState),
    ...may(from, 'turns', path, json.list(turnState, LIST_MAX.turns)),
    ...may(from, 'changes', path, json.list(turnChange, LIST_MAX.turns)),
    ...may(from, 'media', path, json.list(mediaInterval, LIST_MAX.media)),
    ...may(from, 'lineage', path, json.list(lineage, LIST_MAX.lineage)),
    ...may(from, 'setup', path, setup),
    ...may(from, 'dropped', path, counts),
  };
};

/** What is set is checked once it is made to a turn: `turnAfter`. */
const turnChange: Reader<TurnChange> = (value, path) => {
  const from = json.fields(value, path);
  return {
    tick: need(from, 'tick', path, media),
    stream: need(from, 'stream', path, name),
    base: need(from, 'base', path, json.whole(0)),
    rev: need(from, 'rev', path, json.whole(0)),
    set: need(from, 'set', path, json.fields) as JsonObject,
  };
};

/** A turn with a change made to it, checked as one that came whole. */
export function turnAfter(before: TurnState, change: TurnChange): Decoded<TurnState> {
  const { set, rev, stream, tick: start } = change;
  try {
    const state = turnState(changed(before, set), 'turn');
    return decoded({ ...state, rev, stream, tick: start });
  } catch (error) {
    if (error instanceof Mismatch) return rejected(error.path, error.message);
    throw error;
  }
}

const mediaInterval: Reader<MediaIntervalState> = (value, path) => {
  const from = json.fields(value, path);
  return {
    stream: need(from, 'stream', path, name),
    role: need(from, 'role', path, name),
    fromAt: need(from, 'fromAt', path, instant),
    toAt: need(from, 'toAt', path, instant),
    figures: need(from, 'figures', path, mediaFigures),
  };
};

const lineage: Reader<LineageState> = (value, path) => {
  const from = json.fields(value, path);
  const stream = need(from, 'stream', path, name);
  const at = need(from, 'at', path, instant);
  if (from['kind'] === 'segment')
    return {
      kind: 'segment',
      stream,
      at,
      role: need(from, 'role', path, name),
      hop: need(from, 'hop', path, name),
      nth: need(from, 'nth', path, json.whole(0)),
      sample: need(from, 'sample', path, json.whole(0)),
      tick: need(from, 'tick', path, media),
      samples: need(from, 'samples', path, json.whole(1)),
      ticks: need(from, 'ticks', path, json.whole(1)),
    };
  return {
    kind: need(from, 'kind', path, json.oneOf('derived')),
    stream,
    at,
    who: need(from, 'who', path, json.oneOf('user', 'agent')),
    fromTick: need(from, 'fromTick', path, media),
    toTick: need(from, 'toTick', path, media),
    text: need(from, 'text', path, json.text(TEXT_MAX)),
    ...may(from, 'fromChar', path, json.whole(0)),
    quality: need(from, 'quality', path, json.oneOf('exact', 'reported', 'inferred')),
  };
};

/** Names that are not known are of a newer sender, and left out. */
const mediaFigures: Reader<MediaFigures> = (value, path) => {
  const known = Object.entries(json.fields(value, path)).filter(([key]) => FIGURES.has(key));
  const read = json.whole(0);
  return Object.fromEntries(known.map(([key, n]) => [key, read(n, `${path}.${key}`)]));
};

const SETUP: ReadonlySet<string> = new Set(SETUP_MOMENTS);

/** Names that are not known are of a newer sender, and left out. */
const setup: Reader<SetupState[]> = (value, path) =>
  json
    .list(setupState, LIST_MAX.setup)(value, path)
    .filter(one => SETUP.has(one.name));

const setupState: Reader<SetupState> = (value, path) => {
  const from = json.fields(value, path);
  return {
    name: need(from, 'name', path, name) as SetupState['name'],
    at: need(from, 'at', path, instant),
    ...may(from, 'source', path, name),
  };
};

const counts: Reader<Record<string, number>> = (value, path) => {
  const entries = Object.entries(json.fields(value, path)).slice(0, 64);
  return Object.fromEntries(entries.map(([key, n]) => [key, json.whole(0)(n, `${path}.${key}`)]));
};

const sessionState: Reader<SessionState> = (value, path) => {
  const from = json.fields(value, path);
  return {
    attributes: need(from, 'attributes', path, attributes),
    authority: need(from, 'authority', path, json.bool),
    startedAt: need(from, 'startedAt', path, instant),
    ...may(from, 'endedAt', path, instant),
    flushNs: need(from, 'flushNs', path, length),
    streams: need(from, 'streams', path, json.list(streamState, LIST_MAX.streams)),
  };
};

const streamState: Reader<StreamState> = (value, path) => {
  const from = json.fields(value, path);
  return {
    name: need(from, 'name', path, name),
    sampleRate: need(from, 'sampleRate', path, json.whole(1, SAMPLE_RATE_MAX)),
    direction: need(from, 'direction', path, json.oneOf('up', 'down')),
  };
};

const turnState: Reader<TurnState> = (value, path) => {
  const from = json.fields(value, path);
  return {
    tick: need(from, 'tick', path, media),
    stream: need(from, 'stream', path, name),
    traceId: need(from, 'traceId', path, json.matching(/^[0-9a-f]{32}$/, '32 hex digits')),
    spanId: need(from, 'spanId', path, json.matching(/^[0-9a-f]{16}$/, '16 hex digits')),
    rev: need(from, 'rev', path, json.whole(0)),
    startedAt: need(from, 'startedAt', path, instant),
    ...may(from, 'endedAt', path, instant),
    ...may(from, 'outcome', path, json.oneOf('completed', 'interrupted', 'abandoned', 'failed')),
    waits: need(from, 'waits', path, json.list(waitState, LIST_MAX.waits)),
    stages: need(from, 'stages', path, json.list(stageState, LIST_MAX.stages)),
    words: need(from, 'words', path, json.list(wordsState, LIST_MAX.words)),
    ...may(from, 'bargeIn', path, bargeInState),
    ...may(from, 'backchannels', path, json.whole(0)),
  };
};

const waitState: Reader<WaitState> = (value, path) => {
  const from = json.fields(value, path);
  return {
    kind: need(from, 'kind', path, json.oneOf('response', 'greeting', 'resume')),
    opens: need(from, 'opens', path, opening),
    ...may(from, 'closes', path, closing),
    moments: need(from, 'moments', path, json.list(momentState, LIST_MAX.moments)),
    ...may(
      from,
      'outcome',
      path,
      json.oneOf('interrupted_after', 'interrupted_before', 'abandoned', 'failed', 'none'),
    ),
  };
};

const opening: Reader<WaitState['opens']> = (value, path) => {
  const from = json.fields(value, path);
  const source = need(from, 'source', path, name);
  const errorNs = need(from, 'errorNs', path, length);
  if (!Object.hasOwn(from, 'stream'))
    return { at: need(from, 'at', path, instant), source, errorNs };
  return {
    stream: need(from, 'stream', path, name),
    tick: need(from, 'tick', path, media),
    source,
    errorNs,
  };
};

const closing: Reader<NonNullable<WaitState['closes']>> = (value, path) => {
  const from = json.fields(value, path);
  return {
    stream: need(from, 'stream', path, name),
    tick: need(from, 'tick', path, media),
    source: need(from, 'source', path, name),
    errorNs: need(from, 'errorNs', path, length),
    ...may(from, 'filler', path, json.bool),
  };
};

const momentState: Reader<MomentState> = (value, path) => {
  const from = json.fields(value, path);
  return {
    name: need(from, 'name', path, name),
    at: need(from, 'at', path, instant),
    ...may(from, 'source', path, name),
    ...may(from, 'errorNs', path, length),
    ...may(from, 'after', path, json.list(name, 16)),
    ...may(from, 'generation', path, name),
  };
};

const stageState: Reader<StageState> = (value, path) => {
  const from = json.fields(value, path);
  return {
    name: need(from, 'name', path, name),
    spanId: need(from, 'spanId', path, json.matching(/^[0-9a-f]{16}$/, '16 hex digits')),
    startedAt: need(from, 'startedAt', path, instant),
    ...may(from, 'firstAt', path, instant),
    ...may(from, 'endedAt', path, instant),
    ...may(from, 'generation', path, name),
    ...may(from, 'discarded', path, json.bool),
    ...may(from, 'error', path, json.text(TEXT_MAX)),
    ...may(from, 'attributes', path, attributes),
  };
};

const wordsState: Reader<WordsState> = (value, path) => {
  const from = json.fields(value, path);
  return {
    who: need(from, 'who', path, json.oneOf('user', 'agent', 'tool')),
    text: need(from, 'text', path, json.text(TEXT_MAX)),
    at: need(from, 'at', path, instant),
    ...may(from, 'cut', path, json.bool),
  };
};

const bargeInState: Reader<BargeInState> = (value, path) => {
  const from = json.fields(value, path);
  return {
    onsetTick: need(from, 'onsetTick', path, media),
    ...may(from, 'detectedAt', path, instant),
    ...may(from, 'decidedAt', path, instant),
    ...may(from, 'cancelledAt', path, instant),
    ...may(from, 'resumedAt', path, instant),
    ...may(from, 'echo', path, json.share),
    ...may(from, 'generatedTick', path, media),
  };
};
