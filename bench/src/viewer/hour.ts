// A call of an hour as OTLP bodies: two streams, six hops each, 50 frames a second
// all the time: 2,160,000 marks, 400 turns. Made here and not by the simulator,
// which lets the agent be silent between its answers and takes half a minute.

import {
  domainNs,
  durationNs,
  encodeRecord,
  recordSpanId,
  sessionTraceId,
  tick,
  toBase64,
  turnSpanId,
  turnTraceId,
  unixNs,
  type FrameRecord,
  type StateMessage,
  type TurnState,
} from '@framescope/protocol';
import { randomWords } from '../ingest/span-bodies.ts';

const MIC = [
  'client/capture',
  'client/send',
  'edge/receive',
  'edge/send',
  'agent/receive',
  'agent/stt',
];
const AGENT = [
  'agent/send',
  'edge/receive',
  'edge/send',
  'client/receive',
  'client/jitter_buffer',
  'client/playout',
];
/** Usual transit to each hop, ms. */
const MIC_MS = [0.2, 0.6, 26, 0.5, 4, 1];
const AGENT_MS = [0, 3, 0.4, 18, 55, 12];
const RATE = 16_000;
const FRAMES = 50;
const FRAME_TICKS = 320;
const FRAME_NS = 20e6;
const TURN_S = 9;
const PRODUCER = '00f1e2d3c4b5a688';
const DOMAIN = 'fedcba9876543288';

export interface HourOptions {
  readonly id: string;
  readonly seconds: number;
  /** Unix ms of its first sample. */
  readonly startUnixMs: number;
}

/** OTLP/JSON bodies, a minute each, in order. */
export function hourBodies(options: HourOptions): Generator<string> {
  return bodies(options, 60);
}

/** The same, a second each: what a call sends while it goes on. */
export function secondBodies(options: HourOptions): Generator<string> {
  return bodies(options, 1);
}

function* bodies(
  { id, seconds, startUnixMs }: HourOptions,
  secondsEach: number,
): Generator<string> {
  const random = randomWords(7);
  const zeroUnixNs = BigInt(startUnixMs) * 1_000_000n;
  let spans: object[] = [];
  for (let second = 0; second < seconds; second++) {
    const state = stateAt(id, second, seconds);
    const record = recordOf(second, zeroUnixNs, random);
    encodeRecord(record).forEach((bytes, part) =>
      spans.push(
        spanOf({
          id,
          second,
          part,
          zeroUnixNs,
          record: toBase64(bytes),
          ...(part === 0 ? { state } : {}),
        }),
      ),
    );
    if ((second + 1) % secondsEach !== 0 && second < seconds - 1) continue;
    yield bodyOf(spans);
    spans = [];
  }
}

const attribute = (key: string, value: string | number): object => ({
  key,
  value: typeof value === 'string' ? { stringValue: value } : { intValue: String(value) },
});

const bodyOf = (spans: readonly object[]): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [attribute('service.name', 'voice-agent')] },
        scopeSpans: [{ scope: { name: '@framescope/instrument' }, spans }],
      },
    ],
  });

interface SpanParts {
  readonly id: string;
  readonly second: number;
  readonly part: number;
  readonly zeroUnixNs: bigint;
  readonly record: string;
  readonly state?: StateMessage;
}

function spanOf({ id, second, part, zeroUnixNs, record, state }: SpanParts): object {
  const traceId = sessionTraceId(id);
  const startNs = zeroUnixNs + BigInt(second) * 1_000_000_000n;
  return {
    traceId,
    spanId: recordSpanId(PRODUCER, traceId, second, part),
    name: 'audio.frames',
    kind: 1,
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + 1_000_000_000n),
    attributes: [
      attribute('session.id', id),
      attribute('framescope.producer', PRODUCER),
      attribute('framescope.seq', second),
      attribute('framescope.record.part', part),
      attribute('framescope.clock.domain', DOMAIN),
      attribute('framescope.clock.epoch', 0),
      attribute('framescope.clock.zero_unix_ns', String(zeroUnixNs)),
      attribute('framescope.frame.count', FRAMES * 2),
      attribute('framescope.frame.lost', 0),
      attribute('framescope.record', record),
      ...(state ? [attribute('framescope.state', JSON.stringify(state))] : []),
    ],
  };
}

function recordOf(second: number, zeroUnixNs: bigint, random: () => number): FrameRecord {
  return {
    producer: PRODUCER,
    seq: second,
    domain: DOMAIN,
    epoch: 0,
    zeroUnixNs: unixNs(zeroUnixNs),
    quantumNs: 10_000,
    blocks: [
      blockOf({ stream: 'mic', direction: 'up', hops: MIC, ms: MIC_MS }, second, random),
      blockOf({ stream: 'agent', direction: 'down', hops: AGENT, ms: AGENT_MS }, second, random),
    ],
    clockSamples: [],
  };
}

