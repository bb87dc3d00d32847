// Every attribute, span and scope name that we write: one table.
//
// docs/wire.md prints it (a test keeps the two equal); code takes names from
// ATTR (attribute-names.ts) and SPAN, so that each is spelled once. Durations are whole nanoseconds
// in `…_ns`; 64-bit Unix times are decimal strings, because a JSON number
// would lose digits.

import * as ATTR from './attribute-names.ts';

/** The instrumentation scope of all our spans. */
export const SCOPE_NAME = '@framescope/instrument';

/** Names of the spans we write; stages are children of `turn`, named as the user names them. */
export const SPAN = {
  frames: 'audio.frames',
  flightDump: 'flight.dump',
  sessionStart: 'session.start',
  turn: 'turn',
} as const;

/** Stage names with a meaning of their own (contracts of a turn's ledger); any other is allowed. */
export const STAGE = {
  endpointing: 'endpointing',
  stt: 'stt',
  llm: 'llm',
  tool: 'tool',
  tts: 'tts',
} as const;

export { ATTR };

/** Where an attribute stands. */
export type AttributePlace =
  | 'resource'
  | 'every span of ours'
  | 'audio.frames'
  | 'turn'
  | 'stage'
  | 'promoted frame'
  | 'flight.dump'
  | 'process.load'
  | 'session'
  | 'stored'
  | 'forwarded'
  | 'forwarded turn';

export interface AttributeInfo {
  readonly name: (typeof ATTR)[keyof typeof ATTR];
  readonly on: AttributePlace;
  readonly type: 'string' | 'int' | 'bool' | 'double';
  /** Unit or form of the value; empty where the name says it. */
  readonly unit: string;
  readonly meaning: string;
}

const info = (
  name: AttributeInfo['name'],
  on: AttributePlace,
  typeAndUnit: string,
  meaning: string,
): AttributeInfo => {
  const [type, ...unit] = typeAndUnit.split(' ');
  return { name, on, type: type as AttributeInfo['type'], unit: unit.join(' '), meaning };
};

/** Where a span comes from, and on which clock its times were read. */
const placeRows = (): readonly AttributeInfo[] => [
  info(ATTR.serviceName, 'resource', 'string', 'Which service the process is part of.'),
  info(ATTR.serviceInstanceId, 'resource', 'string', 'Which process: a place of its hops.'),
  info(ATTR.hostName, 'resource', 'string', 'Machine.'),
  info(ATTR.cloudRegion, 'resource', 'string', 'Region.'),
  info(ATTR.cloudZone, 'resource', 'string', 'Zone.'),
  info(
    ATTR.sessionId,
    'every span of ours',
    'string',
    'The call. Any characters; also read on spans of other instrumentation.',
  ),
  info(
    ATTR.clockDomain,
    'every span of ours',
    'string 16 hex digits',
    'The monotonic clock that all times of the span were read on.',
  ),
  info(
    ATTR.clockEpoch,
    'every span of ours',
    'int count',
    'Rises when that clock jumped (sleep, suspend, step).',
  ),
  info(
    ATTR.clockZeroUnixNs,
    'every span of ours',
    'string decimal ns',
    'Wall clock at domain time 0: span time − this = domain time, exactly.',
  ),
];

/** Records of frames, and the turns and stages around them. */
const frameRows = (): readonly AttributeInfo[] => [
  info(
    ATTR.producer,
    'audio.frames',
    'string 16 hex digits',
    'The process instance that wrote the record.',
  ),
  info(
    ATTR.seq,
    'audio.frames',
    'int count',
    'Rises by one a record of this producer and session.',
  ),
  info(
    ATTR.record,
    'audio.frames',
    'string base64',
    'Packed marks, at most 2,000 characters; absent when there are none.',
  ),
  info(
    ATTR.recordPart,
    'audio.frames',
    'int index',
    'Which part, 0, 1, …, where one flush needed several.',
  ),
  info(
    ATTR.state,
    'audio.frames',
    'string JSON',
    'A StateMessage: sessions and turns as they are now; absent when nothing changed.',
  ),
  info(
    ATTR.frameCount,
    'audio.frames',
    'int count',
    'Marks in the record; counted from it where absent.',
  ),
  info(
    ATTR.frameLost,
    'audio.frames',
    'int count',
    'Marks this process had to throw away since its last record.',
  ),
  info(ATTR.turnTick, 'turn', 'int ticks', "Start of the user's speech: the turn's identity."),
  info(ATTR.turnStream, 'turn', 'string', 'The stream of that tick.'),
  info(ATTR.turnState, 'turn', 'string JSON', 'The final TurnState.'),
  info(
    ATTR.stageFirstNs,
    'stage',
    'int ns',
    'First useful output, counted from the start of the stage.',
  ),
  info(ATTR.stageGeneration, 'stage', 'string', 'Which generation (speech) the work was for.'),
  info(ATTR.stageDiscarded, 'stage', 'bool', 'True when the result was thrown away.'),
  info(
    ATTR.truncated,
    'stage',
    'bool',
    'True when the collector closed it because the session broke off.',
  ),
];

