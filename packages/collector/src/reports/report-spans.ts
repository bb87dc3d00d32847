// A reported call as spans, so that it is stored, shown, handed on and exported as any other:
//
//   {vendor}.call ┬ {vendor}.turn ─ tool
//                 └ {vendor}.turn
//
// IDs are hashes of what they are: a report that comes twice is stored once.

import type { Attributes, SpanId, TraceId } from '@framescope/protocol';
import { createHash } from 'node:crypto';
import type { DecodedSpan } from '../decode/types.ts';
import type { ReportedCall, ReportedSpeech, ReportedTurn } from './report.types.ts';

/** Attributes of these spans; recognise/call-reports.ts reads them. */
export const REPORT = {
  figure: 'report.figure.',
  feature: 'report.feature.',
  userText: 'report.user.text',
  userStartMs: 'report.user.start_unix_ms',
  userEndMs: 'report.user.end_unix_ms',
  agentText: 'report.agent.text',
  agentStartMs: 'report.agent.start_unix_ms',
  agentEndMs: 'report.agent.end_unix_ms',
  interrupted: 'report.interrupted',
  notes: 'report.notes',
  tool: 'report.tool',
} as const;

/** Instrumentation scope of a vendor's reports. */
export const reportScope = (vendor: string): string => `framescope.report.${vendor}`;

const hash = (length: number, ...words: readonly string[]): string =>
  createHash('sha256').update(words.join('\n')).digest('hex').slice(0, length);

const unixNs = (ms: number): bigint => BigInt(Math.round(ms * 1e3)) * 1_000n;

export function spansOfReport(call: ReportedCall): DecodedSpan[] {
  const traceId = hash(32, 'report', call.vendor, call.id) as TraceId;
  const spanId = (...words: string[]): SpanId => hash(16, traceId, ...words) as SpanId;
  const base = {
    traceId,
    kind: 1,
    statusCode: 0,
    statusMessage: '',
    events: [],
    links: [],
    scope: reportScope(call.vendor),
    resource: { attributes: { 'service.name': call.vendor } },
  };
  const session = { 'session.id': call.id };
  const root: DecodedSpan = {
    ...base,
    spanId: spanId('call'),
    name: `${call.vendor}.call`,
    startUnixNs: unixNs(call.startMs),
    endUnixNs: unixNs(call.endMs),
    attributes: {
      ...session,
      ...call.attributes,
      ...(call.notes.length > 0 && { [REPORT.notes]: call.notes }),
    },
  };
  let lastMs = call.startMs;
  const turns = call.turns.flatMap((turn, nth): DecodedSpan[] => {
    const [startMs, endMs] = boundsOf(turn, lastMs);
    lastMs = endMs;
    const its: DecodedSpan = {
      ...base,
      spanId: spanId('turn', String(nth)),
      parentSpanId: root.spanId,
      name: `${call.vendor}.turn`,
      startUnixNs: unixNs(startMs),
      endUnixNs: unixNs(endMs),
      attributes: { ...session, ...attributesOf(turn) },
    };
    const tools = turn.tools.map((tool, i): DecodedSpan => ({
      ...base,
      spanId: spanId('tool', String(nth), String(i)),
      parentSpanId: its.spanId,
      name: tool.name,
      startUnixNs: unixNs(tool.startMs),
      endUnixNs: unixNs(Math.max(tool.startMs, tool.endMs)),
      attributes: { ...session, [REPORT.tool]: tool.name },
    }));
    return [its, ...tools];
  });
  return [root, ...turns];
}

/** From the first to the last that is told of it; untold, behind the turn before. */
function boundsOf({ user, agent, tools }: ReportedTurn, lastMs: number): [number, number] {
  const times = [user, agent, ...tools].flatMap(one =>
    [one?.startMs ?? [], one?.endMs ?? []].flat(),
  );
  return times.length === 0 ? [lastMs, lastMs] : [Math.min(...times), Math.max(...times)];
}

function attributesOf({ user, agent, isInterrupted, figures, features }: ReportedTurn): Attributes {
  const prefixed = (prefix: string, from: Attributes): Attributes =>
    Object.fromEntries(Object.entries(from).map(([key, value]) => [`${prefix}${key}`, value]));
  const side = (speech: ReportedSpeech | undefined, keys: readonly [string, string, string]) => ({
    ...(speech?.text !== undefined && { [keys[0]]: speech.text }),
    ...(speech?.startMs !== undefined && { [keys[1]]: speech.startMs }),
    ...(speech?.endMs !== undefined && { [keys[2]]: speech.endMs }),
  });
  return {
    ...side(user, [REPORT.userText, REPORT.userStartMs, REPORT.userEndMs]),
    ...side(agent, [REPORT.agentText, REPORT.agentStartMs, REPORT.agentEndMs]),
    ...(isInterrupted !== undefined && { [REPORT.interrupted]: isInterrupted }),
    ...prefixed(REPORT.figure, figures),
    ...prefixed(REPORT.feature, features),
  };
}