interface Path {
  readonly stream: string;
  readonly direction: 'up' | 'down';
  readonly hops: readonly string[];
  readonly ms: readonly number[];
}

/** Every quarter of an hour the network stalls for two seconds: something to find. */
const stallMs = (atS: number): number => (atS % 900 > 720 && atS % 900 < 722 ? 900 : 0);

function blockOf(path: Path, second: number, random: () => number): FrameRecord['blocks'][number] {
  const uniform = (): number => (random() + 0.5) / 2 ** 32;
  const columns = path.hops.map(key => {
    const [role = '', name = ''] = key.split('/');
    return {
      hop: { role, name, nth: 0 },
      length: FRAMES,
      startTick: new Float64Array(FRAMES),
      endTick: new Float64Array(FRAMES),
      atNs: new Float64Array(FRAMES),
      late: [],
    };
  });
  for (let i = 0; i < FRAMES; i++) {
    const frame = second * FRAMES + i;
    let atNs = (frame + 1) * FRAME_NS;
    columns.forEach((column, hop) => {
      const jitterMs = -Math.log(uniform()) * 0.1 * path.ms[hop]!;
      const addMs = hop === 2 ? stallMs(second + i / FRAMES) : 0;
      atNs += Math.round((path.ms[hop]! + jitterMs + addMs) * 1e6);
      column.startTick[i] = frame * FRAME_TICKS;
      column.endTick[i] = (frame + 1) * FRAME_TICKS;
      column.atNs[i] = atNs;
    });
  }
  return { ...path, sampleRate: RATE, columns, ranges: [] };
}

/** The session at the start and the end, and each turn once it is over. */
function stateAt(id: string, second: number, seconds: number): StateMessage {
  const isEdge = second % 10 === 0 || second === seconds - 1;
  const turns = second % TURN_S === TURN_S - 1 ? [turnAt(id, second - TURN_S + 1)] : [];
  return {
    v: 1,
    ...(isEdge
      ? {
          session: {
            attributes: { region: 'eu-west', release: '2.5.0' },
            authority: true,
            startedAt: domainNs(0),
            ...(second === seconds - 1 ? { endedAt: domainNs(seconds * 1e9) } : {}),
            flushNs: durationNs(1e9),
            streams: [
              { name: 'mic', sampleRate: RATE, direction: 'up' },
              { name: 'agent', sampleRate: RATE, direction: 'down' },
            ],
          },
        }
      : {}),
    turns,
  };
}

/** The user speaks for two seconds, waits about 0.8 s, hears the answer for three. */
function turnAt(id: string, second: number): TurnState {
  const at = (s: number): ReturnType<typeof domainNs> => domainNs(Math.round((second + s) * 1e9));
  const ticks = (s: number): ReturnType<typeof tick> =>
    tick(Math.round(((second + s) * RATE) / FRAME_TICKS) * FRAME_TICKS);
  const slow = ((second / TURN_S) * 37) % 17 === 0 ? 0.9 : ((second / TURN_S) % 7) * 0.02;
  const traceId = turnTraceId(sessionTraceId(id), 'mic', ticks(0));
  const spanOfStage = (n: number): string => turnSpanId(sessionTraceId(id), `stage${n}`, ticks(0));
  const decided = 2.25;
  const token = decided + 0.3 + slow;
  return {
    tick: ticks(0),
    stream: 'mic',
    traceId,
    spanId: turnSpanId(sessionTraceId(id), 'mic', ticks(0)),
    rev: 1,
    startedAt: at(0),
    endedAt: at(6),
    outcome: 'completed',
    waits: [
      {
        kind: 'response',
        opens: { stream: 'mic', tick: ticks(2), source: 'vad', errorNs: durationNs(20e6) },
        closes: {
          stream: 'agent',
          tick: ticks(token + 0.15),
          source: 'energy',
          errorNs: durationNs(20e6),
        },
        moments: [
          { name: 'turn_decided', at: at(decided) },
          { name: 'model_requested', at: at(decided + 0.01) },
          { name: 'first_speakable', at: at(token) },
          { name: 'speech_text_sent', at: at(token + 0.02) },
          { name: 'first_audio', at: at(token + 0.14) },
        ],
      },
    ],
    stages: [
      {
        name: 'llm',
        spanId: spanOfStage(1),
        startedAt: at(decided + 0.01),
        firstAt: at(token),
        endedAt: at(token + 0.4),
      },
      {
        name: 'tts',
        spanId: spanOfStage(2),
        startedAt: at(token + 0.02),
        firstAt: at(token + 0.14),
        endedAt: at(token + 0.5),
      },
    ],
    words: [{ who: 'user', text: 'Is my order on its way?', at: at(2) }],
  };
}