/** Frames told one by one, dumps, and labels of a session. */
const promotedRows = (): readonly AttributeInfo[] => [
  info(
    ATTR.adjusted,
    'promoted frame',
    'bool',
    'True when moved by up to 1 µs to keep siblings apart.',
  ),
  info(
    ATTR.sampleWeight,
    'promoted frame',
    'double frames',
    'How many frames a sampled one stands for.',
  ),
  info(ATTR.frameHop, 'promoted frame', 'string', 'Key of the hop that it passed.'),
  info(ATTR.frameTick, 'promoted frame', 'int ticks', 'Where the frame begins on its stream.'),
  info(
    ATTR.framePromoted,
    'promoted frame',
    'string list',
    'Why it has a span of its own: worst, over_budget, barge_in, baseline.',
  ),
  info(
    ATTR.flightId,
    'flight.dump',
    'string 16 hex digits',
    'The trigger: one for all dumps it caused.',
  ),
  info(
    ATTR.flightReason,
    'flight.dump',
    'string',
    'Why: barge_in, underrun, manual, or a word of the user.',
  ),
  info(ATTR.flightStream, 'flight.dump', 'string', 'The stream whose ticks were asked for.'),
  info(ATTR.flightFromTick, 'flight.dump', 'int ticks', 'First tick asked for.'),
  info(ATTR.flightToTick, 'flight.dump', 'int ticks', 'Tick behind the last one asked for.'),
  info(
    ATTR.flightData,
    'flight.dump',
    'string JSON',
    'What the process remembered: series with µs since the start of the span, and values.',
  ),
  info(
    ATTR.load,
    'process.load',
    'string JSON',
    'LoadFigures of the process from the start of the span to its end; its producer and clock stand beside it.',
  ),
  info(ATTR.vendorName, 'stage', 'string', 'The service that the stage asked.'),
  info(ATTR.vendorRttNs, 'stage', 'int ns', 'Round trip to it, as this process measured it.'),
  info(
    ATTR.vendorConnectNs,
    'stage',
    'int ns',
    'For a connection that had to be made in this stage: TCP, TLS, handshake.',
  ),
  info(
    ATTR.vendorQueueNs,
    'stage',
    'int ns',
    "By the service's word: how long the request waited there.",
  ),
  info(
    ATTR.vendorProcessingNs,
    'stage',
    'int ns',
    "By the service's word: from the request to its first answer, its queue included.",
  ),
  info(ATTR.synthetic, 'session', 'string', 'A label on generated calls, e.g. `simulated day`.'),
];

/** What the collector adds: to what it stores, and to what it hands on. */
const collectorRows = (): readonly AttributeInfo[] => [
  info(ATTR.log, 'stored', 'string severity', 'A log record, kept as a span of no length.'),
  info(ATTR.logBody, 'stored', 'string', 'What the record says; any value of OTLP.'),
  info(
    ATTR.pending,
    'stored',
    'string 16 hex digits or empty',
    "Told of a span that still ran: its parent's ID; the span itself is the parent of this one.",
  ),
  info(
    ATTR.clockOffsetNs,
    'forwarded',
    'int ns',
    "What was taken off the sender's times to bring them to the collector's clock.",
  ),
  info(ATTR.clockErrorNs, 'forwarded', 'int ns', 'How wrong the corrected times can be.'),
  info(ATTR.waitKind, 'forwarded turn', 'string', 'Of its first wait: response, greeting, resume.'),
  info(ATTR.waitNs, 'forwarded turn', 'int ns', 'The wait; the parts sum to it.'),
  info(ATTR.waitErrorNs, 'forwarded turn', 'int ns', 'How wrong its start and end can be.'),
  info(ATTR.waitDefinition, 'forwarded turn', 'string', 'Where it was taken: client, server, ….'),
  info(ATTR.waitOutcome, 'forwarded turn', 'string', 'How it ended: answered, filler_only, ….'),
  info(
    ATTR.waitResolved,
    'forwarded turn',
    'double share',
    'Of the wait, what lies in parts with one owner.',
  ),
  info(
    ATTR.partNs,
    'forwarded turn',
    'int ns',
    'One attribute a part of the wait, e.g. `framescope.part.inference_ns`; repeated parts are added up.',
  ),
  info(
    ATTR.turnFrames,
    'forwarded turn',
    'int count',
    'Marks of frames during the turn, all hops.',
  ),
  info(ATTR.turnFramesOverBudget, 'forwarded turn', 'int count', 'Of these, over budget.'),
  info(ATTR.turnFramesLost, 'forwarded turn', 'int count', 'Frames lost during the turn.'),
  info(ATTR.turnFramesWorstNs, 'forwarded turn', 'int ns', 'The worst latency of a frame in it.'),
];

/** One row an attribute, in the order of the document. */
const makeTable = (): readonly AttributeInfo[] => [
  ...placeRows(),
  ...frameRows(),
  ...promotedRows(),
  ...collectorRows(),
];

/** Every attribute there is; a bundle that does not print it does not carry it. */
export const ATTRIBUTE_TABLE: readonly AttributeInfo[] = /* @__PURE__ */ makeTable();
